"""What is done at a start about a SQLite file that is damaged: it is set aside, and what can be read is carried over.

Nothing of the damaged file is thrown away, and nothing of the loss is kept quiet: see `holes.py` for what the
journal lacks then, and docs/adr/0009-when-the-store-fails.md for why a gateway starts at all.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from gateway.store.schema import metadata

BESIDE: Final = ("", "-wal", "-shm")
ROWS: Final = 200
HEADER: Final = 100
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# What belongs to this run and not to what is carried over.
_OWN: Final = frozenset({"migrations", "leases"})


def examine(path: Path) -> str:
    """What is wrong with a database file, "" for one that is well or not there yet.

    The whole is looked through only where the last run had no orderly end, and its length always.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return ""
    with path.open("rb") as file:
        header = file.read(HEADER)
    if len(header) < HEADER or not header.startswith(b"SQLite format 3\x00"):
        return "it is no database any more"
    size = int.from_bytes(header[16:18])
    told = int.from_bytes(header[28:32]) * (65_536 if size == 1 else size)
    if path.stat().st_size < told:
        return f"its end is missing: {path.stat().st_size} of {told} bytes"
    log = Path(f"{path}-wal")
    unclean = log.is_file() and log.stat().st_size > 0
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if unclean else "ok"
    except sqlite3.DatabaseError as error:
        # Whatever else is wrong (locked, full), the real opening will say.
        return str(error) if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGE else ""
    return "" if found == "ok" else str(found).splitlines()[0]


def set_aside(path: Path, now: int) -> Path:
    """Move a database and what belongs to it to a dated name; `now` is ms since the epoch."""
    stamp = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = Path(f"{path}.damaged-{stamp}")
    for suffix in BESIDE:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    path.touch(mode=0o600)  # it holds names and password hashes
    return aside


def carry_over(aside: Path, connection: Connection) -> dict[str, int]:
    """Copy every row that can still be read into a new database; rows by table."""
    copied: dict[str, int] = {}
    try:
        old = sqlite3.connect(aside)
    except sqlite3.DatabaseError:
        return copied
    with contextlib.closing(old):
        # Else SQLite reads nothing at all of a file whose end is missing.
        old.execute("PRAGMA writable_schema = ON")
        for table in metadata.sorted_tables:
            if table.name in _OWN:
                continue
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            marks = ", ".join("?" for _ in table.columns)
            insert = f'INSERT OR IGNORE INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - our own names
            for rows in _readable(old, table.name, names):
                connection.exec_driver_sql(insert, rows)
                copied[table.name] = copied.get(table.name, 0) + len(rows)
    return copied


def _readable(old: sqlite3.Connection, table: str, names: str) -> Iterator[list[tuple[object, ...]]]:
    """A table's rows from its beginning up to the damage, then from its end back to it."""
    low, high = -1, 2**62
    for backwards in (False, True):
        while True:
            what = f'SELECT rowid, {names} FROM "{table}"'  # noqa: S608 - our own names
            query = f"{what} WHERE rowid > ? AND rowid < ? ORDER BY rowid {'DESC' if backwards else 'ASC'} LIMIT {ROWS}"
            rows: list[tuple[int, ...]] = []
            whole = True
            try:
                # Row by row: what stands before the damaged page comes out before the error does.
                for row in old.execute(query, (low, high)):
                    rows.append(row)  # noqa: PERF402
            except sqlite3.DatabaseError:
                whole = False
            if rows:
                low, high = (low, rows[-1][0]) if backwards else (rows[-1][0], high)
                yield [row[1:] for row in rows]
            if not whole or len(rows) < ROWS:
                break
