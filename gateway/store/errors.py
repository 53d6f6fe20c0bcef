"""What a store can fail with, in words that do not depend on the database behind it.

The pipeline asks one question of a failed commit: is it the data (then the batch is bisected and the row goes
to quarantine), or is it the store (then nothing is acknowledged and the same batch is tried again)?
"""

import sqlite3
from typing import Final

from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError

from sensors.errors import HallwatchError


class StoreError(HallwatchError):
    """A store did not do what was asked; nothing of it is visible.

    `code`: `store_busy` (locked by another), `store_full` (no space), `store_failed` (anything else of the store's),
    `store_refused` (it cannot hold this data), `store_broken` (it lacks a table or a column: no time mends that),
    `store_fenced` (another gateway has had it), and at the start `store_newer` (a newer release has changed it).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    @property
    def transient(self) -> bool:
        """True when the same call may succeed later; False when it would be refused again."""
        return self.code in {"store_busy", "store_full", "store_failed"}


_BY_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: "store_busy",
    sqlite3.SQLITE_LOCKED: "store_busy",
    sqlite3.SQLITE_FULL: "store_full",
    sqlite3.SQLITE_CONSTRAINT: "store_refused",
    sqlite3.SQLITE_TOOBIG: "store_refused",
    sqlite3.SQLITE_MISMATCH: "store_refused",
}
# PostgreSQL: classes 22 (data exception), 23 (integrity) and 54 (limits) are the data's own fault.
_REFUSED_CLASSES: Final = ("22", "23", "54")
_FULL_STATES: Final = ("53100",)
_BUSY_STATES: Final = ("55P03", "40001", "40P01")
# Undefined table, column, function, schema.
_BROKEN_WORDS: Final = ("no such table", "no such column")
_BROKEN_STATES: Final = ("42P01", "42703", "42883", "3F000")


# What a store's call may raise that is no fault of the program: the database's errors, integers beyond 64 bits,
# text that is no Unicode. Anything else is a fault of ours and ends the process with its own name.
TRANSLATED: Final = (SQLAlchemyError, OverflowError, UnicodeError)


def store_error(error: Exception) -> StoreError:
    """Translate what a driver, or the packing of a value for it, has raised (one of `TRANSLATED`)."""
    if isinstance(error, DBAPIError):
        return StoreError(_code(error), _said(error))
    if isinstance(error, SQLAlchemyError):
        return StoreError("store_failed", f"{type(error).__name__}: {error}")
    return StoreError("store_refused", f"{type(error).__name__}: {error}")


def _said(error: DBAPIError) -> str:
    """What the database said. PostgreSQL's DETAIL is left out: it repeats the row, a password's hash and all."""
    diagnosis = getattr(error.orig, "diag", None)
    return str(getattr(diagnosis, "message_primary", None) or error.orig)


def _code(error: DBAPIError) -> str:
    origin = error.orig
    if isinstance(origin, sqlite3.Error):
        number: int | None = getattr(origin, "sqlite_errorcode", None)
        # The low byte is the primary code; the rest tells more of it (SQLITE_BUSY_SNAPSHOT and the like).
        if number == sqlite3.SQLITE_ERROR and str(origin).startswith(_BROKEN_WORDS):
            return "store_broken"
        if number is not None:
            return _BY_SQLITE.get(number & 0xFF, "store_failed")
    state = getattr(origin, "sqlstate", None)
    if isinstance(state, str):
        if state in _BUSY_STATES or state in _FULL_STATES:
            return "store_full" if state in _FULL_STATES else "store_busy"
        if state in _BROKEN_STATES:
            return "store_broken"
        return "store_refused" if state[:2] in _REFUSED_CLASSES else "store_failed"
    # An error without a number was raised by the driver itself, before the database saw the value.
    refused = isinstance(error, (IntegrityError, DataError, ProgrammingError)) or not isinstance(error, DatabaseError)
    return "store_refused" if refused else "store_failed"
