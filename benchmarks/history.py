"""Case `history`: how long a chart of a month of one queue takes, from the question to the answer's bytes."""

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

import aiohttp
import msgspec

from benchmarks.figures import Table
from benchmarks.plan import NotMeasuredError, Plan, Say
from benchmarks.servers import influxd
from benchmarks.stores import grounds, turns
from dashboard.server.curves import curve, step_for
from gateway.history.contract import Asked, HistoryQuery, HistorySink
from gateway.history.points import Point
from gateway.history.readings import ReadingsHistory, ReadingsSink
from gateway.influx.query import InfluxHistory
from gateway.influx.ship import open_sink
from gateway.store.sql import open_store
from sensors.readings import Kind
from tests.servers.influx import InfluxBucket

BEGIN: Final = 1_790_000_000_000
DAY_MS: Final = 86_400_000
DAYS: Final = 30
# As often as the bench's own queues speak.
EVERY_MS: Final = 10_000
ASKED: Final = Asked("main", Kind.QUEUE, "length", devices=("queue-0",))
RANGES: Final = {"4 hours": DAY_MS // 6, "1 day": DAY_MS, "7 days": 7 * DAY_MS, "30 days": 30 * DAY_MS}
AT_ONCE: Final = 20_000
ASKS: Final = 5


async def run(plan: Plan, say: Say) -> Table:
    """Each range at each store; the month is written once, and asked for anew in each round."""
    table = Table(
        "history",
        f"A chart of one queue that spoke every {EVERY_MS // 1000} s for {DAYS} days, beside three others",
        "answer",
    )
    with contextlib.ExitStack() as stack:
        stores = stack.enter_context(grounds(plan, table))
        try:
            server = stack.enter_context(influxd(plan.folder))
        except NotMeasuredError as missing:
            table.lack(f"left out: history in InfluxDB. {missing}")
            server = None
        for ground in turns(stores, 0):
            async with open_store(ground.fresh(plan.folder / f"history-{ground.name}")) as store:
                say(f"{ground.name}: a month is written")
                await _month(ReadingsSink(store.writer), quick=plan.quick)
                await _ask(table, ReadingsHistory(store.reader), ground.row("{}"), plan, say)
        if server is not None:
            async with _influx(server.create_bucket("history")) as (sink, query):
                say("InfluxDB: a month is written")
                await _month(sink, quick=plan.quick)
                await _ask(table, query, "{}, InfluxDB", plan, say)
    table.notes.append("Mean, lowest and highest of each step of the chart, put together and written as JSON.")
    return table


@asynccontextmanager
async def _influx(bucket: InfluxBucket) -> AsyncIterator[tuple[HistorySink, HistoryQuery]]:
    async with open_sink(bucket.url, bucket.org, bucket.name, bucket.token) as sink, aiohttp.ClientSession() as session:
        yield sink, InfluxHistory(session, bucket.url, bucket.name, bucket.token)


async def _month(sink: HistorySink, *, quick: bool) -> None:
    """Four queues' readings, in the order in which they came."""
    chance, batch = Random(7), list[Point]()
    days = 3 if quick else DAYS
    for place, at in enumerate(range(BEGIN, BEGIN + days * DAY_MS, EVERY_MS)):
        for queue in range(4):
            fields = (("length", float(chance.randint(0, 30))),)
            batch.append(Point("main", Kind.QUEUE, f"queue-{queue}", "z0", "", fields, at * 1_000_000, place))
        if len(batch) >= AT_ONCE:
            await sink.write(batch)
            batch = []
    await sink.write(batch)


async def _ask(table: Table, query: HistoryQuery, label: str, plan: Plan, say: Say) -> None:
    end = BEGIN + (3 if plan.quick else DAYS) * DAY_MS
    for number in range(plan.rounds):
        for name, length in RANGES.items():
            if length > end - BEGIN:
                continue
            say(f"round {number + 1}: {label.format(name)}")
            took = min([await _answer(query, end - length, end) for _ in range(ASKS)])
            table.add(label.format(name), "answer", "ms", took)


async def _answer(query: HistoryQuery, start: int, end: int) -> float:
    began = time.perf_counter()
    times = range(start, end, step_for(end - start))
    found = await query.spread(ASKED, start, end, times.step)
    made = curve(times, found, {"queue-0": 180_000}, unit="people", added=False, summed=False)
    size = len(msgspec.json.encode(made))
    took = (time.perf_counter() - began) * 1000
    if not size or sum(made.counts) != (end - start) // EVERY_MS:
        raise NotMeasuredError(f"{sum(made.counts)} readings were found, not {(end - start) // EVERY_MS}")
    return took
