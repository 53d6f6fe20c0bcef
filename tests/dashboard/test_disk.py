"""People hear that the disk fills while there is still time, once, and that there is room again."""

import asyncio
from pathlib import Path

import pytest

from dashboard import disk
from dashboard.disk import AT_LEAST, AT_MOST, is_low, watch_disk

GIB = 2**30


@pytest.mark.parametrize(
    ("total", "limit"),
    [(20 * GIB, 2 * GIB), (2000 * GIB, AT_MOST), (GIB, AT_LEAST)],
    ids=["a tenth", "never more than five GiB", "never less than 256 MiB"],
)
def test_what_is_little(total: int, limit: int) -> None:
    assert is_low(total, limit - 1, was_low=False)
    assert not is_low(total, limit, was_low=False)
    # Enough again only with a fifth more: a disk at its limit tells nobody twice.
    assert is_low(total, limit, was_low=True)
    assert not is_low(total, limit * 12 // 10 + 1, was_low=True)


async def test_it_is_told_when_it_begins_and_when_it_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real disk, and what counts as little is set around what is free on it."""
    monkeypatch.setattr(disk, "EVERY_S", 0.01)
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watch_disk(tmp_path, heard.put_nowait))
        await asyncio.sleep(0.1)
        assert heard.empty()
        monkeypatch.setattr(disk, "AT_LEAST", 2**60)
        async with asyncio.timeout(30):
            low = await heard.get()
        assert low.startswith("disk_low ")
        assert low.endswith(" MiB")
        await asyncio.sleep(0.1)
        assert heard.empty(), "once"
        monkeypatch.setattr(disk, "AT_LEAST", 1)
        monkeypatch.setattr(disk, "AT_MOST", 1)
        async with asyncio.timeout(30):
            assert await heard.get() == ""
        watch.cancel()


async def test_what_a_start_before_has_told_is_taken_back_by_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "AT_LEAST", 1)
    monkeypatch.setattr(disk, "AT_MOST", 1)
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watch_disk(tmp_path, heard.put_nowait, low=True))
        async with asyncio.timeout(30):
            assert await heard.get() == ""
        watch.cancel()


async def test_a_folder_that_cannot_be_looked_at_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(disk, "EVERY_S", 0.01)
    monkeypatch.setattr(disk, "AT_LEAST", 2**60)
    folder = tmp_path / "away"
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watch_disk(folder, heard.put_nowait))
        async with asyncio.timeout(30):
            while "cannot look at the disk" not in caplog.text:
                await asyncio.sleep(0.01)
            folder.mkdir()
            assert await heard.get()
        watch.cancel()
