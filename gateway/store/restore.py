"""Brings a backup back into an empty store, of either kind: checked before, compared after, or nothing at all.

The file is read to its end before the store is touched. Then the store gets the schema that the file was written
under, its rows in one transaction, and is read back against the file's digests before that transaction ends. What
newer releases have changed since is done afterwards, as at any start.
"""

import base64
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Final, cast

import msgspec
from sqlalchemy import Connection, MetaData, Table, func, insert, select, text

from gateway.store.backup import FORMAT, OWN, ROWS_AT_ONCE, End, Head, Sum, TableHead, lines_of
from gateway.store.engines import make_engine, store_url
from gateway.store.errors import TRANSLATED, StoreError, store_error
from gateway.store.lease import Lease
from gateway.store.migrate import STEPS, migrate, version
from gateway.store.sql import alone

_row: Final = msgspec.json.Decoder(list[object]).decode
_DAMAGED: Final = (EOFError, zlib.error, gzip.BadGzipFile, StopIteration, msgspec.MsgspecError, ValueError)


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that was read to its end and is what it was when it was written."""

    place: Path
    head: Head
    sums: tuple[Sum, ...]


def read_backup(place: Path) -> Backup:
    """Read a file to its end. Raises `StoreError`: `backup_damaged` where one bit of it is not what was written."""
    try:
        with _opened(place) as file:
            return _read(place, file)
    except _DAMAGED as error:
        raise StoreError(
            "backup_damaged", f"{place} is damaged, or no backup of ours: {str(error) or 'it ends'}"
        ) from error
    except OSError as error:
        raise StoreError("backup_file", f"{place}: {error.strerror or error}") from error


@contextmanager
def _opened(place: Path) -> Iterator[Iterator[bytes]]:
    with gzip.open(place, "rb") as file:
        yield iter(cast("IO[bytes]", file))


def _read(place: Path, file: Iterator[bytes]) -> Backup:
    first = next(file)
    head = msgspec.json.decode(first, type=Head)
    if head.hallwatch_backup > FORMAT or head.schema > STEPS[-1][0]:
        raise StoreError(
            "backup_newer",
            f"{place} was written by a newer release (form {head.hallwatch_backup}, schema {head.schema}): "
            "restore it with that one",
        )
    whole = hashlib.sha256(first.rstrip(b"\n"))
    sums = []
    for table in head.tables:
        sums.append(_table(file, table))
        whole.update(msgspec.json.encode(sums[-1]))
    if msgspec.json.decode(next(file), type=End).whole != whole.hexdigest() or next(file, None) is not None:
        raise ValueError("its end does not fit what comes before it")
    return Backup(place, head, tuple(sums))


def _table(file: Iterator[bytes], table: TableHead) -> Sum:
    digest = hashlib.sha256()
    for count, line in enumerate(file):
        if not line.startswith(b"["):
            told = msgspec.json.decode(line, type=Sum)
            found = Sum(table.name, count, digest.hexdigest())
            if told != found:
                raise ValueError(f"the rows of {table.name} are not those that were written")
            return found
        digest.update(line)
    raise EOFError(f"it ends within the rows of {table.name}")


def restore_backup(url: str, place: Path, now: int) -> Backup:
    """Read a file and fill the empty store at `url` with it; `now` is ms since the epoch.

    Raises `StoreError`: what `read_backup` and `restore` raise, and `store_busy` where another Hallwatch runs on it.
    """
    backup = read_backup(place)
    address = store_url(url)
    with ExitStack() as stack:
        engine = make_engine(address, writing=True)
        stack.callback(engine.dispose)
        if address.get_backend_name() == "sqlite":
            stack.enter_context(alone(Path(str(address.database))))
        else:
            Lease(()).guard(engine)
        try:
            restore(stack.enter_context(engine.connect()), backup, now)
        except TRANSLATED as error:
            raise store_error(error) from error
    return backup


def restore(connection: Connection, backup: Backup, now: int) -> None:
    """Fill an empty store from a file, for which nobody else may write in it; `now` is ms since the epoch.

    Not in a transaction. Raises `StoreError`: `store_not_empty`, and `restore_differs` where the store does not give
    back what it was given (then it is empty again).
    """
    _ask_empty(connection, backup)
    steps = tuple(step for step in STEPS if step[0] <= backup.head.schema)
    migrate(connection, now, steps)
    with connection.begin():
        known = MetaData()
        known.reflect(connection)
        _fill(connection, known, backup)
        _compare(connection, known, backup)
    migrate(connection, now)


def _ask_empty(connection: Connection, backup: Backup) -> None:
    with connection.begin():
        if version(connection) > backup.head.schema:
            raise StoreError("store_not_empty", "a newer release has made its tables here: give it a new database")
        known = MetaData()
        known.reflect(connection)
        for name in sorted(known.tables.keys() - OWN):
            if connection.execute(select(known.tables[name]).limit(1)).first() is not None:
                raise StoreError("store_not_empty", f"there are rows in {name}: a backup goes into an empty store")


def _fill(connection: Connection, known: MetaData, backup: Backup) -> None:
    with _opened(backup.place) as file:
        next(file)
        for head, one in zip(backup.head.tables, backup.sums, strict=True):
            table = known.tables[head.name]
            rows = islice(file, one.rows)
            while part := list(islice(rows, ROWS_AT_ONCE)):
                connection.execute(insert(table), [_values(line, head) for line in part])
            next(file)
            _count_on(connection, table)


def _values(line: bytes, head: TableHead) -> dict[str, object]:
    values = dict(zip(head.columns, _row(line), strict=True))
    for name in head.blobs:
        if values[name] is not None:
            values[name] = base64.b64decode(str(values[name]))
    return values


def _count_on(connection: Connection, table: Table) -> None:
    """PostgreSQL counts rows by a counter of its own, which knows nothing of those that came with a number."""
    if connection.dialect.name != "postgresql" or "id" not in table.columns:
        return
    counter = connection.scalar(select(func.pg_get_serial_sequence(table.name, "id")))
    if counter is not None:
        highest = connection.scalar(select(func.max(table.c.id)))
        if highest is not None:
            connection.execute(text("SELECT setval(:counter, :highest)"), {"counter": counter, "highest": highest})


def _compare(connection: Connection, known: MetaData, backup: Backup) -> None:
    for head, told in zip(backup.head.tables, backup.sums, strict=True):
        digest, count = hashlib.sha256(), 0
        for line in lines_of(connection, known.tables[head.name], head):
            digest.update(line)
            count += 1
        if Sum(head.name, count, digest.hexdigest()) != told:
            raise StoreError("restore_differs", f"{head.name} was not given back as it was written; nothing is kept")
