"""Case `path`: a flood through a real broker and a real gateway, until it is durable and until the history has it."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks import telegraf
from benchmarks.figures import Table
from benchmarks.hall import Servers
from benchmarks.load import Sent, load
from benchmarks.plan import NotMeasuredError, Plan, Say
from benchmarks.servers import EACH_CHANGE, Gateway, broker, cpu_s, influxd, loop_cpu_s, memory_mb, of_bucket
from benchmarks.stores import Ground, grounds
from gateway.store.engines import make_engine
from tests.servers.influx import InfluxBucket, Influxd
from tests.servers.mosquitto import Mosquitto

# One field of each kind, which every message of that kind has.
FIELDS = {
    "environment": "temperature_c",
    "people_count": "occupancy",
    "presence": "present",
    "queue": "length",
    "equipment": "power_w",
}
WITHIN_S = 300.0
RATE, CPU = "messages/s", "µs a message"
# Telegraf writes once a second, or every ten: with fewer messages its rate is that of its clock.
FEW_MESSAGES = 100_000


@dataclass(frozen=True, slots=True)
class Flood:
    """One flood's surroundings: where it goes through and how what the history has is counted."""

    label: str
    messages: int
    mosquitto: Mosquitto
    gateway: Gateway
    ground: Ground
    history_pid: int | None
    read_back: Callable[[], int]


async def run(plan: Plan, say: Say) -> Table:
    """A flood to each history in every round, by turns, each with a broker and a gateway of its own."""
    title = f"A flood of {plan.messages} messages at QoS 1 from 100 devices, about 130 bytes each"
    table = Table("path", title, "durable")
    with contextlib.ExitStack() as stack:
        stores = stack.enter_context(grounds(plan, table))
        server: Influxd | None = None
        try:
            server = stack.enter_context(influxd(plan.folder))
        except NotMeasuredError as missing:
            table.lack(f"left out: history in InfluxDB, and Telegraf with it. {missing}")
        for number in range(plan.rounds):
            for ground in stores:
                await _ours(plan, table, number, ground, server, say)
            if plan.profiles is not None:
                continue
            if server is not None:
                await _peers(plan, table, number, server, say)
            say(f"round {number + 1}: a broker that saves at each change")
            await _to_careful_broker(plan, table, number, stores[0])
    table.notes += NOTES
    return table


async def _ours(plan: Plan, table: Table, number: int, ground: Ground, server: Influxd | None, say: Say) -> None:
    say(f"round {number + 1}: {ground.name}, readings table")
    await _to_readings(plan, table, number, ground)
    if server is not None:
        say(f"round {number + 1}: {ground.name}, InfluxDB")
        await _to_influx(plan, table, number, ground, server)


async def _peers(plan: Plan, table: Table, number: int, server: Influxd, say: Say) -> None:
    """Telegraf in the gateway's place; where it is not installed the table says so."""
    try:
        telegraf.telegraf_program()
    except NotMeasuredError as missing:
        table.note(f"left out: Telegraf. {missing}")
        return
    if plan.messages < FEW_MESSAGES:
        table.note(f"Telegraf's messages/s say little below --messages {FEW_MESSAGES}: it waits for its flush.")
    for tuning in telegraf.TUNINGS:
        say(f"round {number + 1}: {tuning.label}")
        folder = plan.folder / f"{tuning.batch}-{number}"
        bucket = server.create_bucket(f"telegraf-{tuning.batch}-{number}")
        try:
            await telegraf.flood(table, folder, server, bucket, tuning, plan.messages)
        except NotMeasuredError as missing:
            table.note(f"left out: {tuning.label}. {missing}")


NOTES = (
    "durable: first PUBLISH until the account has stored the last (each 50 ms; up to two batches are not written yet).",
    "in history: until the store, read back, has every point; the CPU is all that was used until then.",
    "gateway: the whole process; its loop: the thread that decides, without the threads that write and read the store.",
    "each change: the broker writes its disk file after each change (a tenth of the messages), else each second.",
)


def _profile(plan: Plan, label: str, number: int) -> Path | None:
    return None if plan.profiles is None else plan.profiles.resolve() / f"path-{label}-{number + 1}.prof"


def _gateway(
    folder: Path, ground: Ground, servers: Servers, *, token: str = "", profile: Path | None = None
) -> Gateway:
    return Gateway(folder, servers, store=ground.fresh(folder / "data"), token=token, profile=profile)


