"""A copy of a whole store as one file that belongs to no database: from SQLite, from PostgreSQL, into either.

Text lines within gzip, so that a person can read one with `zcat`: first what it is; then each table's rows in the
order of their key, and how many they were, with their digest; at the end the digest of all that. Read in one
transaction beside a running gateway: the moment at which it began, whole, and nobody waits for it. It holds what the
store holds (names, hashes of passwords, the keys that sign links), so it is for its owner's eyes alone.
"""

import gzip
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

import msgspec
from sqlalchemy import URL, Connection, LargeBinary, String, Table, select

from gateway.store import schema
from gateway.store.engines import make_engine
from gateway.store.errors import TRANSLATED, StoreError, store_error
from gateway.store.migrate import STEPS, version

FORMAT: Final = 1
ROWS_AT_ONCE: Final = 500
# What belongs to a database and not to the hall.
OWN: Final = frozenset({"migrations", "leases"})


class TableHead(msgspec.Struct, frozen=True):
    """A table: its columns in the order of a row's values; those in `blobs` are base64."""

    name: str
    columns: tuple[str, ...]
    blobs: tuple[str, ...] = ()


class Head(msgspec.Struct, frozen=True):
    """The first line: which form the file has, and which migration the store had seen (`made` in ms)."""

    hallwatch_backup: int
    schema: int
    made: int
    tables: tuple[TableHead, ...]


class Sum(msgspec.Struct, frozen=True):
    """The line behind a table's rows: how many they are, and the SHA-256 of their lines."""

    table: str
    rows: int
    digest: str


class End(msgspec.Struct, frozen=True):
    """The last line: the SHA-256 of the first one and of all sums."""

    whole: str


encode: Final = msgspec.json.Encoder().encode


def write_backup(url: str | URL, place: Path, now: int) -> tuple[Sum, ...]:
    """Copy the store at `url` into a new file; `now` is ms since the epoch.

    Raises `StoreError`: the store's own, `store_newer` or `store_older` for a schema that is not this release's, and
    `backup_file` where the file is there already or cannot be written. Then no file is left.
    """
    with reading(url) as connection:
        head = Head(FORMAT, _known_version(connection), now, tuple(_heads()))
        with _new_file(place) as file:
            return _write(connection, head, file)


@contextmanager
def reading(url: str | URL) -> Iterator[Connection]:
    """One transaction that sees one moment of the store and can change nothing."""
    engine = make_engine(url, writing=False)
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except TRANSLATED as error:
        raise store_error(error) from error
    finally:
        engine.dispose()


def _known_version(connection: Connection) -> int:
    number, newest = version(connection), STEPS[-1][0]
    if number > newest:
        raise StoreError("store_newer", f"the database has schema {number}, this Hallwatch knows {newest}")
    if number < newest:
        raise StoreError(
            "store_older",
            f"the database has schema {number}, this Hallwatch writes {newest}: back it up with the release that "
            "made it, or start this release on it first",
        )
    return number


def _heads() -> Iterator[TableHead]:
    for name in sorted(schema.metadata.tables.keys() - OWN):
        columns = schema.metadata.tables[name].columns
        blobs = tuple(str(one.name) for one in columns if isinstance(one.type, LargeBinary))
        yield TableHead(str(name), tuple(str(one.name) for one in columns), blobs)


def _write(connection: Connection, head: Head, file: IO[bytes]) -> tuple[Sum, ...]:
    first = encode(head)
    whole = hashlib.sha256(first)
    file.write(first + b"\n")
    sums = []
    for table in head.tables:
        digest, count = hashlib.sha256(), 0
        for line in lines_of(connection, schema.metadata.tables[table.name], table):
            file.write(line)
            digest.update(line)
            count += 1
        sums.append(Sum(table.name, count, digest.hexdigest()))
        last = encode(sums[-1])
        whole.update(last)
        file.write(last + b"\n")
    file.write(encode(End(whole.hexdigest())) + b"\n")
    return tuple(sums)


def lines_of(connection: Connection, table: Table, head: TableHead) -> Iterator[bytes]:
    """A table's rows as the file's lines, in the order of their key, the same from every database."""
    # By code point everywhere: left alone, a database sorts text as its country does.
    order = "C" if connection.dialect.name == "postgresql" else "BINARY"
    keys = [one.collate(order) if isinstance(one.type, String) else one for one in table.primary_key]
    query = select(*(table.c[name] for name in head.columns)).order_by(*keys)
    for row in connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield encode(tuple(row)) + b"\n"


@contextmanager
def _new_file(place: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone that is there in full or not at all."""
    part = place.with_name(place.name + ".part")
    if place.exists():
        raise StoreError("backup_file", f"{place} is there already")
    try:
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError("backup_file", f"{part}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as plain:
            with gzip.GzipFile(place.name, "wb", compresslevel=6, fileobj=plain) as packed:
                yield cast("IO[bytes]", packed)
            plain.flush()
            os.fsync(plain.fileno())
        part.rename(place)
    except OSError as error:
        raise StoreError("backup_file", f"{place}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
