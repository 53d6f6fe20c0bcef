"""Floods over a real broker into a real gateway: memory stays bounded, what is dropped is named, a fire is heard.

The limits of the site file are set low, so that each is met within seconds; the figures of memory are the process's.
"""

import asyncio
import base64
import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from sensors.inputs import Heard, Lane, unpack
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.memory import Memory, watched
from tests.system.small_site import Parts, small_site

log = logging.getLogger(__name__)

HALL = "hallwatch/v1/main"
FIRE = b'{"value":{"alarm":true}}'
PATIENCE_S = 60.0
# One process with everything loaded has some 85 MiB; each flood below would be hundreds if anything kept it.
GROWTH_MIB = 60.0
LIMITS = (
    "{rate_per_s: 20, burst: 200, unknown_devices: 50, topics: 500, quarantine_rows: 100, quarantine_mib: 1,"
    " unacknowledged_mib: 8, pages: 40, connections: 60, page_queue_kib: 64}"
)
Messages = Iterable[tuple[str, bytes]]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that does not write a flood to its disk at every change."""
    with Mosquitto(tmp_path / "broker", config="autosave_on_changes false") as broker:
        yield broker


@contextlib.asynccontextmanager
async def flooded(folder: Path, port: int, limits: str = LIMITS) -> AsyncIterator[tuple[Hallwatch, Memory]]:
    """A gateway whose memory is watched; the block must leave it within bounds, even, and alarming."""
    site = small_site(Parts(port, limits=limits, watch="{probe_s: 3600}"))
    with Hallwatch(folder / "gateway", site) as gateway:
        await gateway.linked()
        await flood(port, ((f"{HALL}/telemetry/warm/presence", b"{") for _ in range(20)))
        await heard(gateway, 20)
        async with watched(gateway.process.pid) as memory:
            base = memory.look()
            yield gateway, memory
        log.info("memory: %.0f MiB before, %.0f at the most, %.0f after", base, memory.peak, memory.samples[-1])
        assert memory.peak - base < GROWTH_MIB, (base, memory.peak)
        account = await gateway.account()
        assert account["received"] == sum(count for name, count in account.items() if name not in {"received", "gaps"})


async def flood(port: int, messages: Messages) -> int:
    """Publish at QoS 1 as fast as the broker takes it; returns how many."""
    sent = 0
    logging.getLogger("mqtt").setLevel(logging.ERROR)
    async with aiomqtt.Client("127.0.0.1", port, max_queued_outgoing_messages=0) as client:
        source = iter(messages)
        while some := [one for _, one in zip(range(40), source, strict=False)]:
            await asyncio.gather(*(client.publish(topic, body, 1, timeout=60) for topic, body in some))
            sent += len(some)
    return sent


async def heard(gateway: Hallwatch, count: int) -> dict[str, int]:
    """Wait until so many are in the account."""
    async with asyncio.timeout(PATIENCE_S):
        while (account := await gateway.account())["received"] < count:
            await asyncio.sleep(0.2)
    return account


async def reasons(gateway: Hallwatch) -> dict[str, int]:
    """What was not taken, by reason."""
    status = (await gateway.get("/api/v1/status"))["halls"][0]
    found: dict[str, int] = status["account"]["reasons"]
    return found


async def alarms(gateway: Hallwatch) -> list[dict[str, Any]]:
    """What is open."""
    items: list[dict[str, Any]] = (await gateway.get("/api/v1/alarms?limit=500"))["items"]
    return items


async def fires(gateway: Hallwatch, count: int) -> list[dict[str, Any]]:
    """Wait until so many fires are written down; the account is ahead of the rows by a commit."""
    async with asyncio.timeout(PATIENCE_S):
        while len(found := [one for one in await alarms(gateway) if one["kind"] == "fire"]) < count:
            await asyncio.sleep(0.2)
    assert len(found) == count, found
    return found


async def told(gateway: Hallwatch, detail: str) -> dict[str, Any]:
    """Wait until the gateway has raised a condition of its own; its one alarm."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := [one for one in await alarms(gateway) if one.get("detail") == detail]):
            await asyncio.sleep(0.2)
    assert len(found) == 1, found
    return found[0]


async def test_one_device_far_over_its_rate(tmp_path: Path, mosquitto: Mosquitto) -> None:
    body = b'{"value":{"present":true}}'
    async with flooded(tmp_path, mosquitto.port) as (gateway, _):
        sent = await flood(mosquitto.port, ((f"{HALL}/telemetry/desk-1/presence", body) for _ in range(5000)))
        account = await heard(gateway, 20 + sent)
        refused = (await reasons(gateway))["over_rate"]
        assert account["stored"] == sent - refused
        assert 200 <= account["stored"] < 200 + 20 * PATIENCE_S
        assert (await told(gateway, "over_rate"))["subject"] == "desk-1"
        devices = (await gateway.get("/api/v1/devices"))["items"]
        (desk,) = [one for one in devices if one["id"] == "desk-1"]
        assert (desk["refused"], desk["stored"]) == (refused, account["stored"])


