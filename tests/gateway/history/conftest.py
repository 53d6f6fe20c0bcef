"""Both histories, on real parts, behind one fixture."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from gateway.history.contract import HistoryQuery, HistorySink
from gateway.history.readings import ReadingsHistory, ReadingsSink
from gateway.influx.query import InfluxHistory
from gateway.influx.ship import open_sink
from gateway.store.sql import Store, open_store, sqlite_url
from tests.servers.influx import InfluxBucket
from tests.servers.postgres import Database


@dataclass(frozen=True, slots=True)
class History:
    """Where points go and where questions are asked."""

    name: str
    sink: HistorySink
    query: HistoryQuery


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An operations store on a file."""
    async with open_store(sqlite_url(tmp_path / "hallwatch.db")) as opened:
        yield opened


@pytest.fixture(params=["readings", "readings on PostgreSQL", "influx"])
async def history(request: pytest.FixtureRequest) -> AsyncIterator[History]:
    """Each of the histories in turn."""
    async with AsyncExitStack() as stack:
        if request.param != "influx":
            folder: Path = request.getfixturevalue("tmp_path")
            url = sqlite_url(folder / "history.db")
            if request.param != "readings":
                database: Database = request.getfixturevalue("postgres")
                url = database.url
            store = await stack.enter_async_context(open_store(url))
            yield History("readings", ReadingsSink(store.writer), ReadingsHistory(store.reader))
        else:
            bucket: InfluxBucket = request.getfixturevalue("influx_bucket")
            sink = await stack.enter_async_context(open_sink(bucket.url, bucket.org, bucket.name, bucket.token))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            yield History("influx", sink, InfluxHistory(session, bucket.url, bucket.name, bucket.token))
