"""The shipper: nothing is lost over an outage, nothing stands behind a point that is refused."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from msgspec.structs import replace

from gateway.history import shipper
from gateway.history.contract import Asked, HistoryDownError, HistorySink, How, PointsRefusedError
from gateway.history.points import Point, Read, points
from gateway.history.readings import ReadingsHistory, ReadingsSink
from gateway.history.recent import Said
from gateway.history.shipper import Feed, Shipper, Shipping
from gateway.influx.query import InfluxHistory
from gateway.influx.ship import open_sink
from gateway.store.contract import Batch
from gateway.store.sql import Store
from sensors.decode.reception import Arrival
from sensors.inputs import Heard
from sensors.readings import Kind
from tests.gateway.history.build import HALL, T0, counted, point, read_count
from tests.gateway.history.conftest import History
from tests.servers.influx import InfluxBucket

SALT = b"salt"
OCCUPANCY = Asked(HALL, Kind.PEOPLE_COUNT, "occupancy")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same back-off, in less time."""
    monkeypatch.setattr(shipper, "IDLE_S", 0.01)
    monkeypatch.setattr(shipper, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(shipper, "LONGEST_PAUSE_S", 0.2)


async def fill(store: Store, index: int, rows: int, count: int = 50) -> int:
    """Commit rows of messages; the index after them."""
    for _ in range(rows):
        row = counted(index, count)
        await store.journal.commit(Batch(HALL, row.index, row.count, row.at, row.blob))
        index += count
    return index


@asynccontextmanager
async def shipping(store: Store, sink: HistorySink, read: Read = read_count, **more: object) -> AsyncIterator[Shipper]:
    """A shipper that runs for the length of a block."""
    feed = Feed(HALL, "h", read, SALT, batch=70)
    made = Shipper(store.journal, store.cursors, sink, feed, **more)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.run())
        yield made
        task.cancel()