async def test_many_devices_and_topics_that_nobody_knows(tmp_path: Path, mosquitto: Mosquitto) -> None:
    def strangers() -> Iterator[tuple[str, bytes]]:
        for number in range(4000):
            yield f"{HALL}/telemetry/device-{number}/presence", b'{"value":{"present":true}}'
            yield f"{HALL}/telemetry/desk-1/kind-{number}", b"{}"
        yield f"{HALL}/safety/device-4001/fire", FIRE

    async with flooded(tmp_path, mosquitto.port) as (gateway, _):
        sent = await flood(mosquitto.port, strangers())
        account = await heard(gateway, 20 + sent)
        counted = await reasons(gateway)
        assert account["awaiting"] == 50 + 1
        assert counted["too_many_unknown"] == 4000 - 50
        assert counted["kind_unknown"] + counted["over_rate"] + counted.get("quarantine_full", 0) == 4000
        assert (await told(gateway, "too_many_unknown"))["subject"] == "main"
        fires = [one for one in await alarms(gateway) if one["kind"] == "fire"]
        assert [(one["active"], one.get("verified", True)) for one in fires] == [(True, False)], (
            "a stranger's fire is looked at"
        )


async def test_devices_and_topics_are_counted_out_and_the_fires_among_them_are_heard(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """Well formed, and far below any device's rate: only how many there are is too much."""
    said = {"presence": b'{"value":{"present":true}}', "battery": b'{"value":{"low":true}}'}
    said |= {"contact": b'{"value":{"open":true}}', "equipment": b'{"value":{"state":"ok"}}'}

    def crowd() -> Iterator[tuple[str, bytes]]:
        for kind, body in said.items():
            for number in range(200):
                yield f"{HALL}/telemetry/device-{number}/{kind}", body
        yield f"{HALL}/safety/device-200/fire", FIRE
        yield f"{HALL}/safety/smoke-1/fire", FIRE

    limits = LIMITS.replace("topics: 500", "topics: 60, devices: 40").replace(
        "unknown_devices: 50", "unknown_devices: 90"
    )
    async with flooded(tmp_path, mosquitto.port, limits) as (gateway, _):
        sent = await flood(mosquitto.port, crowd())
        account = await heard(gateway, 20 + sent)
        counted = await reasons(gateway)
        listed = len((await gateway.get("/api/v1/devices"))["items"])
        assert listed == 40
        assert counted["too_many_topics"] == 29 * 4 - 60
        assert account["refused"] == counted["too_many_topics"] + counted["too_many_devices"]
        assert account["awaiting"] + account["refused"] == sent - 1
        for reason in ("too_many_topics", "too_many_devices"):
            assert (await told(gateway, reason))["subject"] == "main"
        burning = {one["subject"]: one.get("verified", True) for one in await fires(gateway, 2)}
        assert burning == {"smoke-1": True, "~unlisted": False}


async def test_fires_of_thousands_of_strangers_are_alarms_that_a_person_can_read(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    def burning() -> Iterator[tuple[str, bytes]]:
        for number in range(3000):
            yield f"{HALL}/safety/device-{number}/fire", FIRE if number % 2 else FIRE[:-1]
        yield f"{HALL}/safety/smoke-1/fire", FIRE

    async with flooded(tmp_path, mosquitto.port) as (gateway, _):
        sent = await flood(mosquitto.port, burning())
        account = await heard(gateway, 20 + sent)
        assert account["refused"] == 0
        assert (account["stored"], account["awaiting"], account["quarantined"] - 20) == (1, 1500, 1500)
        raised = await fires(gateway, 50 + 1 + 1)
        strangers = {one["subject"] for one in raised if not one.get("verified", True)}
        assert "~unlisted" in strangers, "50 are listed, the others are one alarm"
        assert [one["subject"] for one in raised if one.get("verified", True)] == ["smoke-1"]
        assert (await gateway.get("/api/v1/status"))["halls"][0]["runs"] == 1


async def test_life_safety_over_every_rate_is_all_taken(tmp_path: Path, mosquitto: Mosquitto) -> None:
    def safety() -> Iterator[tuple[str, bytes]]:
        for _ in range(2000):
            yield f"{HALL}/safety/smoke-1/fire", FIRE
            yield f"{HALL}/safety/help-1/button", b'{"value":{"action":"help"}}'

    async with flooded(tmp_path, mosquitto.port) as (gateway, _):
        sent = await flood(mosquitto.port, safety())
        account = await heard(gateway, 20 + sent)
        assert (account["stored"], account["refused"]) == (sent, 0)
        await fires(gateway, 1)
        assert sorted(one["kind"] for one in await alarms(gateway)) == ["fire", "help"]
        with sqlite3.connect(gateway.store) as store:
            ((messages,),) = store.execute("SELECT count(*) FROM messages")
        assert messages < 100, "and people are told of two alarms, not of 4000 messages"


async def test_long_messages_and_over_long_fires(tmp_path: Path, mosquitto: Mosquitto) -> None:
    def long() -> Iterator[tuple[str, bytes]]:
        for number in range(60):
            yield f"{HALL}/telemetry/desk-1/presence", bytes([number + 60]) * 3_000_000
            yield f"{HALL}/safety/smoke-1/fire", FIRE + bytes([number + 60]) * 1_000_000
        for number in range(300):
            yield "zigbee2mqtt/bridge/devices", b"[" * 100_000 + str(number).encode()

    async with flooded(tmp_path, mosquitto.port) as (gateway, _):
        sent = await flood(mosquitto.port, long())
        await heard(gateway, 20 + sent)
        with sqlite3.connect(gateway.store) as store:
            ((journal,),) = store.execute("SELECT sum(length(blob)) FROM journal")
            ((held,),) = store.execute("SELECT sum(length(payload)) FROM quarantine")
            rows = store.execute("SELECT length, digest FROM quarantine WHERE topic LIKE '%/fire'").fetchall()
        assert journal < 500_000, "what a damaged fire says, and not its megabytes"
        assert held < 2 * 2**20
        assert len(rows) == 60
        assert all(length > 1_000_000 and len(digest) == 64 for length, digest in rows)
        (fire,) = await fires(gateway, 1)
        assert (fire["subject"], fire.get("verified", True)) == ("smoke-1", False)
        assert (await told(gateway, "quarantine_full"))["subject"] == "main"


async def test_a_journal_over_its_budget_keeps_the_fire_and_says_what_it_cost(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """The history is away, so all waits in the journal; its disk is bounded, and telemetry is what goes."""

    def telemetry() -> Iterator[tuple[str, bytes]]:
        for number in range(3000):
            for device in ("desk-1", "queue-1", "count-1", "air-1", "printer-1", "reader-1", "x-1", "x-2"):
                yield f"{HALL}/telemetry/{device}/presence", b'{"value":{"present":true},"boot":1,"seq":%d}' % number

    limits = "{journal_mib: 1}"
    closed = Parts(mosquitto.port, limits=limits, influx="http://127.0.0.1:9", influx_org="o", influx_bucket="b")
    gateway = Hallwatch(tmp_path / "gateway", small_site(closed), {"TEST_INFLUX_TOKEN": "t"})
    with gateway:
        await gateway.linked()
        await flood(mosquitto.port, [(f"{HALL}/safety/smoke-1/fire", FIRE)])
        sent = await flood(mosquitto.port, telemetry())
        await heard(gateway, sent + 1)

        async def dropped() -> str:
            found = [one["detail"] for one in await alarms(gateway) if one["subject"] == "main"]
            return next((one for one in found if one.startswith("journal_dropped ")), "")

        async with asyncio.timeout(90):  # the house is kept once a minute
            while not await dropped():
                await asyncio.sleep(1)
        told = int((await dropped()).split()[1])
        await fires(gateway, 1)
    with sqlite3.connect(gateway.store) as store:
        ((gone,),) = store.execute("SELECT sum(dropped) FROM gaps WHERE name = 'influxdb'")
        ((size,),) = store.execute("SELECT sum(length(blob)) FROM journal")
        kept = [one for (blob,) in store.execute("SELECT blob FROM journal") for one in unpack(blob)]
    assert told == gone > 0
    assert size <= 2**20
    assert [one.lane for one in kept if isinstance(one, Heard) and one.topic.endswith("/fire")] == [Lane.SAFETY]


async def test_pages_that_never_read(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """More connections than are allowed, none of which takes what it asked for: memory and handles stay bounded."""
    async with flooded(tmp_path, mosquitto.port) as (gateway, _):
        port = int(gateway.url.rsplit(":", 1)[1])
        deaf = [await deaf_page(port) for _ in range(80)]
        assert handles(gateway) < 60 + 60, "a handle each, and what the store and the sessions need"
        body = [json.dumps({"value": {"state": "fault", "code": str(n) * 60}}).encode() for n in range(10)]
        for turn in range(40):
            await flood(mosquitto.port, [(f"{HALL}/telemetry/printer-1/equipment", body[turn % 10])])
            await asyncio.sleep(0.3)
        await flood(mosquitto.port, [(f"{HALL}/safety/smoke-1/fire", FIRE)])
        await heard(gateway, 61)
        await fires(gateway, 1)
        kept_out = [one for one in await alarms(gateway) if one["subject"] == "browsers"]
        assert [one["detail"] in {"too_many_pages", "too_many_connections"} for one in kept_out] == [True]
        for writer in deaf:
            writer.transport.abort()


def handles(gateway: Hallwatch) -> int:
    """How many handles the process has open."""
    return len(list(Path(f"/proc/{gateway.process.pid}/fd").iterdir()))


async def deaf_page(port: int) -> asyncio.StreamWriter:
    """Ask for the live page and never read again."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    key = base64.b64encode(os.urandom(16)).decode()
    head = f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    head += f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
    with contextlib.suppress(ConnectionError):
        writer.write(f"{head}\r\n".encode())
        await writer.drain()
    # What asyncio reads on its own it keeps up to this limit, twice, and then no more.
    return writer