async def _to_readings(plan: Plan, table: Table, number: int, ground: Ground) -> None:
    name = f"{ground.name.lower()}-readings"
    folder = plan.folder / f"{name}-{number}"
    with broker(folder) as mosquitto:
        gateway = _gateway(folder, ground, Servers(mosquitto.port), profile=_profile(plan, name, number))
        label, back = f"{ground.name}, history in it", lambda: _readings(gateway.store)
        flood = Flood(label, plan.messages, mosquitto, gateway, ground, None, back)
        await _flood(table, flood, orderly=plan.profiles is not None)


async def _to_influx(plan: Plan, table: Table, number: int, ground: Ground, server: Influxd) -> None:
    name = f"{ground.name.lower()}-influx"
    folder, bucket = plan.folder / f"{name}-{number}", server.create_bucket(f"{name}-{number}")
    with broker(folder) as mosquitto:
        servers, profile = Servers(mosquitto.port, influx=of_bucket(bucket)), _profile(plan, name, number)
        gateway = _gateway(folder, ground, servers, token=server.token, profile=profile)
        label, pid = f"{ground.name}, history in InfluxDB", server.process.pid
        flood = Flood(label, plan.messages, mosquitto, gateway, ground, pid, lambda: _points(bucket))
        await _flood(table, flood, orderly=plan.profiles is not None)


async def _to_careful_broker(plan: Plan, table: Table, number: int, ground: Ground) -> None:
    folder, count = plan.folder / f"careful-{number}", plan.messages // 10
    with broker(folder, config=EACH_CHANGE) as mosquitto:
        gateway = _gateway(folder, ground, Servers(mosquitto.port))
        label, back = f"{ground.name}; broker saves each change", lambda: _readings(gateway.store)
        await _flood(table, Flood(label, count, mosquitto, gateway, ground, None, back), orderly=False)


def _readings(store: str) -> int:
    """Messages whose point the readings table has, one field of each kind being counted."""
    pairs = " OR ".join(f"(kind = '{kind}' AND field = '{field}')" for kind, field in FIELDS.items())
    query = f"SELECT count(*) FROM readings JOIN series ON series.id = readings.series WHERE {pairs}"  # noqa: S608
    with make_engine(store, writing=False).connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def _points(bucket: InfluxBucket) -> int:
    found = 0
    for kind, field in FIELDS.items():
        rows = bucket.influxql(f'SELECT count("{field}") AS n FROM "{kind}"')  # noqa: S608
        found += int(rows[0]["n"]) if rows else 0
    return found


async def _flood(table: Table, flood: Flood, *, orderly: bool) -> None:
    gateway, count = flood.gateway, flood.messages
    async with gateway.running(orderly=orderly), load(flood.mosquitto.port, count) as running:
        before = _used(flood)
        first = (await gateway.status()).stored
        running.begin()
        sent = await running.ended()
        durable = await gateway.until(lambda status: status.stored - first >= count, WITHIN_S, "done with the flood")
        await gateway.until(lambda status: status.behind == 0, WITHIN_S, "done with the history")
        shipped = await _counted(flood, count)
        after = _used(flood)
        memory = memory_mb(gateway.pid)
        status = await gateway.status()
    if status.stored - first != count:
        raise NotMeasuredError(f"{status.stored - first} messages were stored of {count} that were published")
    _put(table, flood.label, sent, (durable, shipped))
    for name, used in after.items():
        table.add(flood.label, name, CPU, (used - before[name]) / count * 1e6)
    table.add(flood.label, "memory", "MiB", memory)


def _used(flood: Flood) -> dict[str, float]:
    """CPU of everybody who takes part, s."""
    gateway = flood.gateway.pid
    used = {"gateway": cpu_s(gateway), "its loop": loop_cpu_s(gateway), "broker": cpu_s(flood.mosquitto.process.pid)}
    if flood.history_pid is not None:
        used["influxd"] = cpu_s(flood.history_pid)
    if flood.ground.server is not None:
        used["PostgreSQL"] = flood.ground.cpu_s()
    return used


async def _counted(flood: Flood, count: int) -> float:
    """When the store, read back, had every point. The shipper's lag is looked at once a turn, so zero may be early."""
    end = time.monotonic() + WITHIN_S
    while (found := await asyncio.to_thread(flood.read_back)) < count:
        if time.monotonic() > end:
            raise NotMeasuredError(f"{flood.label}: {found} points were read back of {count}")
        await asyncio.sleep(0.1)
    return time.monotonic()


def _put(table: Table, label: str, sent: Sent, reached: tuple[float, float]) -> None:
    durable, shipped = reached
    table.add(label, "durable", RATE, sent.count / (durable - sent.began))
    table.add(label, "in history", RATE, sent.count / (shipped - sent.began))
    table.add(label, "taken by broker", RATE, sent.count / (sent.ended - sent.began))
