"""Who may write: one gateway a hall, held by PostgreSQL's own locks, and seen by whoever has lost it.

The lock belongs to the session on which everything is written: while it stands nobody else has it, and when it is
gone no commit of ours can follow. Between two sessions another gateway may have had the hall. So each takes a higher
number at its start, and one that comes back to a number that is not its own writes nothing any more: what it knows
of the hall is old. On SQLite the lock beside the file says the same (`sql.py`).
"""

import hashlib
import os
import socket
import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

from gateway.store import schema
from gateway.store.errors import StoreError

# A predecessor that was killed a moment ago is let go of by the server within this time.
WAIT_S: Final = 3.0
AGAIN_S: Final = 0.1
# The row that whoever has the whole database writes, so that every hall's gateway sees it.
WHOLE: Final = ""


def lock_key(hall: str) -> int:
    """The number of a hall's advisory lock; that of `WHOLE` is shared by all who hold a hall."""
    return int.from_bytes(hashlib.blake2b(f"hallwatch/{hall}".encode(), digest_size=8).digest(), signed=True)


class Lease:
    """The right to write some halls, or with none named the whole database."""

    def __init__(self, halls: Sequence[str]) -> None:
        self._halls = tuple(dict.fromkeys(halls))
        self._epochs: dict[str, int] = {}

    def guard(self, engine: Engine) -> None:
        """Let every connection of this engine take the locks before it is used, and find that nobody was between."""

        @event.listens_for(engine, "connect")
        def _connect(connection: DBAPIConnection, _record: object) -> None:
            try:
                cursor = connection.cursor()
                self._lock(cursor)
                self._check(cursor)
                cursor.close()
                connection.commit()
            except BaseException:
                connection.close()
                raise

    def _lock(self, cursor: DBAPICursor) -> None:
        # Who comes back for its lock does not wait: the worker tries again.
        until = time.monotonic() + (0 if self._epochs else WAIT_S)
        shared = [(WHOLE, "pg_try_advisory_lock_shared")] if self._halls else [(WHOLE, "pg_try_advisory_lock")]
        for hall, function in [*shared, *((hall, "pg_try_advisory_lock") for hall in self._halls)]:
            while not _one(cursor, f"SELECT {function}(%s)", lock_key(hall)):
                if time.monotonic() > until:
                    what = f"hall {hall}" if hall else "this database"
                    raise StoreError("store_busy", f"another Hallwatch is writing {what}: {_holder(cursor, hall)}")
                time.sleep(AGAIN_S)

    def _check(self, cursor: DBAPICursor) -> None:
        for hall, epoch in self._epochs.items():
            now = _one(cursor, "SELECT coalesce(max(epoch), 0) FROM leases WHERE hall = %s", hall)
            if now != epoch:
                raise StoreError(
                    "store_fenced",
                    f"another Hallwatch has written {f'hall {hall}' if hall else 'this database'} while the database "
                    "was out of our reach; what we know is old, start again",
                )

    def enter(self, connection: Connection, now: int) -> None:
        """Take the next number for each hall; `now` is ms since the epoch. Not in a transaction, after `migrate`."""
        table = schema.leases
        holder = f"{socket.gethostname()} {os.getpid()}"
        with connection.begin():
            for hall in self._halls or (WHOLE,):
                row = insert(table).values(hall=hall, epoch=1, holder=holder, since=now)
                changed = {"epoch": table.c.epoch + 1, "holder": holder, "since": now}
                next_ = row.on_conflict_do_update(index_elements=["hall"], set_=changed).returning(table.c.epoch)
                self._epochs[hall] = int(connection.execute(next_).scalar_one())
            whole = select(func.coalesce(func.max(table.c.epoch), 0)).where(table.c.hall == WHOLE)
            self._epochs[WHOLE] = int(connection.execute(whole).scalar_one())


def _one(cursor: DBAPICursor, sql: str, value: object) -> object:
    cursor.execute(sql, (value,))
    row = cursor.fetchone()
    return None if row is None else row[0]


def _holder(cursor: DBAPICursor, hall: str) -> str:
    """Who has the lock, as the server knows it."""
    key = lock_key(hall) & 0xFFFF_FFFF_FFFF_FFFF
    cursor.execute(
        "SELECT a.application_name, host(a.client_addr) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = %s AND l.objid::bigint = %s"
        " AND a.datname = current_database() LIMIT 1",
        (key >> 32, key & 0xFFFF_FFFF),
    )
    row = cursor.fetchone()
    return "it has just gone" if row is None else f"{row[0]} at {row[1] or 'its own machine'}"
