"""Case `start`: from the command to an answer, with an empty journal and a long one, with a snapshot and without."""

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.core import BATCH, Rig
from benchmarks.figures import Table
from benchmarks.hall import HALL, Servers, load_site, site_text, speakers, stream
from benchmarks.plan import Plan, Say
from benchmarks.servers import Gateway, broker, cpu_s
from gateway.batch import Entry, Waiting
from gateway.fold import take_snapshot
from gateway.link.contract import Delivery
from gateway.pipeline import SNAPSHOT_EVERY
from gateway.store.sql import open_store, sqlite_url
from sensors.decode.family import Packet
from sensors.inputs import Lane, Started
from tests.servers.mosquitto import Mosquitto

EVERY_MS = 10.0
EMPTY, ENDED, KILLED, BARE = "empty journal", "after an orderly stop", "after kill -9, at worst", "no snapshot at all"


@dataclass(frozen=True, slots=True)
class Made:
    """Journals that a start may find, by the row's label, as folders."""

    folders: dict[str, Path]


async def run(plan: Plan, say: Say) -> Table:
    """Start a gateway on a fresh copy of each journal in every round, by turns."""
    table = Table("start", f"From the command to its first answer, {plan.journal} inputs in the journal", "answers")
    with broker(plan.folder / "start") as mosquitto:
        say(f"writing a journal of {plan.journal} inputs")
        made = await _journals(plan, mosquitto)
        for number in range(plan.rounds):
            for place, (label, data) in enumerate(made.folders.items()):
                say(f"round {number + 1}: {label}")
                await _start(table, label, data, plan.folder / f"start-{number}-{place}", mosquitto)
    table.notes.append(f"at worst: killed just before the next snapshot, which comes each {SNAPSHOT_EVERY} inputs.")
    table.notes.append(
        "answers: its API takes a request, alarms and state loaded. linked: both sessions of the broker are up."
    )
    return table


async def _start(table: Table, label: str, data: Path, folder: Path, mosquitto: Mosquitto) -> None:
    gateway = Gateway(folder, Servers(mosquitto.port))
    shutil.copytree(data, gateway.data)
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


async def _journals(plan: Plan, mosquitto: Mosquitto) -> Made:
    """Write the longest journal once, and take its snapshots away in copies of it."""
    empty, ended = plan.folder / "journal-empty", plan.folder / "journal-ended"
    empty.mkdir()
    ended.mkdir()
    await _write(ended, mosquitto, plan.journal)
    killed, bare = plan.folder / "journal-killed", plan.folder / "journal-bare"
    for folder, kept in ((killed, 1), (bare, 0)):
        shutil.copytree(ended, folder)
        await asyncio.to_thread(_keep_oldest, folder / "hallwatch.db", kept)
    return Made({EMPTY: empty, ENDED: ended, KILLED: killed, BARE: bare})


async def _write(folder: Path, mosquitto: Mosquitto, count: int) -> None:
    """A journal as a gateway leaves it: one snapshot at its end, one as far back as a snapshot ever is."""
    rig = Rig.begin()
    start = time.time_ns() // 1_000_000 - int(count * EVERY_MS)
    text = site_text(Servers(mosquitto.port))
    loaded = load_site(Servers(mosquitto.port))
    messages = list(stream(speakers(), count, start, EVERY_MS))
    async with open_store(sqlite_url(folder / "hallwatch.db")) as store:
        await store.sites.keep(loaded.digest, text)
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


def _keep_oldest(store: Path, count: int) -> None:
    with closing(sqlite3.connect(store)) as connection:
        oldest = 'SELECT "index" FROM snapshots ORDER BY "index" LIMIT ?'
        connection.execute(f'DELETE FROM snapshots WHERE "index" NOT IN ({oldest})', (count,))  # noqa: S608
        connection.commit()
