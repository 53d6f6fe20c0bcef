"""Case `path`: a flood through a real broker and a real gateway, until it is durable and until the history has it."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import telegraf
from benchmarks.figures import Table
from benchmarks.hall import Servers
from benchmarks.load import Sent, load
from benchmarks.plan import NotMeasuredError, Plan, Say
from benchmarks.servers import EACH_CHANGE, Gateway, broker, cpu_s, influxd, memory_mb, of_bucket
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


@dataclass(frozen=True, slots=True)
class Flood:
    """One flood's surroundings: where it goes through and how what the history has is counted."""

    label: str
    messages: int
    mosquitto: Mosquitto
    gateway: Gateway
    history_pid: int | None
    read_back: Callable[[], int]


async def run(plan: Plan, say: Say) -> Table:
    """A flood to each history in every round, by turns, each with a broker and a gateway of its own."""
    title = f"A flood of {plan.messages} messages at QoS 1 from 100 devices, about 130 bytes each"
    table = Table("path", title, "durable")
    with contextlib.ExitStack() as stack:
        server: Influxd | None = None
        try:
            server = stack.enter_context(influxd(plan.folder))
        except NotMeasuredError as missing:
            table.notes.append(f"InfluxDB was not measured: {missing}")
        for number in range(plan.rounds):
            say(f"round {number + 1}: readings table")
            await _to_sqlite(plan, table, number)
            if server is not None:
                say(f"round {number + 1}: InfluxDB")
                await _to_influx(plan, table, number, server)
                await _peers(plan, table, number, server, say)
            say(f"round {number + 1}: a broker that saves at each change")
            await _to_careful_broker(plan, table, number)
    table.notes += NOTES
    return table


async def _peers(plan: Plan, table: Table, number: int, server: Influxd, say: Say) -> None:
    """Telegraf in the gateway's place; where it is not installed the table says so."""
    for tuning in telegraf.TUNINGS:
        say(f"round {number + 1}: {tuning.label}")
        folder = plan.folder / f"{tuning.batch}-{number}"
        bucket = server.create_bucket(f"telegraf-{tuning.batch}-{number}")
        try:
            await telegraf.flood(table, folder, server, bucket, tuning, plan.messages)
        except NotMeasuredError as missing:
            if str(missing) not in table.notes:
                table.notes.append(str(missing))
            return


NOTES = (
    "durable: from the first PUBLISH until the gateway's account has stored the last (looked at each 50 ms).",
    "in history: until the store, read back, has every point; the CPU is all that was used until then.",
    "each change: the broker writes its disk file after each change (a tenth of the messages), else each second.",
)


def _profile(plan: Plan, label: str, number: int) -> Path | None:
    return None if plan.profiles is None else plan.profiles.resolve() / f"path-{label}-{number + 1}.prof"


async def _to_sqlite(plan: Plan, table: Table, number: int) -> None:
    folder = plan.folder / f"sqlite-{number}"
    with broker(folder) as mosquitto:
        gateway = Gateway(folder, Servers(mosquitto.port), profile=_profile(plan, "sqlite", number))
        flood = Flood("history in SQLite", plan.messages, mosquitto, gateway, None, lambda: _readings(gateway.store))
        await _flood(table, flood, orderly=plan.profiles is not None)


async def _to_influx(plan: Plan, table: Table, number: int, server: Influxd) -> None:
    folder, bucket = plan.folder / f"influx-{number}", server.create_bucket(f"path-{number}")
    with broker(folder) as mosquitto:
        servers, profile = Servers(mosquitto.port, influx=of_bucket(bucket)), _profile(plan, "influx", number)
        gateway = Gateway(folder, servers, token=server.token, profile=profile)
        pid, count = server.process.pid, plan.messages
        flood = Flood("history in InfluxDB", count, mosquitto, gateway, pid, lambda: _points(bucket))
        await _flood(table, flood, orderly=plan.profiles is not None)


async def _to_careful_broker(plan: Plan, table: Table, number: int) -> None:
    folder, count = plan.folder / f"careful-{number}", plan.messages // 10
    with broker(folder, config=EACH_CHANGE) as mosquitto:
        gateway = Gateway(folder, Servers(mosquitto.port))
        flood = Flood(
            "SQLite; broker saves each change", count, mosquitto, gateway, None, lambda: _readings(gateway.store)
        )
        await _flood(table, flood, orderly=False)


def _readings(store: Path) -> int:
    """Messages whose point the readings table has, one field of each kind being counted."""
    pairs = " OR ".join("(kind = ? AND field = ?)" for _ in FIELDS)
    names = [name for pair in FIELDS.items() for name in pair]
    query = f"SELECT count(*) FROM readings JOIN series ON series.id = readings.series WHERE {pairs}"  # noqa: S608
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return int(connection.execute(query, names).fetchone()[0])


def _points(bucket: InfluxBucket) -> int:
    found = 0
    for kind, field in FIELDS.items():
        rows = bucket.influxql(f'SELECT count("{field}") AS n FROM "{kind}"')  # noqa: S608
        found += int(rows[0]["n"]) if rows else 0
    return found


async def _flood(table: Table, flood: Flood, *, orderly: bool) -> None:
    gateway, count = flood.gateway, flood.messages
    async with gateway.running(orderly=orderly), load(flood.mosquitto.port, count) as running:
        watched = [gateway.pid, flood.mosquitto.process.pid, flood.history_pid]
        before = [0.0 if pid is None else cpu_s(pid) for pid in watched]
        first = (await gateway.status()).stored
        running.begin()
        sent = await running.ended()
        durable = await gateway.until(lambda status: status.stored - first >= count, WITHIN_S, "done with the flood")
        await gateway.until(lambda status: status.behind == 0, WITHIN_S, "done with the history")
        shipped = await _counted(flood, count)
        used = [0.0 if pid is None else cpu_s(pid) - was for pid, was in zip(watched, before, strict=True)]
        memory = memory_mb(gateway.pid)
        status = await gateway.status()
    if status.stored - first != count:
        raise NotMeasuredError(f"{status.stored - first} messages were stored of {count} that were published")
    _put(table, flood.label, sent, (durable, shipped), (used[0], used[1], used[2], memory))


async def _counted(flood: Flood, count: int) -> float:
    """When the store, read back, had every point. The shipper's lag is looked at once a turn, so zero may be early."""
    end = time.monotonic() + WITHIN_S
    while (found := await asyncio.to_thread(flood.read_back)) < count:
        if time.monotonic() > end:
            raise NotMeasuredError(f"{flood.label}: {found} points were read back of {count}")
        await asyncio.sleep(0.1)
    return time.monotonic()


def _put(
    table: Table, label: str, sent: Sent, reached: tuple[float, float], used: tuple[float, float, float, float]
) -> None:
    durable, shipped = reached
    gateway, mosquitto, history, memory = used
    table.add(label, "durable", RATE, sent.count / (durable - sent.began))
    table.add(label, "in history", RATE, sent.count / (shipped - sent.began))
    table.add(label, "taken by broker", RATE, sent.count / (sent.ended - sent.began))
    table.add(label, "gateway", CPU, gateway / sent.count * 1e6)
    table.add(label, "broker", CPU, mosquitto / sent.count * 1e6)
    if history:
        table.add(label, "influxd", CPU, history / sent.count * 1e6)
    table.add(label, "memory", "MiB", memory)
