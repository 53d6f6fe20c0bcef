"""What a transaction waits for: the disk where it must, and nothing where it can be made again."""

import asyncio
import contextlib

import pytest
from sqlalchemy import Connection, insert, select

from gateway.store import schema
from gateway.store.errors import StoreError
from gateway.store.sql import Store, open_store
from tests.servers.postgres import Database

FLUSHED = {"sqlite": "2", "postgresql": "on"}
# A server of its own may fall while we live, and what we wrote then is not made again.
UNFLUSHED = {"sqlite": "1", "postgresql": "on"}


def waits(connection: Connection) -> str:
    """What the database says of how this transaction will be kept (SQLite: 2 is FULL, 1 NORMAL)."""
    sqlite = connection.dialect.name == "sqlite"
    return str(connection.exec_driver_sql("PRAGMA synchronous" if sqlite else "SHOW synchronous_commit").scalar())


async def test_only_what_can_be_made_again_does_not_wait_for_the_disk(store: Store) -> None:
    name = store.writer.dialect.name
    assert await store.writer.run(waits) == FLUSHED[name]
    assert await store.writer.run_behind(waits) == UNFLUSHED[name]
    assert await store.writer.run(waits) == FLUSHED[name]


async def test_a_failure_in_what_does_not_wait_leaves_the_next_transaction_waiting(store: Store) -> None:
    for statement in ("SELECT no_such_column FROM cursors", "no SQL at all"):
        with pytest.raises(StoreError):
            await store.writer.run_behind(lambda connection, sql=statement: connection.exec_driver_sql(sql))  # type: ignore[misc]
        assert await store.writer.run(waits) == FLUSHED[store.writer.dialect.name]


async def test_what_did_not_wait_is_there_after_an_orderly_end(url: str) -> None:
    c = schema.cursors.c
    async with open_store(url) as store:
        row = insert(schema.cursors).values(hall="main", name="influxdb", index=7)
        await store.writer.run_behind(lambda connection: connection.execute(row))
    async with open_store(url) as again:
        asked = select(c.index).where(c.hall == "main")
        assert await again.reader.run(lambda connection: connection.scalar(asked)) == 7


async def test_a_server_that_falls_while_we_live_keeps_what_it_took(postgres: Database) -> None:
    """Whoever wrote it goes on from where it was, and would not make it again."""
    c = schema.cursors.c
    row = insert(schema.cursors).values(hall="main", name="influxdb", index=7)
    async with open_store(postgres.url) as store:
        await store.writer.run_behind(lambda connection: connection.execute(row))
        await asyncio.to_thread(postgres.server.kill)
        await asyncio.to_thread(postgres.server.start)
        asked = select(c.index).where(c.hall == "main")
        with contextlib.suppress(StoreError):
            await store.reader.run(lambda connection: connection.scalar(asked))
        assert await store.reader.run(lambda connection: connection.scalar(asked)) == 7
