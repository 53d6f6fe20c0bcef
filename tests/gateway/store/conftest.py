"""A store of its own for each test, on a real file and on a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.sql import Store, open_store, sqlite_url
from tests.servers.postgres import Database

BOTH = ("sqlite", "postgresql")


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the store is; a test that opens it a second time sees what a restart sees."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "hallwatch.db")
    database: Database = request.getfixturevalue("postgres")
    return database.url


@pytest.fixture
def sqlite_only(tmp_path: Path) -> str:
    """A SQLite file, for what only such a file can do."""
    return sqlite_url(tmp_path / "hallwatch.db")


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open store."""
    async with open_store(url) as opened:
        yield opened
