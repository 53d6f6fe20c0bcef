"""One row that a store refuses costs only itself, on a real SQLite file and on a real PostgreSQL.

The refusal is the database's own: a trigger or a check that the test plants in it, and that a poisonous word sets off.
"""

import asyncio
import contextlib
import json
import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alerts.core import Core
from alerts.engine import Engine
from gateway.batch import BatchMaker
from gateway.clockwork import Clockwork
from gateway.fold import fold
from gateway.link.contract import Delivery
from gateway.pipeline import Pipeline
from gateway.store.sql import Store, open_store, sqlite_url
from sensors.decode.family import Packet
from sensors.decode.reception import Reception
from sensors.hall.snapshot import encode_state
from sensors.inputs import Heard, Lane, Started, unpack
from sensors.site.load import read_site
from sensors.site.model import Site
from tests.gateway.test_pipeline import START, FakeLink
from tests.servers.postgres import Database
from tests.system.small_site import Parts, small_site

POISON = b"poison-4711"
MESSAGES = 150
LOADED = read_site(small_site(Parts(1883)), "small")
TRIGGER = f"""CREATE TRIGGER poison BEFORE INSERT ON journal WHEN instr(NEW.blob, X'{POISON.hex()}') > 0
BEGIN SELECT RAISE(ABORT, 'the store refuses this row'); END"""
CHECK = f"ALTER TABLE journal ADD CONSTRAINT poison CHECK (position('\\x{POISON.hex()}'::bytea in blob) = 0)"


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A store that refuses whatever holds the poison."""
    if request.param == "sqlite":
        async with open_store(sqlite_url(tmp_path / "hallwatch.db")) as opened:
            with contextlib.closing(sqlite3.connect(tmp_path / "hallwatch.db")) as planting:
                planting.execute(TRIGGER)
            yield opened
    else:
        database: Database = request.getfixturevalue("postgres")
        async with open_store(database.url) as opened:
            with database.connect() as connection:
                connection.execute(CHECK.encode())
            yield opened


async def load(store: Store, site: Site) -> BatchMaker:
    """What a start loads."""
    folded = await fold(store.journal, "main", LOADED.digest, {LOADED.digest: site})
    core = Core(folded.hall, Engine(site, "main", await store.journal.book("main")))
    return BatchMaker(core, Reception(site, "main", folded.hall.state), hall="main", index=folded.index)


def message(number: int, *, poisonous: bool) -> Delivery:
    """A message of the printer; only its words make it poison."""
    code = POISON.decode() if poisonous else f"e{number}"
    body = {"boot": 1, "seq": number, "value": {"state": "fault", "code": code}}
    topic = "hallwatch/v1/main/telemetry/printer-1/equipment"
    return Delivery(Packet(topic, json.dumps(body).encode(), Lane.TELEMETRY, START + number), number, 1)


@pytest.mark.parametrize("seed", range(3))
async def test_one_row_that_the_store_refuses_costs_only_itself(seed: int, store: Store) -> None:
    site = LOADED.site
    assert site is not None
    poisonous = set(random.Random(seed).sample(range(1, MESSAGES + 1), seed + 1))
    path = Pipeline(
        await load(store, site), store.journal, Clockwork(lambda: START + 1000), recover=lambda: load(store, site)
    )
    links = {lane: FakeLink(lane, store) for lane in Lane}
    async with asyncio.TaskGroup() as group:
        group.create_task(path.run(links.values()))
        await path.submit(Started(START, LOADED.digest))
        for number in range(1, MESSAGES + 1):
            path.deliver(message(number, poisonous=number in poisonous))
        async with asyncio.timeout(60):
            while len(links[Lane.TELEMETRY].acknowledged) < MESSAGES:
                await asyncio.sleep(0.02)
        path.close()
    assert [one.mid for one in links[Lane.TELEMETRY].acknowledged] == list(range(1, MESSAGES + 1))
    rows = await store.journal.read("main", 0, 10_000)
    kept = [json.loads(item.payload)["seq"] for row in rows for item in unpack(row.blob) if isinstance(item, Heard)]
    assert kept == [number for number in range(1, MESSAGES + 1) if number not in poisonous]
    held = await store.quarantine.page("main")
    assert {json.loads(row.message.payload)["seq"] for row in held} == poisonous
    assert {row.message.reason for row in held} == {"failed"}
    assert all("refuse" in row.message.detail for row in held), held
    account = path.core.hall.state.devices["printer-1"].account
    assert account.stored == MESSAGES - len(poisonous)
    assert path.core.hall.state.stray.reasons == {"failed": len(poisonous)}
    assert (await load(store, site)).core.hall.state.devices["printer-1"].account == account
    assert encode_state((await load(store, site)).core.hall.state) == encode_state(path.core.hall.state)
