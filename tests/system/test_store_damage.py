"""The store's files are damaged while the gateway is down: it starts, and says what is lost, and never looks normal."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.load import Load
from tests.system.small_site import Parts, small_site

PATIENCE_S = 15.0


@asynccontextmanager
async def killed(folder: Path, mosquitto: Mosquitto) -> AsyncIterator[Hallwatch]:
    """A gateway that was killed with a fire alarm open; started again by the test, ended afterwards."""
    gateway = Hallwatch(folder, small_site(Parts(mosquitto.port)))
    await asyncio.to_thread(gateway.start)
    try:
        await gateway.linked()
        load = Load(mosquitto.port, 7)
        await load.run(100, fires=(10,))
        await stored(gateway, 101)
        gateway.kill()
        yield gateway
    finally:
        await asyncio.to_thread(gateway.stop)


async def stored(gateway: Hallwatch, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await gateway.get("/api/v1/status"))["halls"][0]["account"]["stored"] < count:
            await asyncio.sleep(0.1)


async def open_alarm(gateway: Hallwatch, kind: str, detail: str) -> dict[str, Any]:
    """An open alarm that says something; waits for it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            alarms: list[dict[str, Any]] = (await gateway.get("/api/v1/alarms?open=1"))["items"]
            for one in alarms:
                if one["kind"] == kind and one["detail"].startswith(detail):
                    return one
            await asyncio.sleep(0.1)


async def works(gateway: Hallwatch, mosquitto: Mosquitto) -> None:
    """What comes after the damage is stored."""
    await gateway.linked()
    before = (await gateway.get("/api/v1/status"))["halls"][0]["account"]["stored"]
    load = Load(mosquitto.port, 8, boot=2)
    await load.run(20)
    await stored(gateway, before + 20)


async def test_the_end_of_the_journal_is_cut_off(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with killed(tmp_path / "gateway", mosquitto) as gateway:
        cut(Path(f"{gateway.store}-wal"), 3 / 4)
        await asyncio.to_thread(gateway.start)
        alarm = await open_alarm(gateway, "gateway", "store_lost")
        assert alarm["priority"] == "high"
        assert alarm["active"]
        await works(gateway, mosquitto)
    assert count(gateway.store, f"SELECT count(*) FROM messages WHERE about = '{alarm['id']}'"), "people are told"
    assert count(gateway.store, "SELECT count(*) FROM gaps WHERE name = 'store_lost' AND dropped > 0") == 1


async def test_an_id_that_was_lost_is_not_given_again(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with killed(tmp_path / "gateway", mosquitto) as gateway:
        before = given(gateway.store)
        remove(gateway.store, "-wal")
        await asyncio.to_thread(gateway.start)
        await open_alarm(gateway, "gateway", "store_lost")
        await asyncio.to_thread(
            mosquitto.publish, "hallwatch/v1/main/safety/smoke-2/fire", '{"value": {"alarm": true}}'
        )
        await open_alarm(gateway, "fire", "")
    assert before > 0
    low = count(gateway.store, "SELECT min(CAST(substr(id, 2) AS INTEGER)) FROM messages")
    assert low > before


async def test_a_turned_bit_in_the_journal_is_seen(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with killed(tmp_path / "gateway", mosquitto) as gateway:
        with contextlib.closing(sqlite3.connect(gateway.store, isolation_level=None)) as store:
            store.execute("DELETE FROM snapshots")
            index, blob = store.execute(
                'SELECT "index", blob FROM journal ORDER BY "index" LIMIT 1 OFFSET 3'
            ).fetchone()
            turned = bytearray(blob)
            turned[len(turned) // 2] ^= 1
            store.execute('UPDATE journal SET blob = ? WHERE "index" = ?', (bytes(turned), index))
        await asyncio.to_thread(gateway.start)
        await open_alarm(gateway, "gateway", "store_lost")
        await open_alarm(gateway, "fire", "")
        await works(gateway, mosquitto)


async def test_a_database_that_is_broken_is_set_aside_and_what_can_be_read_is_carried_over(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with killed(tmp_path / "gateway", mosquitto) as gateway:
        await asyncio.to_thread(gateway.start)
        await asyncio.to_thread(gateway.stop)  # in order, so that all stands in the one file
        cut(gateway.store, 0.9)
        await asyncio.to_thread(gateway.start)
        alarm = await open_alarm(gateway, "gateway", "store_damaged")
        assert alarm["priority"] == "high"
        await open_alarm(gateway, "fire", "")
        assert [one for one in gateway.data.iterdir() if ".damaged-" in one.name]
        await works(gateway, mosquitto)


async def test_a_database_that_is_gone_or_rubbish_is_never_an_empty_hall_that_looks_normal(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with killed(tmp_path / "gateway", mosquitto) as gateway:
        remove(gateway.store, "-wal", "-shm")
        gateway.store.write_bytes(b"rubbish" * 10_000)
        await asyncio.to_thread(gateway.start)
        await open_alarm(gateway, "gateway", "store_damaged")
        await open_alarm(gateway, "gateway", "store_lost")
        await works(gateway, mosquitto)
        gateway.kill()
        remove(gateway.store, "", "-wal", "-shm")
        await asyncio.to_thread(gateway.start)
        await open_alarm(gateway, "gateway", "store_lost")
        await works(gateway, mosquitto)


def cut(file: Path, share: float) -> None:
    """Take the end of a file away."""
    with file.open("r+b") as opened:
        opened.truncate(int(file.stat().st_size * share) // 4096 * 4096)


def remove(store: Path, *suffixes: str) -> None:
    for suffix in suffixes:
        Path(f"{store}{suffix}").unlink(missing_ok=True)


def count(store: Path, query: str) -> int:
    with contextlib.closing(sqlite3.connect(store)) as connection:
        found = connection.execute(query).fetchone()[0]
    return int(found or 0)


def given(store: Path) -> int:
    """The number of the last message, as the witness beside the database has it."""
    return int(json.loads(Path(f"{store}.end-main").read_text(encoding="utf-8"))["counters"]["M"])
