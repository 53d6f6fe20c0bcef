"""Case `start`: from the command to an answer, with an empty journal and a long one, with a snapshot and without."""

import asyncio
import time

from sqlalchemy import text

from benchmarks.core import BATCH, Rig
from benchmarks.figures import Table
from benchmarks.hall import HALL, Servers, load_site, site_text, speakers, stream
from benchmarks.plan import Plan, Say
from benchmarks.servers import Gateway, broker, cpu_s
from benchmarks.stores import Ground, grounds, turns
from gateway.batch import Entry, Waiting
from gateway.fold import take_snapshot
from gateway.link.contract import Delivery
from gateway.pipeline import SNAPSHOT_EVERY
from gateway.store.engines import make_engine
from gateway.store.sql import open_store
from sensors.decode.family import Packet
from sensors.inputs import Lane, Started
from tests.servers.mosquitto import Mosquitto

EVERY_MS = 10.0
EMPTY, ENDED, KILLED, BARE = "empty journal", "after an orderly stop", "after kill -9, at worst", "no snapshot at all"


async def run(plan: Plan, say: Say) -> Table:
    """Start a gateway on a fresh copy of each journal in every round, by turns."""
    table = Table("start", f"From the command to its first answer, {plan.journal} inputs in the journal", "answers")
    with grounds(plan, table) as stores, broker(plan.folder / "start") as mosquitto:
        say(f"writing a journal of {plan.journal} inputs")
        journals = {ground: await _journals(plan, ground, mosquitto) for ground in stores}
        for number in range(plan.rounds):
            for ground in turns(stores, number):
                for place, (label, journal) in enumerate(journals[ground].items()):
                    say(f"round {number + 1}: {ground.row(label)}")
                    folder = plan.folder / f"start-{number}-{ground.name}-{place}"
                    store = ground.copy(journal, folder / "data")
                    gateway = Gateway(folder, Servers(mosquitto.port), store=store)
                    await _start(table, ground.row(label), gateway)
    table.notes.append(f"at worst: killed just before the next snapshot, which comes each {SNAPSHOT_EVERY} inputs.")
    table.notes.append(
        "answers: its API takes a request, alarms and state loaded. linked: both sessions of the broker are up."
    )
    return table


async def _start(table: Table, label: str, gateway: Gateway) -> None:
    began = time.monotonic()
    answered: list[float] = []

    def ready() -> bool:
        if gateway.answers():
            answered.append(time.monotonic())
        return bool(answered)

    gateway.process.ready = ready
    async with gateway.running():
        linked = time.monotonic()
        used = cpu_s(gateway.pid)
    table.add(label, "answers", "s", answered[0] - began)
    table.add(label, "linked", "s", linked - began)
    table.add(label, "CPU", "s", used)


async def _journals(plan: Plan, ground: Ground, mosquitto: Mosquitto) -> dict[str, str]:
    """Write the longest journal once, and take its snapshots away in copies of it; their URLs, by the row's label."""
    empty, ended, killed, bare = (plan.folder / f"journal-{ground.name}-{name}" for name in range(4))
    made = {EMPTY: ground.fresh(empty), ENDED: ground.fresh(ended)}
    await _write(made[ENDED], mosquitto, plan.journal)
    for label, folder, kept in ((KILLED, killed, 1), (BARE, bare, 0)):
        made[label] = ground.copy(made[ENDED], folder)
        await asyncio.to_thread(_keep_oldest, made[label], kept)
    return made


async def _write(url: str, mosquitto: Mosquitto, count: int) -> None:
    """A journal as a gateway leaves it: one snapshot at its end, one as far back as a snapshot ever is."""
    rig = Rig.begin()
    start = time.time_ns() // 1_000_000 - int(count * EVERY_MS)
    loaded = load_site(Servers(mosquitto.port))
    messages = list(stream(speakers(), count, start, EVERY_MS))
    async with open_store(url) as store:
        await store.sites.keep(loaded.digest, site_text(Servers(mosquitto.port)))
        first: list[Entry] = [Waiting(Started(start, loaded.digest), None)]
        kept = False
        for at in range(0, count, BATCH):
            some: list[Entry] = [
                Delivery(Packet(topic, payload, Lane.TELEMETRY, when), 1, 1)
                for topic, payload, when in messages[at : at + BATCH]
            ]
            batch = rig.maker.prepare(first + some, start).batch
            first = []
            assert batch is not None
            await store.journal.commit(batch)
            if not kept and count - at - BATCH <= SNAPSHOT_EVERY:
                kept = True
                await store.journal.save_snapshot(take_snapshot(rig.core.hall.state, rig.maker.index))
        await store.journal.save_snapshot(take_snapshot(rig.core.hall.state, rig.maker.index))
        # What is measured is the start: the history has had all of it.
        await store.cursors.advance(HALL, "readings", rig.maker.index)


def _keep_oldest(url: str, count: int) -> None:
    oldest = 'SELECT "index" FROM snapshots ORDER BY "index" LIMIT :count'
    with make_engine(url, writing=True).begin() as connection:
        connection.execute(text(f'DELETE FROM snapshots WHERE "index" NOT IN ({oldest})'), {"count": count})  # noqa: S608
