"""Case `storm`: two hundred alarms a second for a minute, a fire among them; how soon is each told of first?

Once of machines that fail, which is routine and is gathered into summaries, and once of buttons that call for help,
which is a matter of life and goes out one by one.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Table, percentile
from benchmarks.plan import NotMeasuredError, Plan, Say
from benchmarks.servers import SELDOM, Gateway, broker, cpu_s, memory_mb
from benchmarks.stores import Ground, grounds, turns
from benchmarks.wire import Publisher, publisher
from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.system.storm import FIRE, Said, aftermath, calls, failures, fire, storm_site, unsettled

RATE = 200
STEP = 5
HELP_S = 10
SETTLED_S = 0.5
WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Storm:
    """What fails: machines (three alarms in each) or buttons."""

    label: str
    machines: int = 0
    buttons: int = 0

    def said(self) -> Iterator[Said]:
        """All of it, in order."""
        yield from failures(self.machines)
        yield from calls(self.buttons)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one storm: ms from publishing to the first call, of every alarm and of the fire."""

    first: list[float]
    fire: float
    calls: int
    lost: int
    cpu: float
    memory: float


async def run(plan: Plan, say: Say) -> Table:
    """Both storms in every round, by turns, each with a gateway of its own."""
    alarms = RATE * (6 if plan.quick else 60)
    # Calls for help are repeated each minute until somebody answers: a minute of them would measure the repeats.
    help_ = min(alarms, RATE * HELP_S)
    storms = (Storm("machines, gathered", machines=alarms // 3), Storm("help, one by one", buttons=help_))
    table = Table("storm", f"{RATE} alarms a second for {alarms // RATE} s → webhook called for the first time", "p99")
    with grounds(plan, table) as stores:
        for number in range(plan.rounds):
            for ground in turns(stores, number):
                for place, storm in enumerate(storms):
                    say(f"round {number + 1}: {ground.row(storm.label)}")
                    folder = plan.folder / f"storm-{number}-{ground.name}-{place}"
                    _put(table, ground.row(storm.label), await _round(folder, ground, storm))
    table.notes.append("An alarm in a summary counts as told when the summary arrives; a fire is never in one.")
    table.notes.append(f"Calls for help last {min(alarms // RATE, HELP_S)} s; each is three messages.")
    table.notes.append("cpu: of the gateway for each alarm, from publishing to its last report.")
    return table


def _put(table: Table, label: str, figures: Figures) -> None:
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        table.add(label, name, "ms", percentile(figures.first, part))
    table.add(label, "max", "ms", max(figures.first))
    table.add(label, "fire", "ms", figures.fire)
    table.add(label, "calls", "messages", figures.calls)
    table.add(label, "never told", "alarms", figures.lost)
    table.add(label, "cpu", "µs", figures.cpu * 1e6 / (len(figures.first) + figures.lost))
    table.add(label, "grown by", "MiB", figures.memory)


async def _round(folder: Path, ground: Ground, storm: Storm) -> Figures:
    async with AsyncExitStack() as stack:
        mosquitto = stack.enter_context(broker(folder, config=SELDOM))
        service = await stack.enter_async_context(fake_webhook())
        site = storm_site(mosquitto.port, service.url, machines=storm.machines, buttons=storm.buttons)
        made = Gateway(folder / "gateway", site, store=ground.fresh(folder / "data"))
        gateway = await stack.enter_async_context(made.running())
        out = await stack.enter_async_context(publisher(mosquitto.port, "storm"))
        cpu, memory = cpu_s(gateway.pid), memory_mb(gateway.pid)
        said = list(storm.said())
        said.insert(len(said) // 2, fire())
        published = await _blow(out, said)
        await _settled(gateway.store, len(said))
        used, grown = cpu_s(gateway.pid) - cpu, memory_mb(gateway.pid) - memory
        return _figures(published, service, gateway.store, used, grown)


async def _blow(out: Publisher, said: Sequence[Said]) -> dict[str, float]:
    """Publish at the rate; returns when each alarm was published, by its key."""
    published: dict[str, float] = {}
    began = time.monotonic()
    for number in range(0, len(said), STEP):
        await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
        part = said[number : number + STEP]
        published |= dict.fromkeys((one.key for one in part), time.monotonic())
        await out.publish((one.topic, one.payload) for one in part)
    await out.drained()
    return published


async def _settled(store: str, alarms: int) -> None:
    """Until every alarm is raised and no message is on its way."""
    end = time.monotonic() + WITHIN_S
    while left := await asyncio.to_thread(unsettled, store, alarms):
        if time.monotonic() > end:
            raise NotMeasuredError(f"{left} alarms or messages are left {WITHIN_S:.0f} s after the storm")
        await asyncio.sleep(SETTLED_S)


def _figures(published: dict[str, float], service: FakeWebhook, store: str, cpu: float, memory: float) -> Figures:
    arrived: dict[str, float] = {}
    for one in service.received:
        arrived.setdefault(str(json.loads(one.body)["id"]), one.at)
    after = aftermath(store)
    told = after.told_by("hook")
    first: dict[str, float] = {}
    for key, began in published.items():
        times = [arrived[id_] for id_ in told.get(after.alarms.get(key, ""), ()) if id_ in arrived]
        if times:
            first[key] = (min(times) - began) * 1000
    if FIRE not in first:
        raise NotMeasuredError("nobody was told of the fire")
    return Figures(list(first.values()), first[FIRE], len(arrived), len(published) - len(first), cpu, memory)