async def until(true: Callable[[], bool], within_s: float = 20) -> None:
    """Wait for something to become so."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.01)


def done(one: Shipper, shipped: int) -> Callable[[], bool]:
    return lambda: one.lag().state == Shipping.IDLE and one.lag().behind == 0 and one.lag().shipped >= shipped


async def test_every_reading_is_there(store: Store, history: History) -> None:
    await fill(store, 0, 20)
    async with shipping(store, history.sink) as one:
        await until(done(one, 1000))
        await fill(store, 1000, 2)
        await until(done(one, 1100))
    found = await history.query.range(OCCUPANCY, T0, T0 + 5000)
    assert [sample.value for sample in found] == [float(n) for n in range(1100)]
    assert await store.cursors.get(HALL, "h") == 1100
    # A second shipper begins where the first one stopped.
    async with shipping(store, history.sink) as two:
        await asyncio.sleep(0.1)
        assert two.lag().shipped == 0


async def test_shipping_again_from_the_beginning_changes_nothing(store: Store, history: History) -> None:
    await fill(store, 0, 4)
    for _ in range(2):
        await store.cursors.advance(HALL, "h", 0)
        async with shipping(store, history.sink) as one:
            await until(done(one, 200))
    (total,) = await history.query.aggregate(OCCUPANCY, T0, T0 + 1000, 1000, How.COUNT)
    assert total.value == 200


@pytest.mark.parametrize("outage", ["stop", "pause"])
async def test_influxdb_goes_away_and_comes_back(
    store: Store, influx_bucket: InfluxBucket, outage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.influx.ship.TIMEOUT_MS", 500)
    server = influx_bucket.server
    async with (
        open_sink(influx_bucket.url, influx_bucket.org, influx_bucket.name, influx_bucket.token) as sink,
        aiohttp.ClientSession() as session,
        shipping(store, sink) as one,
    ):
        index = await fill(store, 0, 3)
        await until(done(one, index))
        getattr(server, outage)()
        slowest = 0.0
        for _ in range(30):
            begun = asyncio.get_running_loop().time()
            index = await fill(store, index, 1)
            slowest = max(slowest, asyncio.get_running_loop().time() - begun)
            await asyncio.sleep(0.02)
        await until(lambda: one.lag().state == Shipping.DOWN and one.lag().behind >= 1500)
        assert "InfluxDB" in one.lag().error
        assert slowest < 0.5
        if outage == "stop":
            server.start()
        else:
            server.resume()
        await until(done(one, index))
        history = InfluxHistory(session, influx_bucket.url, influx_bucket.name, influx_bucket.token)
        found = await history.range(OCCUPANCY, T0, T0 + 10_000)
        assert [sample.value for sample in found] == [float(n) for n in range(index)]
        assert one.lag().error == ""


async def test_a_refused_point_is_put_aside_and_the_rest_goes_on(store: Store, influx_bucket: InfluxBucket) -> None:
    async with open_sink(influx_bucket.url, influx_bucket.org, influx_bucket.name, influx_bucket.token) as sink:
        # Somebody else has written this field as text for one device's measurement: InfluxDB keeps types per shard.
        day = 86_400_000 * 30
        alien = point(-day, ("occupancy", "many"), kind=Kind.PEOPLE_COUNT, device="d9")
        await sink.write([alien])

        def read(heard: Heard) -> Arrival | None:
            said = read_count(heard)
            assert said is not None
            (reading,) = said.readings
            if reading.received - T0 not in {13, 260}:
                return said
            old = replace(reading, received=T0 - day, device="d8")
            return replace(said, readings=(old,))

        await fill(store, 0, 10)
        async with shipping(store, sink, read) as one:
            await until(done(one, 498))
            assert one.lag().refused == 2
    since = f"time >= {T0}000000"
    rows = influx_bucket.influxql(f"SELECT count(occupancy) FROM people_count WHERE {since}")
    assert [row["count"] for row in rows] == [498]
    aside = await store.cursors.refused(HALL, "h")
    assert [row.index for row in aside] == [260, 13]
    assert all("field type conflict" in row.reason and row.device == "d8" for row in aside)
    assert aside[0].fields == (("occupancy", 260.0),)
    assert await store.cursors.refused_count(HALL, "h") == 2


class Fussy:
    """A sink in memory that refuses some values and can be switched off."""

    def __init__(self, *refused: float) -> None:
        self.refused = refused
        self.kept: dict[int, Point] = {}
        self.down = False
        self.calls = 0

    async def write(self, points: Sequence[Point]) -> None:
        self.calls += 1
        if self.down:
            raise HistoryDownError("off")
        bad = [one for one in points if one.fields[0][1] in self.refused]
        if bad:
            raise PointsRefusedError(f"bad {bad[0].fields[0][1]}")
        self.kept.update((one.ns, one) for one in points)


async def test_many_refused_points_are_each_found(store: Store) -> None:
    await fill(store, 0, 6)
    bad = {0.0, 1.0, 69.0, 70.0, 150.0, 299.0}
    sink = Fussy(*bad)
    async with shipping(store, sink) as one:
        await until(done(one, 294))
    assert sorted(one.index for one in sink.kept.values()) == [n for n in range(300) if n not in bad]
    aside = await store.cursors.refused(HALL, "h")
    assert {(row.index, row.reason) for row in aside} == {(int(n), f"bad {n}") for n in bad}


async def test_somebody_is_told_once_when_it_falls_behind_and_once_when_it_is_back(store: Store) -> None:
    told: list[tuple[bool, str]] = []
    sink = Fussy()
    sink.down = True
    index = await fill(store, 0, 2)
    async with shipping(store, sink, tell=lambda *what: told.append(what), tell_behind=300) as one:
        await until(lambda: one.lag().state == Shipping.DOWN)
        assert told == []
        index = await fill(store, index, 6)
        await until(lambda: len(told) == 1, 5)
        assert told[0][0]
        sink.down = False
        await until(done(one, index))
        await until(lambda: len(told) == 2, 5)
        assert not told[1][0]
    assert len(sink.kept) == index


async def test_what_a_process_before_has_told_is_taken_back_when_this_one_has_caught_up(store: Store) -> None:
    told: list[tuple[bool, str]] = []
    index = await fill(store, 0, 2)
    async with shipping(store, Fussy(), tell=lambda *what: told.append(what), tell_behind=300, told=True) as one:
        await until(done(one, index))
        await until(lambda: len(told) == 1, 5)
    assert not told[0][0]


async def test_a_damaged_row_costs_itself_alone(store: Store) -> None:
    index = await fill(store, 0, 1)
    await store.journal.commit(Batch(HALL, index, 5, T0, b"\xc1 no msgpack"))
    await fill(store, index + 5, 1)
    sink = Fussy()
    async with shipping(store, sink) as one:
        await until(done(one, 100))
    assert len(sink.kept) == 100


async def test_the_journal_may_be_trimmed_behind_a_history_only(store: Store) -> None:
    await fill(store, 0, 3)
    sink = Fussy()
    sink.down = True
    async with shipping(store, sink) as one:
        await until(lambda: one.lag().state == Shipping.DOWN)
        assert [(cursor.name, cursor.index) for cursor in await store.cursors.all(HALL)] == [("h", 0)]
        assert await store.budget.trim(HALL, 150) == 0


async def test_catching_up_holds_the_loop_for_moments_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(store, 0, 40, 500)
    work = {"decoded": 0, "pointed": 0}
    most = dict(work)

    def read(heard: Heard) -> Arrival | None:
        work["decoded"] += 1
        return read_count(heard)

    def pointed(said: Said, salt: bytes) -> list[Point]:
        work["pointed"] += 1
        return points(said, salt)

    monkeypatch.setattr(shipper, "points", pointed)
    async with shipping(store, ReadingsSink(store.writer), read) as one:
        while not done(one, 20_000)():
            await asyncio.sleep(0)
            for name, count in work.items():
                most[name] = max(most[name], count)
                work[name] = 0
    assert len(await ReadingsHistory(store.reader).range(OCCUPANCY, T0, T0 + 20_000)) == 20_000
    # In each turn of the event loop a slice and the rest of one before it, whatever a row of the journal holds.
    assert 0 < most["decoded"] <= 2 * shipper.READ_AT_ONCE
    assert 0 < most["pointed"] <= 2 * shipper.POINTED_AT_ONCE
