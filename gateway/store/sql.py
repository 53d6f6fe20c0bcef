"""Opens the operations store: one writer thread, one reader thread, and the rooms of the store over them.

SQLite (WAL, every commit on the disk before it returns) is the default; the same schema and statements serve
PostgreSQL by its URL.
"""

import fcntl
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

from gateway.store.accounts import Accounts
from gateway.store.budget import Budget
from gateway.store.cursors import Cursors
from gateway.store.errors import StoreError
from gateway.store.journal import SqlJournal
from gateway.store.migrate import migrate
from gateway.store.quarantine import Quarantine
from gateway.store.records import Records
from gateway.store.sites import Sites
from gateway.store.worker import Worker

# Longer than any transaction of ours; only a stranger's hold on the file makes us wait so long.
BUSY_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Store:
    """The rooms of the store. `journal` is what the pipeline writes; the others serve the page and the shippers.

    `writer` and `reader` are for the readings table, which lives in the same database.
    """

    journal: SqlJournal
    records: Records
    quarantine: Quarantine
    accounts: Accounts
    cursors: Cursors
    budget: Budget
    sites: Sites
    writer: Worker
    reader: Worker


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path.absolute()}"


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Open the store at `url`, bring its schema to this release, and close it in order.

    Raises `StoreError`: `store_busy` when another process has the file, `store_newer` for a newer schema.
    """
    async with AsyncExitStack() as stack:
        place = make_url(url).database if url.startswith("sqlite") else None
        if place is not None:
            stack.enter_context(_alone(Path(place)))
        writer = Worker(make_engine(url, writing=True), "writer")
        stack.push_async_callback(writer.close)
        await writer.prepare(lambda connection: migrate(connection, time.time_ns() // 1_000_000))
        reader = Worker(make_engine(url, writing=False), "reader")
        stack.push_async_callback(reader.close)
        yield Store(
            journal=SqlJournal(writer, reader),
            records=Records(writer, reader),
            quarantine=Quarantine(writer, reader),
            accounts=Accounts(writer, reader),
            cursors=Cursors(writer, reader),
            budget=Budget(writer, reader),
            sites=Sites(writer, reader),
            writer=writer,
            reader=reader,
        )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a SQLite file for this process: a second gateway on it would fold the same journal beside us.

    The file holds names and password hashes, so nobody but its owner may read it. The kernel lets the lock go
    when the process ends, however it ends.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        handle = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError("store_failed", f"cannot open {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError("store_busy", f"another Hallwatch is using {path}") from error
        yield
    finally:
        os.close(handle)


def make_engine(url: str, *, writing: bool) -> Engine:
    """An engine whose connections are set up as this store needs them; a reader's refuse to write."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        _settle(engine, writing=writing)
    return engine


def _settle(engine: Engine, *, writing: bool) -> None:
    """Set up each SQLite connection; transactions begin by our own word, so that a writer never upgrades a lock."""

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            *(() if writing else ("query_only = ON",)),
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
