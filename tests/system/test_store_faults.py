"""The store fails under a running gateway: nothing is acknowledged falsely, the fire is told all the same, and marked;
the failure is told as well, and everything resumes by itself.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.servers.disk import ext4, tmpfs
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import read_kept
from tests.system.load import PREFIX, Load
from tests.system.small_site import Parts, small_site

FIRE = f"{PREFIX}/safety/smoke-1/fire"
SECRET = {"TEST_HOOK_SECRET": "secret-of-the-test"}
PATIENCE_S = 60.0


@dataclass(slots=True)
class Scene:
    """A gateway with its load and the service that takes its messages."""

    gateway: Hallwatch
    service: FakeWebhook
    load: Load
    broker: Mosquitto

    def told(self, what: str) -> list[dict[str, Any]]:
        """The messages that the service has received in whose text something stands."""
        bodies: list[dict[str, Any]] = [json.loads(one.body) for one in self.service.received]
        return [body for body in bodies if what in body["text"]]

    async def hall(self) -> dict[str, Any]:
        """What `hallwatch status` is told."""
        halls: list[dict[str, Any]] = (await self.gateway.get("/api/v1/status"))["halls"]
        return halls[0]

    async def stored(self) -> int:
        """Messages stored, as the account has them."""
        return int((await self.hall())["account"]["stored"])

    async def fire_is_told(self) -> bool:
        """Whether both people have been told of the fire."""
        return len(self.told("火灾应急预案")) >= 2

    async def drained(self) -> None:
        """Wait until all that the broker took from the load is stored."""
        expected = sum(len(numbers) for numbers in self.load.sent.values())
        await until(lambda: self._has_stored(expected))

    async def _has_stored(self, expected: int) -> bool:
        return await self.stored() >= expected


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await true():
            await asyncio.sleep(0.1)


@asynccontextmanager
async def on_stage(folder: Path, mosquitto: Mosquitto) -> AsyncIterator[Scene]:
    async with fake_webhook() as service:
        site = small_site(Parts(mosquitto.port, webhook=service.url))
        gateway = Hallwatch(folder, site, SECRET)
        await asyncio.to_thread(gateway.start)
        try:
            await gateway.linked()
            scene = Scene(gateway, service, Load(mosquitto.port, 5), mosquitto)
            await scene.load.run(60)
            await scene.drained()
            yield scene
        finally:
            await asyncio.to_thread(gateway.stop)


async def during(scene: Scene, lasts_s: float, code: str) -> None:
    """While the store takes nothing: no acknowledgement, the fire and the failure itself are told, and it is shown."""
    began = time.monotonic()
    before = journal_end(scene.gateway.store)
    await scene.load.run(40)
    numbers = scene.load.sent.setdefault("smoke-1", [])
    await asyncio.to_thread(
        scene.broker.publish,
        FIRE,
        json.dumps({"device": "smoke-1", "boot": 1, "seq": len(numbers) + 1, "value": {"alarm": True}}),
    )
    numbers.append(len(numbers) + 1)
    await until(scene.fire_is_told)
    assert all(body["unwritten"] and "尚未入库" in body["text"] for body in scene.told("火灾应急预案"))
    assert (await scene.hall())["stalled_since"] is not None

    async def store_is_told() -> bool:
        return bool(scene.told(code))

    await until(store_is_told)
    assert all(body["unwritten"] for body in scene.told(code))
    # The fire stands on the page though no row of it exists yet.
    assert (await scene.hall())["alarms"] >= 2
    while time.monotonic() - began < lasts_s:
        await asyncio.sleep(0.1)
        assert (await scene.hall())["stalled_since"] is not None
    assert journal_end(scene.gateway.store) == before


async def afterwards(scene: Scene) -> None:
    """Work resumes by itself, and the alarm of the store clears."""
    await scene.drained()

    async def is_well() -> bool:
        alarms = (await scene.gateway.get("/api/v1/alarms?open=1"))["items"]
        store = [one for one in alarms if one["kind"] == "gateway" and one["detail"].startswith("store_")]
        return bool(store) and not any(one["active"] for one in store) and (await scene.hall())["stalled_since"] is None

    await until(is_well)

    # Whatever leaves now is written first.
    scene.service.received.clear()

    async def told_again() -> bool:
        return bool(scene.told("火灾应急预案"))

    await until(told_again)
    assert not any(body["unwritten"] for body in scene.told("火灾应急预案"))


def check_messages(rows: dict[str, tuple[str, str]], bodies: list[dict[str, Any]]) -> None:
    """Each copy that left unwritten has its row, under its own id, and no second copy left unmarked."""
    for body in bodies:
        state, error = rows[body["id"]]
        assert (state, error) == ("sent", "unwritten"), body["id"]
    assert set(Counter(body["id"] for body in bodies).values()) <= {1}


def journal_end(store: Path) -> int:
    """How many inputs are written, read beside the gateway."""
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        end: int = connection.execute('SELECT max("index" + count) FROM journal').fetchone()[0]
    return end


def rows_of(store: Path) -> dict[str, tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT id, state, body FROM messages WHERE channel = 'hook'").fetchall()
    return {name: (state, json.loads(body)["error"]) for name, state, body in found}


async def check_kept(scene: Scene, store: Path, unwritten: list[dict[str, Any]]) -> None:
    check_messages(rows_of(store), unwritten)
    kept = await read_kept(store)
    for device, numbers in scene.load.sent.items():
        assert kept.sequences[device] == dict.fromkeys(numbers, 1), device
    fires = [alarm for alarm in kept.alarms if alarm.kind.value == "fire"]
    assert len(fires) == 1
    assert [event.what for event in kept.events if event.about == fires[0].id].count("alarm.raised") == 1
    assert not [event for event in kept.events if "device_silent" in event.what or event.detail.startswith("device_si")]
    assert kept.resumed == kept.from_empty


@contextmanager
def locked(store: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


async def test_the_database_is_locked_for_half_a_minute(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with on_stage(tmp_path / "gateway", mosquitto) as scene:
        with locked(scene.gateway.store):
            await during(scene, 30, "存储被占用")
            unwritten = scene.told("尚未入库")
            assert unwritten
        await afterwards(scene)
    await check_kept(scene, scene.gateway.store, unwritten)


async def test_the_disk_is_full(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with tmpfs(tmp_path / "gateway" / "data", 12) as disk:
        async with on_stage(tmp_path / "gateway", mosquitto) as scene:
            disk.fill()
            await during(scene, 0, "磁盘已满")
            unwritten = scene.told("尚未入库")
            assert unwritten
            disk.free()
            await afterwards(scene)
        await check_kept(scene, scene.gateway.store, unwritten)


async def test_the_store_becomes_read_only(tmp_path: Path, mosquitto: Mosquitto) -> None:
    files = ("hallwatch.db", "hallwatch.db-wal")
    with ext4(tmp_path / "gateway" / "data", 32) as disk:
        async with on_stage(tmp_path / "gateway", mosquitto) as scene:
            disk.forbid(*files)
            try:
                await during(scene, 0, "存储写入失败")
                unwritten = scene.told("尚未入库")
                assert unwritten
            finally:
                disk.allow(*files)
            await afterwards(scene)
        await check_kept(scene, scene.gateway.store, unwritten)


async def test_killed_while_the_disk_is_full_nothing_was_acknowledged_falsely(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with tmpfs(tmp_path / "gateway" / "data", 12) as disk:
        async with on_stage(tmp_path / "gateway", mosquitto) as scene:
            disk.fill()
            await during(scene, 0, "磁盘已满")
            scene.gateway.kill()
            scene.service.received.clear()
            # It starts on the full disk all the same, and the broker delivers the fire again.
            await asyncio.to_thread(scene.gateway.start)
            await until(scene.fire_is_told)
            assert all(body["unwritten"] for body in scene.told("火灾应急预案"))
            unwritten = scene.told("尚未入库")
            disk.free()
            await scene.drained()
        await check_kept(scene, scene.gateway.store, unwritten)
