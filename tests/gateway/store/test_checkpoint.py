"""The write-ahead log is emptied beside the writer, who does it himself only where writing never rests."""

import asyncio
import time
from pathlib import Path

from sqlalchemy import text

from gateway.store import checkpoint
from gateway.store.sql import open_store, sqlite_url


async def test_the_log_is_moved_into_the_database_while_it_is_open(tmp_path: Path) -> None:
    file = tmp_path / "h.db"
    log = tmp_path / "h.db-wal"
    async with open_store(sqlite_url(file)) as store:
        await store.writer.run(lambda connection: connection.execute(text("CREATE TABLE filler (body BLOB)")))
        before = file.stat().st_size
        while log.stat().st_size <= checkpoint.LOG_BYTES:
            await store.writer.run(
                lambda connection: connection.execute(text("INSERT INTO filler VALUES (zeroblob(500000))"))
            )
        end = time.monotonic() + 30
        while file.stat().st_size < before + checkpoint.LOG_BYTES // 2 and time.monotonic() < end:
            await asyncio.sleep(0.05)
        assert file.stat().st_size >= before + checkpoint.LOG_BYTES // 2
        limit = await store.writer.run(
            lambda connection: connection.execute(text("PRAGMA wal_autocheckpoint")).scalar()
        )
        assert limit == checkpoint.PAGES_AT_MOST
