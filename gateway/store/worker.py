"""One thread with one connection to the database, and the door to it from the event loop.

The writer is one such worker, the reader another: a slow question about history never stands before a commit.
Each call is one hop and one transaction. A call that is cancelled is still carried out to its end.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection, Dialect, Engine, UpdateBase
from sqlalchemy.exc import SQLAlchemyError

from gateway.store.engines import unflushed
from gateway.store.errors import TRANSLATED, store_error

T = TypeVar("T")


class Worker:
    """A thread, its connection, and transactions on it in the order in which they were asked for."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"store-{name}")
        self._connection: Connection | None = None

    @property
    def dialect(self) -> Dialect:
        """The database's dialect, for statements that are compiled once."""
        return self._engine.dialect

    async def run(self, job: Callable[[Connection], T], after: Callable[[], None] | None = None) -> T:
        """Do `job` in a transaction, and `after` once it is kept; raises `StoreError`, and then nothing is kept."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._transaction, job, after)

    async def run_behind(self, job: Callable[[Connection], T]) -> T:
        """Do `job` in a transaction that need not wait for the disk (`unflushed`): the next of `run` flushes it too.

        A power cut before that undoes it, though never without all that came after it. For what is made of the journal
        and is made of it again at the next start.
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._unflushed, job)

    async def execute(self, statement: UpdateBase) -> int:
        """Run one statement that writes; the number of rows it touched."""
        return await self.run(lambda connection: connection.execute(statement).rowcount)

    async def prepare(self, job: Callable[[Connection], T]) -> T:
        """Do `job` outside a transaction (migrations make their own)."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._guarded, job)

    async def close(self) -> None:
        """Finish what was asked for, then close connection and thread."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._drop)
        self._pool.shutdown()
        self._engine.dispose()

    def _transaction(self, job: Callable[[Connection], T], after: Callable[[], None] | None) -> T:
        def inside(connection: Connection) -> T:
            with connection.begin():
                return job(connection)

        result = self._guarded(inside)
        if after is not None:
            after()
        return result

    def _unflushed(self, job: Callable[[Connection], T]) -> T:
        def inside(connection: Connection) -> T:
            with unflushed(connection), connection.begin():
                return job(connection)

        return self._guarded(inside)

    def _guarded(self, job: Callable[[Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return job(self._connection)
        except TRANSLATED as error:
            failure = store_error(error)
            if failure.code == "store_failed":
                # What a failed connection still holds nobody knows: the next call begins with a new one.
                self._drop()
            raise failure from error

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()
