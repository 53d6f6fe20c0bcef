"""The path of one hall on a real SQLite store: one commit, then one acknowledgement; poison and stalls on the way."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alerts.core import Core
from alerts.engine import Engine
from gateway.batch import BatchMaker
from gateway.clockwork import Clockwork
from gateway.fold import fold
from gateway.link.contract import Delivery
from gateway.pipeline import ClosedError, Pipeline
from gateway.store.contract import Batch, Settled
from gateway.store.errors import StoreError
from gateway.store.journal import SqlJournal
from gateway.store.sql import Store, open_store, sqlite_url
from sensors.actions import Acknowledge, ReportFault
from sensors.decode.family import Packet, Subscription
from sensors.decode.reception import Reception
from sensors.errors import RefusedError
from sensors.facts import Fact
from sensors.hall.hall import Hall
from sensors.inputs import Heard, Lane, Started, unpack
from sensors.site.load import read_site
from tests.system.small_site import Parts, small_site

START = 1_795_400_000_000
LOADED = read_site(small_site(Parts(1883)), "small")


@dataclass(slots=True)
class FakeLink:
    """Stands for a session: keeps what it was told to acknowledge, and what was in the journal by then."""

    lane: Lane
    store: Store
    acknowledged: list[Delivery] = field(default_factory=list)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        self.acknowledged += deliveries

    def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        assert list(subscriptions)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        raise AssertionError(f"the path publishes nothing: {topic} {payload!r} {qos} {retain}")


class Stubborn(SqlJournal):
    """A real journal that fails its next commits with the errors it is given."""

    failures: list[StoreError]
    commits: int = 0

    async def commit(self, *batches: Batch) -> None:
        self.commits += 1
        if self.failures:
            raise self.failures.pop(0)
        await super().commit(*batches)


@dataclass(slots=True)
class Rig:
    """A path that runs, its links and its clock."""

    path: Pipeline
    journal: Stubborn
    store: Store
    links: dict[Lane, FakeLink]
    now: list[int]

    def hear(self, device: str, kind: str, value: object, sequence: int, lane: Lane = Lane.TELEMETRY) -> None:
        body = json.dumps({"device": device, "boot": 1, "seq": sequence, "value": value}).encode()
        topic = f"hallwatch/v1/main/{lane.name.lower()}/{device}/{kind}"
        self.path.deliver(Delivery(Packet(topic, body, lane, self.now[0]), sequence, 1))

    def acknowledged(self, lane: Lane = Lane.TELEMETRY) -> list[int]:
        return [delivery.mid for delivery in self.links[lane].acknowledged]

    async def heard(self) -> list[int]:
        rows = await self.store.journal.read("main", 0, 10_000)
        items = [item for row in rows for item in unpack(row.blob) if isinstance(item, Heard)]
        return [json.loads(item.payload)["seq"] for item in items]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Rig]:
    site = LOADED.site
    assert site is not None
    async with open_store(sqlite_url(folder / "path.db")) as store:
        journal = Stubborn(store.writer, store.reader)
        journal.failures = []

        async def load() -> BatchMaker:
            folded = await fold(journal, "main", LOADED.digest, {LOADED.digest: site})
            core = Core(folded.hall, Engine(site, "main", await journal.book("main")))
            return BatchMaker(core, Reception(site, "main", folded.hall.state), hall="main", index=folded.index)

        now = [START]
        path = Pipeline(await load(), journal, Clockwork(lambda: now[0]), recover=load)
        links = {lane: FakeLink(lane, store) for lane in Lane}
        async with asyncio.TaskGroup() as group:
            group.create_task(path.run(links.values()))
            await path.submit(Started(START, LOADED.digest))
            yield Rig(path, journal, store, links, now)
            path.close()


async def test_what_is_acknowledged_is_in_the_journal(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        for number in range(1, 101):
            rig.hear("queue-1", "queue", {"length": number}, number)
        await until(lambda: len(rig.acknowledged()) == 100)
        assert await rig.heard() == rig.acknowledged() == list(range(1, 101))


async def test_nothing_is_acknowledged_while_the_store_is_busy(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.journal.failures = [StoreError("store_busy", "locked")] * 3
        rig.hear("queue-1", "queue", {"length": 1}, 1)
        commits = rig.journal.commits
        await until(lambda: rig.journal.commits == commits + 2)
        assert rig.acknowledged() == []
        assert rig.path.stalled_since is not None
        await until(lambda: rig.acknowledged() == [1])
        assert await rig.heard() == [1]
        assert rig.path.stalled_since is None


async def test_a_batch_that_the_store_refuses_costs_only_the_message_at_fault(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        # The batch of four is refused, then its first half, then the first message alone.
        rig.journal.failures = [StoreError("store_refused", "no such value")] * 3
        for number in range(1, 5):
            rig.hear("queue-1", "queue", {"length": number}, number)
        await until(lambda: len(rig.acknowledged()) == 4)
        assert await rig.heard() == [2, 3, 4]
        held = await rig.store.quarantine.page("main")
        assert [(row.state, json.loads(row.message.payload)["seq"]) for row in held] == [("held", 1)]
        assert held[0].message.reason == "failed"


async def test_a_fault_of_ours_in_one_message_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Core.step

    def poisoned(core: Core, item: object, arrival: object = None) -> object:
        if isinstance(item, Heard) and b'"length": 13' in item.payload:
            raise AttributeError("a defect that one message brings to light")
        return step(core, item, arrival)  # type: ignore[arg-type]

    monkeypatch.setattr(Core, "step", poisoned)
    async with running(tmp_path) as rig:
        for number in range(11, 16):
            rig.hear("queue-1", "queue", {"length": number}, number)
        await until(lambda: len(rig.acknowledged()) == 5)
        assert await rig.heard() == [11, 12, 14, 15]
        assert [row.message.reason for row in await rig.store.quarantine.page("main")] == ["failed"]


async def test_a_deadline_that_fails_ends_the_path_and_costs_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(hall: Hall, now: int) -> list[Fact]:
        raise ArithmeticError("a defect that time brings to light")

    acknowledged: list[Delivery] = []

    async def time_passes() -> None:
        async with running(tmp_path) as rig:
            rig.links[Lane.SAFETY].acknowledged = acknowledged
            monkeypatch.setattr(Hall, "fire_due", broken)
            rig.now[0] += 3_600_000
            rig.hear("smoke-1", "fire", {"alarm": True, "sensor": "smoke"}, 1, Lane.SAFETY)
            async with asyncio.timeout(5):
                await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as ended:
        await time_passes()
    assert ended.group_contains(ArithmeticError)
    assert acknowledged == []


async def test_life_safety_closes_the_batch_and_goes_first(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        for number in range(1, 400):
            rig.hear("queue-1", "queue", {"length": 1}, number)
        rig.hear("smoke-1", "fire", {"alarm": True, "sensor": "smoke"}, 1, Lane.SAFETY)
        await until(lambda: rig.acknowledged(Lane.SAFETY) == [1])
        rows = await rig.store.journal.read("main", 0, 100)
        first = next(item for row in rows for item in unpack(row.blob) if isinstance(item, Heard))
        assert first.topic.endswith("smoke-1/fire")
        assert [alarm.kind.value for alarm in rig.path.core.engine.book.alarms.values()] == ["fire"]


@pytest.mark.parametrize("seed", range(5))
async def test_order_within_a_device_holds_whatever_the_batches(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    lanes = {"queue-1": ("queue", Lane.TELEMETRY), "air-1": ("environment", Lane.TELEMETRY)}
    lanes |= {"smoke-1": ("fire", Lane.SAFETY), "help-1": ("button", Lane.SAFETY)}
    values = {"queue": {"length": 1}, "environment": {"temperature_c": 20.0}}
    values |= {"fire": {"alarm": True, "sensor": "smoke"}, "button": {"action": "press"}}
    sent: dict[str, int] = dict.fromkeys(lanes, 0)
    async with running(tmp_path) as rig:
        for _ in range(600):
            device = dice.choice(sorted(lanes))
            sent[device] += 1
            kind, lane = lanes[device]
            rig.hear(device, kind, values[kind], sent[device], lane)
            if dice.random() < 0.03:
                await asyncio.sleep(dice.random() * 0.01)
        await until(lambda: len(rig.acknowledged()) + len(rig.acknowledged(Lane.SAFETY)) == 600)
        rows = await rig.store.journal.read("main", 0, 10_000)
    found: dict[str, list[int]] = {}
    for item in (item for row in rows for item in unpack(row.blob) if isinstance(item, Heard)):
        body = json.loads(item.payload)
        found.setdefault(body["device"], []).append(body["seq"])
    assert found == {device: list(range(1, count + 1)) for device, count in sent.items()}


async def test_a_refused_action_is_told_and_leaves_no_trace_but_time(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        with pytest.raises(RefusedError) as refused:
            await rig.path.act("wang", Acknowledge("A000099"))
        assert refused.value.code == "no_such_alarm"
        outcome = await rig.path.act("wang", ReportFault("the chair is broken", window="w1"))
        assert [ticket.id for ticket in await rig.store.records.tickets("main")] == list(outcome.refs)


async def test_a_deadline_fires_by_itself_and_is_written(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.now[0] += 3_600_000
        rig.hear("queue-1", "queue", {"length": 1}, 1)
        await until(lambda: rig.acknowledged() == [1])
        alarms = {alarm.kind.value for alarm in await rig.store.records.alarms("main")}
        assert "broker_lost" in alarms


async def test_after_close_the_door_is_shut_and_what_came_in_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.hear("queue-1", "queue", {"length": 1}, 1)
        rig.path.close()
        rig.hear("queue-1", "queue", {"length": 1}, 2)
        with pytest.raises(ClosedError):
            await rig.path.act("wang", Acknowledge("A000001"))
        await until(lambda: rig.acknowledged() == [1])
        assert await rig.heard() == [1]
        async with asyncio.timeout(5):
            while await rig.store.journal.snapshot("main") is None:
                await asyncio.sleep(0.01)


async def test_a_message_of_the_quarantine_is_replayed_as_history(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        topic = "hallwatch/v1/main/telemetry/queue-1/queue"
        rig.path.deliver(Delivery(Packet(topic, b'{"value": {"length": "many"}}', Lane.TELEMETRY, START), 7, 1))
        await until(lambda: rig.acknowledged() == [7])
        (row,) = await rig.store.quarantine.page("main")
        assert row.message.reason != ""
        with pytest.raises(Exception, match=row.message.reason):
            await rig.path.replay(row, Settled(row.id, "wang", 1))
        assert (await rig.store.quarantine.page("main"))[0].state == "held"
        good = b'{"device": "queue-1", "boot": 1, "seq": 9, "value": {"length": 50}}'
        await rig.path.replay(row, Settled(row.id, "wang", 1, payload=good))
        assert await rig.heard() == [9]
        with pytest.raises(RefusedError):
            await rig.path.replay(row, Settled(row.id, "wang", 1, payload=good + b" "))
        assert list(await rig.store.quarantine.page("main")) == []
        rig.now[0] += 600_000
        rig.hear("count-1", "people_count", {"occupancy": 1}, 1)
        await until(lambda: len(rig.acknowledged()) == 2)
        assert "queue_long" not in {alarm.kind.value for alarm in rig.path.core.engine.book.alarms.values()}
