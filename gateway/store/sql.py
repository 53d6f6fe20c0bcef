"""Opens the operations store: one writer thread, one reader thread, and the rooms of the store over them.

SQLite is the default; the same schema and statements serve PostgreSQL by its URL (`engines.py`).
"""

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection

from gateway.store.accounts import Accounts
from gateway.store.audit import Audit
from gateway.store.budget import Budget
from gateway.store.checkpoint import checkpointing
from gateway.store.cursors import Cursors
from gateway.store.engines import make_engine, store_url
from gateway.store.errors import StoreError
from gateway.store.journal import SqlJournal
from gateway.store.lease import Lease
from gateway.store.mend import carry_over, examine, set_aside
from gateway.store.migrate import migrate
from gateway.store.past import Past
from gateway.store.quarantine import Quarantine
from gateway.store.records import Records
from gateway.store.sites import Sites
from gateway.store.tokens import Tokens
from gateway.store.witness import Witnesses
from gateway.store.worker import Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Store:
    """The rooms of the store. `journal` is what the pipeline writes; the others serve the page and the shippers.

    `writer` and `reader` are for the readings table, which lives in the same database. `damage`: what was wrong with
    the file at this start, and where it was set aside.
    """

    journal: SqlJournal
    records: Records
    past: Past
    quarantine: Quarantine
    accounts: Accounts
    tokens: Tokens
    audit: Audit
    cursors: Cursors
    budget: Budget
    sites: Sites
    writer: Worker
    reader: Worker
    damage: str = ""


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path.absolute()}"


@asynccontextmanager
async def open_store(url: str, halls: Sequence[str] = ()) -> AsyncIterator[Store]:
    """Open the store at `url` to write these halls, bring its schema to this release, and close it in order.

    With no halls named nobody else may write anything in it. Raises `StoreError`: `store_busy` when another process
    has the file or a hall, `store_newer` for a newer schema, `store_address` for a URL that is none of ours.
    """
    place = store_url(url)
    async with AsyncExitStack() as stack:
        file = Path(place.database) if place.database is not None and place.get_backend_name() == "sqlite" else None
        aside = None
        if file is not None:
            stack.enter_context(alone(file))
            aside = await asyncio.to_thread(_set_aside, file)
        writer = await _writer(stack, place, halls)
        if aside is not None:
            await writer.run(lambda connection: carry_over(aside, connection))
        witnesses = Witnesses(file)
        stack.callback(witnesses.close)
        reader = Worker(make_engine(place, writing=False), "reader")
        stack.push_async_callback(reader.close)
        if file is not None:
            stack.enter_context(checkpointing(file))
        yield Store(
            journal=SqlJournal(writer, reader, witnesses),
            records=Records(writer, reader),
            past=Past(reader),
            quarantine=Quarantine(writer, reader),
            accounts=Accounts(writer, reader),
            tokens=Tokens(writer, reader),
            audit=Audit(writer, reader),
            cursors=Cursors(writer, reader),
            budget=Budget(writer, reader),
            sites=Sites(writer, reader),
            writer=writer,
            reader=reader,
            damage="" if aside is None else aside.name,
        )


def _set_aside(file: Path) -> Path | None:
    wrong = examine(file)
    if not wrong:
        return None
    aside = set_aside(file, time.time_ns() // 1_000_000)
    log.error("%s: %s. It stands as %s now; what can be read of it is carried over", file, wrong, aside.name)
    return aside


async def _writer(stack: AsyncExitStack, place: URL, halls: Sequence[str]) -> Worker:
    engine = make_engine(place, writing=True)
    lease = Lease(halls) if engine.dialect.name == "postgresql" else None
    if lease is not None:
        lease.guard(engine)
    writer = Worker(engine, "writer")
    stack.push_async_callback(writer.close)
    now = time.time_ns() // 1_000_000

    def begin(connection: Connection) -> None:
        migrate(connection, now)
        if lease is not None:
            lease.enter(connection, now)

    await writer.prepare(begin)
    return writer


@contextmanager
def alone(path: Path) -> Iterator[None]:
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
