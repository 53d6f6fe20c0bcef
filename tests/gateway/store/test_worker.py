"""What a transaction waits for: the disk where it must, and nothing where it can be made again."""

from sqlalchemy import Connection, insert, select

from gateway.store import schema
from gateway.store.sql import Store, open_store

FLUSHED = {"sqlite": "2", "postgresql": "on"}
UNFLUSHED = {"sqlite": "1", "postgresql": "off"}


def waits(connection: Connection) -> str:
    """What the database says of how this transaction will be kept (SQLite: 2 is FULL, 1 NORMAL)."""
    sqlite = connection.dialect.name == "sqlite"
    return str(connection.exec_driver_sql("PRAGMA synchronous" if sqlite else "SHOW synchronous_commit").scalar())


async def test_only_what_can_be_made_again_does_not_wait_for_the_disk(store: Store) -> None:
    name = store.writer.dialect.name
    assert await store.writer.run(waits) == FLUSHED[name]
    assert await store.writer.run_behind(waits) == UNFLUSHED[name]
    assert await store.writer.run(waits) == FLUSHED[name]


async def test_what_did_not_wait_is_there_after_an_orderly_end(url: str) -> None:
    c = schema.cursors.c
    async with open_store(url) as store:
        row = insert(schema.cursors).values(hall="main", name="influxdb", index=7)
        await store.writer.run_behind(lambda connection: connection.execute(row))
    async with open_store(url) as again:
        asked = select(c.index).where(c.hall == "main")
        assert await again.reader.run(lambda connection: connection.scalar(asked)) == 7
