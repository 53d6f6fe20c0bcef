"""Proof 1: kill -9 at random points under load loses nothing that was acknowledged, and doubles no alarm."""

import asyncio
import hashlib
import random
from pathlib import Path

import pytest

from gateway.fold import fold
from gateway.store.contract import Snapshot
from gateway.store.sql import open_store, sqlite_url
from sensors.hall.snapshot import decode_state, encode_state
from tests.servers.mosquitto import Mosquitto
from tests.servers.postgres import Database
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import HALL, Kept, read_kept, sites_of
from tests.system.load import Load
from tests.system.small_site import Parts, small_site

MESSAGES = 600
PATIENCE_S = 20.0


async def drained(gateway: Hallwatch, load: Load) -> None:
    """Wait until the gateway says that it has stored all that the broker acknowledged to the load."""
    expected = sum(len(numbers) for numbers in load.sent.values())
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if (await gateway.account())["stored"] >= expected:
                return
            await asyncio.sleep(0.1)


def check(kept: Kept, load: Load) -> None:
    """What we acknowledged is in the journal once; one fire is one alarm; a restart knows what the journal knows."""
    for device, numbers in load.sent.items():
        assert kept.sequences[device] == dict.fromkeys(numbers, 1), device
    raised = [event for event in kept.events if event.what == "alarm.raised"]
    fires = [alarm for alarm in kept.alarms if alarm.kind.value == "fire"]
    assert len(fires) == 1
    assert len([event for event in raised if event.about == fires[0].id]) == 1
    assert len({alarm.key for alarm in kept.alarms if alarm.closed is None}) == len(
        [alarm for alarm in kept.alarms if alarm.closed is None]
    )
    assert kept.resumed == kept.from_empty


@pytest.mark.parametrize("seed", range(20))
async def test_kill_at_a_random_point_under_load(seed: int, tmp_path: Path, mosquitto: Mosquitto) -> None:
    gateway = Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port)))
    load = await killed_under_load(gateway, seed, mosquitto)
    check(await read_kept(gateway.store), load)


@pytest.mark.parametrize("seed", range(100, 103))
async def test_kill_at_a_random_point_over_postgresql(
    seed: int, tmp_path: Path, mosquitto: Mosquitto, postgres: Database
) -> None:
    site = small_site(Parts(mosquitto.port))
    gateway = Hallwatch(tmp_path / "gateway", site, {"HALLWATCH_STORE": postgres.url})
    load = await killed_under_load(gateway, seed, mosquitto)
    check(await read_kept(postgres.url), load)
    assert not gateway.store.exists()
    assert postgres.server.password not in gateway.log()


async def killed_under_load(gateway: Hallwatch, seed: int, mosquitto: Mosquitto) -> Load:
    """Start, kill somewhere under load, start again, and end when everything is stored."""
    dice = random.Random(seed)
    gateway.start()
    try:
        await gateway.linked()
        load = Load(mosquitto.port, seed)
        fires = (dice.randrange(50, 300), dice.randrange(300, MESSAGES))
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run(MESSAGES, fires=fires))
            await asyncio.sleep(dice.uniform(0.05, 0.9))
            gateway.kill()
            await asyncio.to_thread(gateway.start)
        await drained(gateway, load)
    finally:
        gateway.stop()
    return load


@pytest.mark.parametrize("seed", range(2))
async def test_postgresql_is_killed_under_load(
    seed: int, tmp_path: Path, mosquitto: Mosquitto, postgres: Database
) -> None:
    """The database dies in mid-commit and is away: what was acknowledged is there, once, and work goes on."""
    dice = random.Random(seed)
    site = small_site(Parts(mosquitto.port))
    load = Load(mosquitto.port, seed)
    with Hallwatch(tmp_path / "gateway", site, {"HALLWATCH_STORE": postgres.url}) as gateway:
        await gateway.linked()
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run(MESSAGES, fires=(dice.randrange(50, 300), dice.randrange(300, MESSAGES))))
            for _ in range(2):
                await asyncio.sleep(dice.uniform(0.05, 0.4))
                postgres.server.kill()
                await asyncio.sleep(dice.uniform(0.0, 0.5))
                await asyncio.to_thread(postgres.server.start)
        await drained(gateway, load)
        # A write of our own may still wait for its next try; that it comes to an end is what "work goes on" means.
        async with asyncio.timeout(PATIENCE_S):
            while (await gateway.get("/api/v1/status"))["halls"][0]["stalled_since"] is not None:
                await asyncio.sleep(0.1)
    check(await read_kept(postgres.url), load)


async def test_a_second_gateway_is_refused_the_hall(tmp_path: Path, mosquitto: Mosquitto, postgres: Database) -> None:
    site, where = small_site(Parts(mosquitto.port)), {"HALLWATCH_STORE": postgres.url}
    with Hallwatch(tmp_path / "first", site, where):
        second = Hallwatch(tmp_path / "second", site, where)
        with pytest.raises(RuntimeError, match="another Hallwatch is writing hall main"):
            second.start()
        assert "Traceback" not in second.log()


async def test_a_tampered_snapshot_is_seen(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """The comparison of proof 1 has teeth: a snapshot that was changed, digest and all, makes the folds differ."""
    load = Load(mosquitto.port, 99)
    with Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port))) as gateway:
        await gateway.linked()
        await load.run(200, fires=(20,))
        await drained(gateway, load)
    check(await read_kept(gateway.store), load)
    async with open_store(sqlite_url(gateway.store)) as store:
        snapshot = await store.journal.snapshot(HALL)
        assert snapshot is not None
        state = decode_state(snapshot.blob)
        state.devices["smoke-1"].fire = False
        forged = encode_state(state)
        await store.journal.save_snapshot(
            Snapshot(HALL, snapshot.index, snapshot.at, snapshot.version, forged, _digest(forged))
        )
    with pytest.raises(AssertionError):
        check(await read_kept(gateway.store), load)


async def test_a_damaged_snapshot_is_not_used(tmp_path: Path, mosquitto: Mosquitto) -> None:
    load = Load(mosquitto.port, 98)
    with Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port))) as gateway:
        await gateway.linked()
        await load.run(100, fires=(20,))
        await drained(gateway, load)
    async with open_store(sqlite_url(gateway.store)) as store:
        snapshot = await store.journal.snapshot(HALL)
        assert snapshot is not None
        broken = Snapshot(HALL, snapshot.index, snapshot.at, snapshot.version, b"\x00" + snapshot.blob, snapshot.digest)
        await store.journal.save_snapshot(broken)
        sites = await sites_of(store)
        folded = await fold(store.journal, HALL, next(iter(sites)), sites)
        empty = await fold(store.journal, HALL, next(iter(sites)), sites, from_empty=True)
    assert encode_state(folded.hall.state) == encode_state(empty.hall.state)


def _digest(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()
