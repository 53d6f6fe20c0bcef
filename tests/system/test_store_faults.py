"""The store fails under a running gateway: nothing is acknowledged falsely, the fire is told all the same, and marked;
the failure is told as well, and everything resumes by itself.
"""

import asyncio
import contextlib
import itertools
import json
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from gateway.store.sql import open_store, sqlite_url
from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.servers.disk import ext4, tmpfs
from tests.servers.mosquitto import Mosquitto
from tests.servers.postgres import Database
from tests.servers.proxy import proxied
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import HALL, read_kept
from tests.system.load import PREFIX, Load
from tests.system.small_site import Parts, small_site
from tests.system.witness import Witness

SECRET = {"TEST_HOOK_SECRET": "secret-of-the-test"}
PATIENCE_S = 60.0


@dataclass(slots=True)
class Scene:
    """A gateway with its load and the service that takes its messages."""

    gateway: Hallwatch
    service: FakeWebhook
    load: Load
    broker: Mosquitto
    promised: Callable[[], int]

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

    async def says(self, device: str, kind: str, value: dict[str, object]) -> None:
        """A device of life safety says something, once the broker has it."""
        numbers = self.load.sent.setdefault(device, [])
        body = {"device": device, "boot": 1, "seq": len(numbers) + 1, "value": value}
        await asyncio.to_thread(self.broker.publish, f"{PREFIX}/safety/{device}/{kind}", json.dumps(body))
        numbers.append(len(numbers) + 1)

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
    """On a SQLite file; what is promised is what stands in its journal."""
    async with fake_webhook() as service:
        gateway = Hallwatch(folder, small_site(Parts(mosquitto.port, webhook=service.url)), SECRET)
        scene = Scene(gateway, service, Load(mosquitto.port, 5), mosquitto, lambda: journal_end(gateway.store))
        async with begun(scene):
            yield scene


@asynccontextmanager
async def on_postgres(folder: Path, mosquitto: Mosquitto, database: Database) -> AsyncIterator[Scene]:
    """On PostgreSQL; what is promised is what a witness on the wire saw acknowledged."""
    witness = Witness()
    async with fake_webhook() as service, proxied(mosquitto.port, mqtt=True) as proxy:
        proxy.up.meddle, proxy.down.meddle = witness.up, witness.down
        site = small_site(Parts(proxy.port, webhook=service.url))
        gateway = Hallwatch(folder, site, SECRET | {"HALLWATCH_STORE": database.url})
        scene = Scene(gateway, service, Load(mosquitto.port, 5), mosquitto, lambda: len(witness.acknowledged))
        async with begun(scene):

            async def is_acknowledged() -> bool:
                return scene.promised() == 60

            await until(is_acknowledged)
            yield scene


@asynccontextmanager
async def begun(scene: Scene) -> AsyncIterator[None]:
    """The gateway runs, and has stored a little."""
    gateway = scene.gateway
    await asyncio.to_thread(gateway.start)
    try:
        await gateway.linked()
        await scene.load.run(60)
        await scene.drained()
        yield
    finally:
        await asyncio.to_thread(gateway.stop)


async def during(scene: Scene, lasts_s: float, code: str) -> None:
    """While the store takes nothing: no acknowledgement, the fire and the failure itself are told, and it is shown."""
    began = time.monotonic()
    before = scene.promised()
    await scene.load.run(40)
    await scene.says("smoke-1", "fire", {"alarm": True})
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
    assert scene.promised() == before, "acknowledged and not stored"


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
    await scene.says("help-1", "button", {"action": "help"})

    async def help_is_told() -> bool:
        return bool(scene.told("求助"))

    await until(help_is_told)
    assert not any(json.loads(one.body)["unwritten"] for one in scene.service.received)


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


async def rows_of(place: Path | str) -> dict[str, tuple[str, str]]:
    """By the id of each message to the service: its state, and what is said of it."""
    async with open_store(sqlite_url(place) if isinstance(place, Path) else place) as store:
        messages = await store.records.messages(HALL, limit=10_000)
    return {one.id: (one.state.value, one.error) for one in messages if one.channel == "hook"}


async def check_kept(scene: Scene, store: Path | str, unwritten: list[dict[str, Any]]) -> None:
    check_messages(await rows_of(store), unwritten)
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


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Somebody's session holds the journal's table: an upkeep that was forgotten."""
    with database.connect() as other, other.transaction():
        other.execute("LOCK TABLE journal")
        yield


@contextmanager
def paused(database: Database) -> Iterator[None]:
    """The server keeps its connections and answers nothing."""
    database.server.pause()
    try:
        yield
    finally:
        database.server.resume()


@contextmanager
def read_only(database: Database) -> Iterator[None]:
    """What a hosted server becomes when its disk runs full, and what a standby is until it is promoted."""
    with database.connect() as other:
        name = sql.Identifier(database.name)
        other.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        other.execute(f"SELECT pg_terminate_backend(pid) {others}")
        yield
        # Nobody ends the gateway's sessions for it, and those that are there stay read-only.
        other.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))


@contextmanager
def full(database: Database) -> Iterator[None]:
    """The journal lies on a disk of the server's on which not one more row finds a place."""
    folder = database.server.folder / "small"
    with tmpfs(folder, 4) as disk, database.connect() as other:
        database.server.own(folder)
        other.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(str(folder)))
        other.execute("ALTER TABLE journal SET TABLESPACE small")
        disk.fill()
        _fill_pages(other)
        yield
        disk.free()
        other.execute("ALTER TABLE journal SET TABLESPACE pg_default")
        other.execute("DROP TABLESPACE small")


def _fill_pages(other: psycopg.Connection) -> None:
    """Fill what is free in the pages that the journal has already: on a full disk it grows by no other."""
    row = """INSERT INTO journal (hall, "index", count, at, blob) VALUES ('filler', %s, 1, 0, '')"""
    with contextlib.suppress(psycopg.errors.DiskFull):
        for number in itertools.count():
            other.execute(row, (number,))


@pytest.mark.parametrize(
    ("fault", "code"),
    [(held, "存储被占用"), (paused, "存储无应答"), (read_only, "存储写入失败"), (full, "磁盘已满")],
)
async def test_postgresql_is_locked_hangs_is_read_only_or_full(
    fault: Callable[[Database], AbstractContextManager[None]],
    code: str,
    tmp_path: Path,
    mosquitto: Mosquitto,
    postgres: Database,
) -> None:
    async with on_postgres(tmp_path / "gateway", mosquitto, postgres) as scene:
        with fault(postgres):
            await during(scene, 0, code)
            unwritten = scene.told("尚未入库")
            assert unwritten
        await afterwards(scene)
    await check_kept(scene, postgres.url, unwritten)
