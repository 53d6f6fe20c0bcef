"""The broker is restarted, killed, forgets, is replaced by an empty one, is gone for ten minutes.

Nothing that we acknowledged is lost; nothing becomes absent, normal or cleared because nobody was heard; one alarm
says that the broker is lost, and its return is quiet. What the broker itself lost stands there as gaps.
"""

import asyncio
import contextlib
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests.servers.fixtures import MosquittoMaker
from tests.servers.mosquitto import Mosquitto
from tests.servers.proxy import proxied
from tests.system import scene
from tests.system.hallwatch import Hallwatch
from tests.system.scene import HERE_BEFORE, running, unharmed
from tests.system.talking import SAYS, TELEMETRY, Devices
from tests.system.witness import Witness

VERSIONS = ("3.1.1", "5")
LANES = ("safety", "telemetry")
# How fast the hall's clock goes where ten minutes must pass, and rules of which every one is over within them.
SPEED = 100
TEN_MINUTES = (
    "{equipment_raise_s: 0, broker_lost_s: 20, staffed_decay_s: 120, unstaffed_after_s: 300, start_grace_s: 450,"
    " mains: {stale_s: 450, offline_s: 550}}"
)


@pytest.mark.parametrize("version", VERSIONS)
async def test_restarted_and_killed_under_load(version: str, tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Orderly, and by SIGKILL: what it had acknowledged in its last turn and not yet written down may be lost."""
    devices, witness = Devices(mosquitto.port), Witness()
    async with proxied(mosquitto.port, mqtt=True) as proxy:
        proxy.up.meddle, proxy.down.meddle = witness.up, witness.down
        async with running(tmp_path, proxy.port, version=version) as gateway:
            await scene.begin(gateway, devices)
            async with devices.talking():
                for end in (mosquitto.stop, mosquitto.kill):
                    await asyncio.sleep(0.5)
                    await asyncio.to_thread(end)
                    await scene.down(gateway)
                    await asyncio.to_thread(mosquitto.start)
                    await scene.up(gateway)
            await devices.round()
            await scene.staffed_again(gateway)
            await scene.settled(gateway)
            unharmed(await scene.end(gateway), devices, witness)


def without_broker(shown: dict[str, dict[str, object]]) -> bool:
    """Whether a page shows that nothing is known: no device heard, nobody's window staffed or unstaffed, no figure new.

    What was said last goes on standing there, as what it is: a fire that nobody has cleared, a fault.
    """
    heard = {shown[f"device/{name}"]["liveness"] for name in SAYS}
    return (
        heard == {"unknown"}
        and shown["window/w1"]["staffing"] == "unknown"
        and shown["zone/waiting"].get("stale", False) is True
        and shown["zone/waiting"].get("level") is None
        and shown["service/cards"].get("stale", False) is True
        and shown["device/printer-1"]["state"] == "fault"
        and shown["device/smoke-1"]["state"] == "alarm"
    )


async def test_gone_for_ten_minutes(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Ten minutes of the hall's clock, at a hundredfold speed: every limit of silence is over long before they are.

    The alarm is there within a minute of that clock (the clock of the fast gateway: 0.6 s, so it is read off the row).
    """
    devices = Devices(mosquitto.port)
    async with running(tmp_path, mosquitto.port, thresholds=TEN_MINUTES, speed=SPEED) as gateway:
        await scene.begin(gateway, devices)
        async with devices.talking():
            await scene.staffed_again(gateway)
            await asyncio.to_thread(mosquitto.stop)
            await scene.down(gateway)
            before = await said_to_people(gateway)
            gone = (await gateway.get("/api/v1/status"))["halls"][0]["now"]

            async def ten_minutes_later() -> bool:
                return bool((await gateway.get("/api/v1/status"))["halls"][0]["now"] - gone > 600_000)

            await scene.until(ten_minutes_later)
            assert without_broker(await scene.page(gateway))
            kinds = Counter(one["kind"] for one in await scene.alarms(gateway))
            assert kinds == {"fire": 1, "equipment_fault": 1, "broker_lost": 1}
            await scene.answer(gateway)
            told = await said_to_people(gateway)
            assert told - before == Counter({"broker_lost": (told - before).total()})
            await asyncio.to_thread(mosquitto.start)
            await scene.up(gateway)
            await scene.staffed_again(gateway)
            await asyncio.sleep(1.5)  # two and a half minutes in which a storm would come
        assert await said_to_people(gateway) == told
        await devices.round()
        await scene.settled(gateway)
        ending = await scene.end(gateway)
    unharmed(ending, devices)
    assert ending.raised == Counter([*HERE_BEFORE, "broker_lost"])
    assert ending.cleared() == {"broker_lost"}
    (lost,) = [alarm for alarm in ending.kept.alarms if alarm.key == "broker_lost"]
    assert lost.raised - lost.since == 20_000


async def said_to_people(gateway: Hallwatch) -> Counter[str]:
    """How many messages were written for people, by the kind of alarm (or the plan) that they are about."""

    def read() -> Counter[str]:
        with contextlib.closing(sqlite3.connect(f"file:{gateway.store}?mode=ro", uri=True)) as store:
            kinds = dict(store.execute("SELECT id, kind FROM alarms").fetchall())
            return Counter(kinds.get(about, "plan") for (about,) in store.execute("SELECT about FROM messages"))

    return await asyncio.to_thread(read)


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_it_forgot_when_it_was_killed_stands_there_as_gaps(
    version: str, tmp_path: Path, make_mosquitto: MosquittoMaker
) -> None:
    """A broker that keeps nothing on disk is killed with thirty messages of each device in hand, and our sessions."""
    broker = make_mosquitto(config="persistence false")
    devices, witness = Devices(broker.port), Witness()
    async with proxied(broker.port, mqtt=True) as proxy:
        proxy.up.meddle, proxy.down.meddle = witness.up, witness.down
        async with running(tmp_path, proxy.port, version=version) as gateway:
            await scene.begin(gateway, devices)
            await proxy.refuse()
            await scene.down(gateway)
            await devices.round(times=30)
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
            await proxy.allow()
            await scene.up(gateway)
            await resubscribed(gateway, devices)
            ending = await scene.end(gateway)
    unharmed(ending, devices, witness)
    assert ending.gaps.keys() == SAYS.keys()
    assert min(ending.gaps.values()) >= 30
    assert ending.told("session_lost") == Counter(LANES)


@pytest.mark.parametrize("version", VERSIONS)
async def test_replaced_by_an_empty_one(version: str, tmp_path: Path, make_mosquitto: MosquittoMaker) -> None:
    """Another broker stands at the same address and knows nobody: we subscribe anew, and say what may be missing."""
    old, new = make_mosquitto(), make_mosquitto()
    devices, witness = Devices(old.port), Witness()
    async with proxied(old.port, mqtt=True) as proxy:
        proxy.up.meddle, proxy.down.meddle = witness.up, witness.down
        async with running(tmp_path, proxy.port, version=version) as gateway:
            await scene.begin(gateway, devices)
            await proxy.refuse()
            await scene.down(gateway)
            await devices.round(TELEMETRY, times=5)
            await asyncio.to_thread(old.stop)
            proxy.target = devices.port = new.port
            await proxy.allow()
            await scene.up(gateway)
            await resubscribed(gateway, devices)
            ending = await scene.end(gateway)
    unharmed(ending, devices, witness)
    assert ending.gaps.keys() == set(TELEMETRY)
    assert ending.told("session_lost") == Counter(LANES)


async def resubscribed(gateway: Hallwatch, devices: Devices) -> None:
    """Wait until the devices are heard by the broker that had forgotten us."""
    await asyncio.sleep(0.2)  # the SUBSCRIBE that leaves with the CONNACK
    await devices.round()
    await scene.staffed_again(gateway)
    await scene.settled(gateway)
