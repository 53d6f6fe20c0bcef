"""Ten thousand hostile messages in good traffic: each is counted with a reason, and the good ones notice nothing."""

import asyncio
import contextlib
import hashlib
import itertools
import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import aiomqtt
import pytest

from gateway.store.sql import open_store, sqlite_url
from sensors.decode.reasons import REASONS
from sensors.inputs import Heard, unpack
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.hostile import FORBIDDEN, Hostile, hostile
from tests.system.ledger import HALL
from tests.system.load import TELEMETRY, Load
from tests.system.memory import Memory, watched
from tests.system.raw_mqtt import publish
from tests.system.small_site import Parts, small_site

log = logging.getLogger(__name__)

MESSAGES = 10_000
GOOD = 600
PATIENCE_S = 60.0
SETTLES_S = 3.0
# What a flood may take for a while: a message of 10 MB is read whole before it is refused, in several copies.
PEAK_MIB = 160.0
# The allocator keeps some pieces of what held 10 MB once; the same flood again finds them and needs no more of them.
# All that each of the two sends would be hundreds.
GROWTH_MIB = 12.0


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that does not write all it has, 10 MB messages too, to its disk at every change."""
    with Mosquitto(tmp_path / "broker", config="autosave_on_changes false") as broker:
        yield broker


@pytest.mark.parametrize(("version", "messages"), [("5", MESSAGES), ("3.1.1", MESSAGES // 5)])
async def test_ten_thousand_hostile_messages(
    version: str, messages: int, tmp_path: Path, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", "mqtt")
    site = small_site(Parts(mosquitto.port, version=version, watch="{probe_s: 3600}"))
    rubbish, load = list(hostile(7, messages)), Load(mosquitto.port, 7)
    with Hallwatch(tmp_path / "gateway", site) as gateway:
        await gateway.linked()
        await send(mosquitto.port, hostile(1, 210))
        await arrived(gateway, 210)
        first, second = rubbish[: messages // 2], rubbish[messages // 2 :]
        async with watched(gateway.process.pid) as memory:
            base = memory.look()
            await beside(load, mosquitto.port, first, fires=())
            await arrived(gateway, 210 + len(first) + GOOD // 2)
            grown = await settled(memory)
            await beside(load, mosquitto.port, second, fires=(GOOD // 4,))
            refused = [topic for topic in FORBIDDEN if not await publish(mosquitto.port, topic, b"{}")]
            sent = 210 + messages + GOOD + 1
            account = await arrived(gateway, sent)
            again = await settled(memory, below=grown + GROWTH_MIB)
        log.info("memory: %.0f MiB, at most %.0f; %.0f after a half, %.0f at the end", base, memory.peak, grown, again)
        assert memory.peak - base < PEAK_MIB, (base, memory.peak)
        assert again - grown < GROWTH_MIB, (base, grown, again)
        assert len(refused) == len(FORBIDDEN), "the broker itself refuses these, and none of them reaches us"
        assert gateway.process.running
        assert_even(account, sent)
        status = (await gateway.get("/api/v1/status"))["halls"][0]
        reasons = Counter(status["account"]["reasons"])
        assert set(reasons) <= set(REASONS)
        assert sum(reasons.values()) == account["quarantined"] + account["refused"]
        # The account is ahead of the rows by a commit.
        async with asyncio.timeout(PATIENCE_S):
            while not (alarms := (await gateway.get("/api/v1/alarms?limit=500"))["items"]):
                await asyncio.sleep(0.1)
        assert [one["subject"] for one in alarms if one["kind"] == "fire" and one["active"]] == ["smoke-1"]
        assert status["runs"] == 1, "the fire in the middle has started its plan"
    await assert_good_is_stored(gateway.store, load)
    assert_each_has_its_reason(gateway.store, itertools.chain(hostile(1, 210), rubbish), reasons)


async def send(port: int, messages: Iterable[Hostile]) -> None:
    """Publish at QoS 1, as fast as the broker takes it."""
    async with aiomqtt.Client("127.0.0.1", port, max_queued_outgoing_messages=0) as client:
        for some in batched(messages, 40):
            await asyncio.gather(*(client.publish(one.topic, one.payload, 1, one.retain, timeout=60) for one in some))


def batched(messages: Iterable[Hostile], size: int) -> Iterator[list[Hostile]]:
    source = iter(messages)
    while some := list(itertools.islice(source, size)):
        yield some


async def beside(load: Load, port: int, messages: Iterable[Hostile], fires: tuple[int, ...]) -> None:
    """Send them, and half of the good traffic at the same time."""
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(GOOD // 2, pause_s=0.005, fires=fires))
        group.create_task(send(port, messages))


async def arrived(gateway: Hallwatch, count: int) -> dict[str, int]:
    """Wait until so many messages are in the account."""
    async with asyncio.timeout(PATIENCE_S):
        while (account := await gateway.account())["received"] < count:
            await asyncio.sleep(0.2)
    return account


def assert_even(account: dict[str, int], sent: int) -> None:
    """Every message that the broker took is counted, and as one thing."""
    assert account["received"] == sent
    outcomes = ("stored", "duplicate", "quarantined", "refused", "awaiting")
    assert sum(account[one] for one in outcomes) == sent, account


async def settled(memory: Memory, below: float = 0.0) -> float:
    """The least it comes down to (MiB): what held the last of 10 MB is let go a little later.

    On a busy machine later yet: with `below` it is waited for until it is there.
    """
    least = memory.look()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S if below else SETTLES_S):
            while least >= below:
                await asyncio.sleep(0.2)
                least = min(least, memory.look())
    return least


async def assert_good_is_stored(store: Path, load: Load) -> None:
    """Every good message is in the journal, once and as it was sent."""
    kept: dict[str, Counter[int]] = {device: Counter() for device in load.sent}
    places = {f"{device}/{kind}": device for device, (kind, _) in TELEMETRY.items()} | {"smoke-1/fire": "smoke-1"}
    async with open_store(sqlite_url(store)) as opened:
        index = 0
        while rows := await opened.journal.read(HALL, index, 500):
            for item in itertools.chain.from_iterable(unpack(row.blob) for row in rows):
                if isinstance(item, Heard) and (device := places.get("/".join(item.topic.split("/")[-2:]))):
                    kept[device][json.loads(item.payload)["seq"]] += 1
            index = rows[-1].index + rows[-1].count
    for device, numbers in load.sent.items():
        assert kept[device] == dict.fromkeys(numbers, 1), device


def assert_each_has_its_reason(store: Path, sent: Iterable[Hostile], counted: Counter[str]) -> None:
    """Each hostile message lies in quarantine under one of its own reasons, or is of a kind that is only counted."""
    with sqlite3.connect(store) as database:
        rows = database.execute("SELECT topic, digest, length, reason, detail FROM quarantine").fetchall()
    held = Counter((topic, digest, reason) for topic, digest, _, reason, _ in rows)
    assert all(detail for *_, detail in rows)
    only_counted: Counter[str] = Counter()
    for one in sent:
        digest = hashlib.sha256(one.payload).hexdigest()
        ends = [end for end in sorted(one.ends) if held[one.topic.replace("\x00", "�")[:1024], digest, end]]
        if ends:
            held[one.topic.replace("\x00", "�")[:1024], digest, ends[0]] -= 1
        else:
            assert not any(REASONS[end].refused is False for end in one.ends if end in REASONS), one.what
            only_counted.update(one.ends & counted.keys())
    assert not +held, "and nothing else lies there"
    assert only_counted == Counter({code: count for code, count in counted.items() if REASONS[code].refused})
