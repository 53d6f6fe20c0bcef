"""Case `alarm`: a smoke detector publishes, a webhook is called; alone, beside telemetry, and beside a flood of it.

In between lie the broker, the journal, the plan's start, the outbox and a second commit: nobody is called by a
message that a power cut could make us forget.
"""

import asyncio
import json
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from benchmarks import alertmanager
from benchmarks.figures import Table, percentile
from benchmarks.hall import DETECTORS, Servers, fire
from benchmarks.load import load
from benchmarks.plan import NotMeasuredError, Plan, Say
from benchmarks.servers import SELDOM, Gateway, broker
from benchmarks.stores import Ground, grounds
from benchmarks.wire import Publisher, publisher

FLOOD = -1
LOADS = {"alone": 0, "beside 500/s": 500, "beside 2000/s": 2000, "beside a flood": FLOOD}
# Of another store than the default one.
FEWER_LOADS = {label: rate for label, rate in LOADS.items() if rate != 500}
PEER = "Alertmanager, HTTP in, alone"
LOST_AFTER_S = 10.0
WARM_UP = 5
# More than any alarm's share of a flood; the load is ended with the round.
FLOOD_MESSAGES = 400_000
SETTLE_S = 1.0


@dataclass(slots=True)
class Hook:
    """A webhook that notes when it is first called about each thing."""

    url: str = ""
    called: dict[str, float] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        """Take one call; its time is that of its arrival, its body not yet read."""
        at = time.monotonic()
        body = json.loads(await request.read())
        # Alertmanager, the peer, calls it a group.
        about = str(body["about"] if "about" in body else body["groupKey"])
        if about not in self.called:
            self.called[about] = at
            self.news.set()
        return web.Response()

    async def next(self, known: set[str], within_s: float) -> tuple[str, float] | None:
        """What was called about that is not `known`, and when; None if nothing comes."""
        try:
            async with asyncio.timeout(within_s):
                while not (fresh := [about for about in self.called if about not in known]):
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            return None
        return fresh[0], self.called[fresh[0]]


async def _served(stack: AsyncExitStack) -> Hook:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    return hook


async def run(plan: Plan, say: Say) -> Table:
    """Each load in every round, by turns, with a gateway of its own."""
    alarms = 20 if plan.quick else 100
    table = Table(
        "alarm", f"Smoke alarm published → webhook called, {alarms} alarms a round, one after the other", "p50"
    )
    with grounds(plan, table) as stores:
        for number in range(plan.rounds):
            for ground in stores:
                for label, rate in (LOADS if ground is stores[0] else FEWER_LOADS).items():
                    say(f"round {number + 1}: {ground.row(label)}")
                    folder = plan.folder / f"alarm-{number}-{ground.name}-{rate}"
                    _put(table, ground.row(label), await _round(folder, ground, rate, alarms), alarms)
            say(f"round {number + 1}: {PEER}")
            await _peer(plan, table, number, alarms)
    table.notes.append(
        "In between: broker, journal (FULL), plan started, outbox, the attempt journalled as well, HTTP POST."
    )
    table.notes.append(
        f"lost: not called within {LOST_AFTER_S:.0f} s. The flood is what the broker takes, the gateway at its limit."
    )
    table.notes.append(
        "left out: Home Assistant, which wants a Python and a folder of its own; docs/benchmarks.md has figures of it."
    )
    return table


async def _peer(plan: Plan, table: Table, number: int, alarms: int) -> None:
    async with AsyncExitStack() as stack:
        hook = await _served(stack)
        try:
            taken = await alertmanager.alerts(plan.folder / f"alertmanager-{number}", hook, alarms, WARM_UP)
        except NotMeasuredError as missing:
            table.note(f"left out: {PEER}. {missing}")
            return
    _put(table, PEER, taken, alarms)


def _put(table: Table, label: str, taken: list[float], alarms: int) -> None:
    if taken:
        table.add(label, "p50", "ms", percentile(taken, 0.5))
        table.add(label, "p90", "ms", percentile(taken, 0.9))
        table.add(label, "p99", "ms", percentile(taken, 0.99))
        table.add(label, "max", "ms", max(taken))
    table.add(label, "lost", "alarms", alarms - len(taken))


async def _round(folder: Path, ground: Ground, rate: int, alarms: int) -> list[float]:
    async with AsyncExitStack() as stack:
        # The broker's own pauses while it writes what a flood has queued are no part of this (see `path`).
        mosquitto = stack.enter_context(broker(folder, config=SELDOM))
        hook = await _served(stack)
        made = Gateway(folder, Servers(mosquitto.port, hook.url), store=ground.fresh(folder / "data"))
        gateway = await stack.enter_async_context(made.running())
        out = await stack.enter_async_context(publisher(mosquitto.port, "alarm"))
        site = Site(gateway, hook, out)
        await site.alarms(WARM_UP)
        if rate:
            # Enough for the round at any pace; it ends with the block.
            count = FLOOD_MESSAGES if rate == FLOOD else rate * 60
            running = await stack.enter_async_context(load(mosquitto.port, count, max(rate, 0)))
            running.begin()
            await asyncio.sleep(SETTLE_S)
        return await site.alarms(alarms)


@dataclass(slots=True)
class Site:
    """The hall in which it burns again and again."""

    gateway: Gateway
    hook: Hook
    out: Publisher
    known: set[str] = field(default_factory=set)
    sequence: int = 0

    async def alarms(self, count: int) -> list[float]:
        """Raise `count` alarms one after the other; ms from publishing to the call, of those not lost."""
        dice = random.Random(count)
        taken: list[float] = []
        for number in range(count):
            await asyncio.sleep(dice.uniform(0.02, 0.06))
            began = time.monotonic()
            await self._say(number % DETECTORS, alarm=True)
            called = await self.hook.next(self.known, LOST_AFTER_S)
            if called is not None:
                self.known.add(called[0])
                taken.append((called[1] - began) * 1000)
            await self._say(number % DETECTORS, alarm=False)
            await self._over()
        return taken

    async def _say(self, number: int, *, alarm: bool) -> None:
        self.sequence += 1
        await self.out.publish([fire(number, self.sequence, alarm=alarm)])

    async def _over(self) -> None:
        """A person says that it was a false alarm: the run ends, and the next alarm starts the plan anew."""
        for one in await self.gateway.runs():
            self.known.add(one["id"])
            await self.gateway.act(do="stand_down", run=one["id"], reason="false_alarm")
