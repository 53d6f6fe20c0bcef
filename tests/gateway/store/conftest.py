"""A store of its own for each test, on a real file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.sql import Store, open_store, sqlite_url


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the store's file is; a test that opens it a second time sees what a restart sees."""
    return sqlite_url(tmp_path / "hallwatch.db")


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open store."""
    async with open_store(url) as opened:
        yield opened
