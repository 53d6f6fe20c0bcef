"""Case `core`: the CPU of each step of a message's way, in this process and by itself."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from msgspec.structs import replace

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Book
from benchmarks.figures import Table
from benchmarks.hall import HALL, Servers, Speaker, badge_reader, detector, load_site, speakers, stream
from benchmarks.plan import NotMeasuredError, Plan, Say
from benchmarks.stores import Ground, grounds
from gateway.batch import BatchMaker, Entry
from gateway.history.points import Point, points, read_row
from gateway.history.readings import ReadingsSink
from gateway.history.recent import Said
from gateway.influx.line import line
from gateway.link.contract import Delivery
from gateway.store.contract import Batch, JournalRow
from gateway.store.sql import open_store
from sensors.decode.family import Packet
from sensors.decode.native import NativeFamily
from sensors.decode.reception import Arrival, Reception, Verdict
from sensors.decode.sequence import is_duplicate
from sensors.decode.zigbee2mqtt import Zigbee2MqttFamily
from sensors.facts import Fact, FactKind, Subject
from sensors.hall.hall import Hall
from sensors.inputs import Heard, Lane, Started, pack

BEGIN = 1_795_400_000_000
EVERY_MS = 10.0
BATCH = 100
READINGS = 300
SIZES = (1, 10, 100, 500)
SALT = b"0123456789abcdef"
ZIGBEE = b'{"temperature":21.5,"humidity":45.2,"battery":87,"voltage":3000,"linkquality":120,"pressure":1013.2}'
US = "µs"


@dataclass(slots=True)
class Rig:
    """Steps 2 to 4 of a hall, begun."""

    core: Core
    reception: Reception
    maker: BatchMaker

    @classmethod
    def begin(cls) -> "Rig":
        """A hall that has just started, at `BEGIN`."""
        loaded = load_site(Servers())
        if loaded.site is None:
            raise NotMeasuredError(f"the site of the benchmarks has errors: {loaded.problems}")
        hall = Hall(loaded.site, HALL)
        core = Core(hall, Engine(loaded.site, HALL, Book()))
        reception = Reception(loaded.site, HALL, hall.state)
        core.step(Started(BEGIN, loaded.digest))
        core.take()
        return cls(core, reception, BatchMaker(core, reception, hall=HALL, index=0))


def deliveries(devices: list[Speaker], count: int, first: int = 1, lane: Lane = Lane.TELEMETRY) -> list[Entry]:
    """`count` messages as a link hands them over."""
    start = BEGIN + int(first * len(devices) * EVERY_MS)
    made = stream(devices, count, start, EVERY_MS, first)
    return [
        Delivery(Packet(topic, payload, lane, at), number % 65_535, 1)
        for number, (topic, payload, at) in enumerate(made)
    ]


def packets(entries: list[Entry]) -> list[Packet]:
    """The packets of deliveries."""
    return [entry.packet for entry in entries if isinstance(entry, Delivery)]


def timed(work: Callable[[], object], count: int) -> float:
    """CPU of `work`, µs for each of `count`."""
    begin = time.process_time_ns()
    work()
    return (time.process_time_ns() - begin) / count / 1000


async def run(plan: Plan, say: Say) -> Table:
    """Measure each step in every round."""
    count = 1500 if plan.quick else 5000
    table = Table("core", f"CPU a message of each step by itself ({count} messages of 100 devices a round)", "CPU")
    with grounds(plan, table) as stores:
        for number in range(plan.rounds):
            say(f"round {number + 1}: decode, decide, pack")
            _whole(table, count)
            _decode(table, count)
            _duplicates(table, count)
            _fold(table, count)
            _engine(table, count)
            _pack(table, count)
            say(f"round {number + 1}: commit")
            for ground in stores:
                for size in SIZES:
                    await _commit(table, ground, size, min(count, size * 400), plan.folder)
            say(f"round {number + 1}: history")
            made = _history(table, count)
            for ground in stores:
                await _readings(table, ground, made, plan.folder)
    table.notes.append("`commit`: its CPU is that of the writer's thread, its time includes the disk.")
    table.notes.append("SQLite: WAL, synchronous FULL. PostgreSQL: fsync, its own CPU beside it as `server`.")
    return table


def _whole(table: Table, count: int) -> None:
    """Steps 2 to 4 and the pack, as the pipeline does them."""
    rig, entries = Rig.begin(), deliveries(speakers(), count)
    prepare = lambda: [rig.maker.prepare(entries[at : at + BATCH], 0) for at in range(0, count, BATCH)]  # noqa: E731
    table.add(f"steps 2–4 and pack, batches of {BATCH}", "CPU", US, timed(prepare, count))
    if rig.maker.index < count:
        raise NotMeasuredError(f"only {rig.maker.index} inputs came of {count} messages")


def _decode(table: Table, count: int) -> None:
    heard = packets(deliveries(speakers(), count))
    native, zigbee, rig = NativeFamily(HALL), Zigbee2MqttFamily(HALL), Rig.begin()
    table.add("2 decode: native", "CPU", US, timed(lambda: [native.decode(one) for one in heard], count))
    states = [Packet("zigbee2mqtt/lobby/air", ZIGBEE, Lane.TELEMETRY, BEGIN)] * count
    table.add("2 decode: zigbee2mqtt", "CPU", US, timed(lambda: [zigbee.decode(one) for one in states], count))
    read = timed(lambda: [rig.reception.receive(one) for one in heard], count)
    table.add("2 reception: decode, device, duplicate, readings", "CPU", US, read)


def _duplicates(table: Table, count: int) -> None:
    rig, entries = Rig.begin(), deliveries(speakers(), count)
    rig.maker.prepare(entries, 0)
    family, devices = NativeFamily(HALL), rig.core.hall.state.devices
    said = [(family.decode(one), one) for one in packets(entries)]
    known = [(devices[decoded.address], decoded, one) for decoded, one in said]
    found = [0]

    def look() -> None:
        found[0] = sum(is_duplicate(device, said, one.topic, one.payload, dup=True) for device, said, one in known)

    table.add("2 duplicate check", "CPU", US, timed(look, count))
    if found[0] != count:
        raise NotMeasuredError(f"{found[0]} of {count} duplicates were found")


def _arrivals(rig: Rig, heard: list[Packet]) -> list[tuple[Heard, Arrival]]:
    made = []
    for one in heard:
        received = rig.reception.receive(one)
        if received.arrival is None or received.verdict is not Verdict.STORED:
            raise NotMeasuredError(f"{one.topic} was {received.verdict}: {received.detail}")
        made.append((Heard(one.at, one.topic, one.payload, one.lane), received.arrival))
    return made


def _fold(table: Table, count: int) -> None:
    """Step 3 for each kind by itself, deadlines included."""
    kinds: dict[str, list[Speaker]] = {}
    for device in [*speakers(), badge_reader(), *(detector(number) for number in range(10))]:
        kinds.setdefault(device.kind, []).append(device)
    for kind, devices in sorted(kinds.items()):
        rig = Rig.begin()
        arrivals = _arrivals(rig, packets(deliveries(devices, count)))
        hall = rig.core.hall

        def fold(hall: Hall = hall, arrivals: list[tuple[Heard, Arrival]] = arrivals) -> None:
            for item, arrival in arrivals:
                while (due := hall.next_due()) is not None and due <= item.at:
                    hall.fire_due(due)
                hall.step(item, arrival)

        table.add(f"3 hall: {kind}", "CPU", US, timed(fold, count))


def _engine(table: Table, count: int) -> None:
    """Step 4: for most messages there is nothing to decide; a fault raises an alarm and opens a ticket."""
    rig = Rig.begin()
    engine, state = rig.core.engine, rig.core.hall.state
    item = Heard(BEGIN, "t", b"")

    def idle() -> None:
        for _ in range(count):
            engine.next_due()
            engine.step(item, (), state)

    table.add("4 engine: no fact", "CPU", US, timed(idle, count))
    facts = _faults(count // 10)

    def decide() -> None:
        for fact in facts:
            engine.decide(fact.at, (fact,), state)
            engine.take()

    table.add("4 engine: a fault begins or ends", "CPU", US, timed(decide, len(facts)))


def _faults(count: int) -> list[Fact]:
    made = []
    for number in range(count):
        at = BEGIN + number * 1000
        subject = Subject("device", f"d-{number // 2 % 10:03d}")
        holds = number % 2 == 0
        key = f"equipment_fault/{subject.id}"
        made.append(Fact(key, FactKind.EQUIPMENT_FAULT, subject, holds, at, at, device=subject.id))
    return made


def _pack(table: Table, count: int) -> None:
    items = [Heard(one.at, one.topic, one.payload, one.lane) for one in packets(deliveries(speakers(), count))]
    table.add(
        "5 pack",
        "CPU",
        US,
        timed(lambda: [pack([*items[at : at + BATCH]]) for at in range(0, count, BATCH)], count),
    )


def _batches(count: int, size: int) -> tuple[Rig, list[Batch]]:
    rig, entries = Rig.begin(), deliveries(speakers(), count)
    made = [rig.maker.prepare(entries[at : at + size], 0).batch for at in range(0, count, size)]
    return rig, [batch for batch in made if batch is not None]


async def _commit(table: Table, ground: Ground, size: int, count: int, folder: Path) -> None:
    _, batches = _batches(count, size)
    place = folder / "commit"
    async with open_store(ground.fresh(place)) as store:
        with _costs(table, ground, f"5 commit, batches of {size}", count):
            for batch in batches:
                await store.journal.commit(batch)
    rmtree(place, ignore_errors=True)


def _history(table: Table, count: int) -> list[Point]:
    rig, batches = _batches(count, BATCH)
    rows = [JournalRow(batch.index, batch.count, batch.at, batch.blob) for batch in batches]
    made: list[Point] = []

    said: list[Said] = []

    def read() -> None:
        for row in rows:
            said.extend(read_row(row, rig.reception.read))

    def point() -> None:
        for one in said:
            made.extend(points(one, SALT))

    table.add("7 history: journal row read again (where it lags)", "CPU", US, timed(read, count))
    table.add("7 history: a message's points", "CPU", US, timed(point, count))
    table.add("7 history: line protocol, a point", "CPU", US, timed(lambda: [line(point) for point in made], len(made)))
    return made


async def _readings(table: Table, ground: Ground, made: Sequence[Point], folder: Path) -> None:
    place = folder / "readings"
    async with open_store(ground.fresh(place)) as store:
        sink = ReadingsSink(store.writer)
        # The numbers of the series are found once; that is no part of the ordinary day.
        await sink.write([replace(point, ns=point.ns - 1) for point in made[:BATCH]])
        with _costs(table, ground, f"7 history: readings table, batches of {READINGS}, a point", len(made)):
            for at in range(0, len(made), READINGS):
                await sink.write(made[at : at + READINGS])
    rmtree(place, ignore_errors=True)


@contextmanager
def _costs(table: Table, ground: Ground, label: str, count: int) -> Iterator[None]:
    """What the block costs for each of `count`: our CPU, the time with the disk, and the database server's CPU."""
    began, used, server = time.perf_counter(), time.process_time(), ground.cpu_s()
    yield
    used, took, server = time.process_time() - used, time.perf_counter() - began, ground.cpu_s() - server
    table.add(ground.row(label), "CPU", US, used / count * 1e6)
    table.add(ground.row(label), "time", US, took / count * 1e6)
    if ground.server is not None:
        table.add(ground.row(label), "server", US, server / count * 1e6)
