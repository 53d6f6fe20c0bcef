"""A backup of a store that is being written, into either kind of store, row by row; a damaged one into none."""

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.store.audit import Audited
from gateway.store.backup import OWN, write_backup
from gateway.store.contract import Settled
from gateway.store.errors import StoreError
from gateway.store.restore import read_backup, restore_backup
from gateway.store.sql import open_store, sqlite_url
from gateway.store.tokens import Token
from tests.gateway.store.build import HALL, alarm, batch, changes, quarantined
from tests.gateway.store.conftest import BOTH
from tests.gateway.store.test_releases import HALL as OLD_HALL
from tests.gateway.store.test_releases import Rows, load, rows
from tests.servers.fixtures import DatabaseMaker

Place = Callable[[str], str]


@pytest.fixture
def place(tmp_path: Path, make_postgres: DatabaseMaker) -> Place:
    """Makes an empty place for a store of a kind."""
    made = 0

    def make(kind: str) -> str:
        nonlocal made
        made += 1
        return sqlite_url(tmp_path / f"store-{made}.db") if kind == "sqlite" else make_postgres().url

    return make


def halls_own(url: str) -> Rows:
    """Every row that a backup is to hold."""
    return {name: found for name, found in rows(url).items() if name not in OWN}


@pytest.mark.parametrize("to", BOTH)
async def test_a_store_is_moved_row_by_row(url: str, to: str, place: Place, tmp_path: Path) -> None:
    load(url, 1)
    async with open_store(url) as store:
        held = (await store.quarantine.page(OLD_HALL))[0]
        assert await store.quarantine.discard(OLD_HALL, Settled(held.id, "wang", 7))
        await store.tokens.add(Token("t1", "0" * 64, "grafana", "viewer", 5, "wang", expires=9))
        await store.audit.add(Audited(5, "wang", "127.0.0.1", "token.add", "grafana viewer", "done"))
    file, other = tmp_path / "hall.backup", place(to)
    sums = write_backup(url, file, 5)
    assert file.stat().st_mode & 0o777 == 0o600
    backup = restore_backup(other, file, 6)
    assert (backup.sums, backup.head.made) == (sums, 5)
    wanted = halls_own(url)
    filled = {name for name, found in wanted.items() if found}
    assert {
        "journal",
        "alarms",
        "snapshots",
        "quarantine",
        "readings",
        "users",
        "sessions",
        "tokens",
        "audit",
        "meta",
    } <= filled
    assert halls_own(other) == wanted
    # And the store goes on counting behind what it was given.
    async with open_store(other) as store:
        end = await store.journal.end(OLD_HALL)
        more = changes(alarm("A900", "fire/other", hall=OLD_HALL))
        await store.journal.commit(batch(end, hall=OLD_HALL, changes=more, quarantined=(quarantined(1),)))
        await store.audit.add(Audited(6, "wang", "", "restore", "", "done"))
        assert [line.at for _, line in await store.audit.page()] == [6, 5]
        assert await store.tokens.valid("0" * 64, 8) is not None
        newest = (await store.quarantine.page(HALL))[0]
        assert newest.id > max(int(str(row[0])) for row in wanted["quarantine"])


async def test_a_backup_beside_a_writer_is_one_moment(url: str, place: Place, tmp_path: Path) -> None:
    file, other = tmp_path / "hall.backup", place("sqlite")
    async with open_store(url) as store:
        done = asyncio.Event()

        async def write() -> None:
            index = 0
            while not done.is_set():
                made = changes(alarm(f"A{index}", f"fire/{index}", raised=index))
                made.counters["A"] = index
                await store.journal.commit(batch(index, 4, changes=made))
                index += 4

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            while await store.journal.end(HALL) < 40:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(write_backup, url, file, 5)
            done.set()
        last = await store.journal.end(HALL)
    restore_backup(other, file, 6)
    async with open_store(other) as store:
        end = await store.journal.end(HALL)
        assert 40 <= end <= last
        book = await store.journal.book(HALL)
        assert sorted(one.raised for one in book.alarms.values()) == list(range(0, end, 4))
        assert book.counters == {"A": end - 4}


async def test_a_damaged_file_is_refused_and_touches_nothing(sqlite_only: str, place: Place, tmp_path: Path) -> None:
    async with open_store(sqlite_only) as store:
        await store.journal.commit(batch(0, changes=changes(alarm("A1"))))
    file, damaged = tmp_path / "hall.backup", tmp_path / "damaged"
    write_backup(sqlite_only, file, 5)
    whole, plain = file.read_bytes(), gzip.decompress(file.read_bytes())
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    lines = plain.splitlines(keepends=True)
    forged = plain.replace(b"fire/d1", b"fire/d2")
    assert forged != plain
    bodies = [
        b"",
        b"no backup",
        bytes(flipped),
        whole[:-20],
        gzip.compress(plain[: len(plain) // 2]),
        gzip.compress(b"".join(lines[:-1])),
        gzip.compress(forged),
        gzip.compress(plain + b"[]\n"),
        gzip.compress(b"".join(line for line in lines if not line.startswith(b"["))),
    ]
    other = place("sqlite")
    for body in bodies:
        damaged.write_bytes(body)
        with pytest.raises(StoreError, match=str(damaged)) as caught:
            restore_backup(other, damaged, 6)
        assert caught.value.code == "backup_damaged"
        assert not caught.value.transient
    assert rows(other) == {}


async def test_a_newer_backup_is_refused(sqlite_only: str, place: Place, tmp_path: Path) -> None:
    async with open_store(sqlite_only):
        pass
    file = tmp_path / "hall.backup"
    write_backup(sqlite_only, file, 5)
    first, _, rest = gzip.decompress(file.read_bytes()).partition(b"\n")
    file.write_bytes(gzip.compress(json.dumps(json.loads(first) | {"schema": 99}).encode() + b"\n" + rest))
    with pytest.raises(StoreError, match="newer release"):
        restore_backup(place("sqlite"), file, 6)


async def test_only_an_empty_store_that_nobody_uses_is_filled(url: str, place: Place, tmp_path: Path) -> None:
    file = tmp_path / "hall.backup"
    async with open_store(url) as store:
        await store.journal.commit(batch(0))
        write_backup(url, file, 5)
        with pytest.raises(StoreError, match="another Hallwatch"):
            restore_backup(url, file, 6)
    before = rows(url)
    with pytest.raises(StoreError, match="there are rows in journal"):
        restore_backup(url, file, 6)
    assert rows(url) == before
    with pytest.raises(StoreError, match="there already"):
        write_backup(url, file, 7)
    assert read_backup(file).head.made == 5


def test_the_last_releases_schema_is_backed_up_by_its_own_release(url: str, tmp_path: Path) -> None:
    load(url, 1)
    with pytest.raises(StoreError, match="schema 1") as caught:
        write_backup(url, tmp_path / "hall.backup", 5)
    assert caught.value.code == "store_older"
    assert list(tmp_path.glob("hall.backup*")) == []
