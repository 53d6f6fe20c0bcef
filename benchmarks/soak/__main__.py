"""`python -m benchmarks.soak [--minutes N] [--rate N] [--seed N] [--json FILE]`: the example hall for a long time.

A hurried hall: clock, traffic and people go `--rate` times as fast as the world, so that an hour is four days; while
one fault after the other is done to everything it stands on. In the end its own ledger is held against the store.
"""

import argparse
import asyncio
import json
import logging
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks import show
from benchmarks.plan import NotMeasuredError
from benchmarks.soak.devices import Devices
from benchmarks.soak.faults import FAULTS, Trouble, disk_full
from benchmarks.soak.hall import World, world
from benchmarks.soak.judge import Evidence, Verdict, judge, read
from benchmarks.soak.people import People
from benchmarks.soak.watch import Watch, drawn
from dashboard.cli.client import AnswerError, Json, NotRunningError, request
from simulators.link import Broker

SETTLED_WITHIN_S = 120.0
# The last stretch is without faults, so that what is broken can heal before it is judged.
PEACE_S = 15.0
# Looks, five a second, at which nothing may have changed.
STILL_LOOKS = 15


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    made.add_argument("--minutes", type=float, default=60.0, help="how long, in real minutes (default 60)")
    made.add_argument("--rate", type=float, default=100.0, help="times real time and traffic (default 100)")
    made.add_argument("--seed", type=int, default=1, help="what chance begins with (default 1)")
    made.add_argument("--faults", nargs="*", choices=sorted(FAULTS), default=sorted(FAULTS), help="which (default all)")
    made.add_argument("--keep", type=Path, metavar="FOLDER", help="leave everything there, to look into it")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return made


async def soak(folder: Path, asked: argparse.Namespace, progress: Progress) -> tuple[list[Verdict], Json]:
    """Run and judge."""
    seconds = asked.minutes * 60
    async with world(folder, asked.rate) as hall:
        await _until(hall, lambda status: all(status["links"].values()) and len(status["links"]) > 1)
        broker = Broker(hall.mosquitto.host, hall.mosquitto.port)
        devices = Devices(hall.site, broker, hall.clock, asked.seed)
        trouble = Trouble(hall, devices, random.Random(asked.seed), _possible(hall, asked.faults))
        people, watch = People(hall, random.Random(asked.seed + 1)), Watch(hall)
        began = time.monotonic()
        end = began + seconds
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(devices.run(hall.clock.clock.at(end)))
            living = [group.create_task(people.run()), group.create_task(watch.run())]
            living.append(group.create_task(_show(progress, seconds, trouble, devices)))
            await trouble.run(end - PEACE_S, spared_from=began + seconds / 2)
            await speaking
            status = await _settled(hall)
            for task in living:
                task.cancel()
        listed = (await request(hall.socket, "GET", "/api/v1/devices"))["items"]
        points = _points(hall)
        await asyncio.to_thread(hall.gateway.stop)
        kept = await read(hall.store, hall.site.halls[0].id)
        if asked.keep is not None and hall.disk is not None:
            await asyncio.to_thread(shutil.copytree, hall.store.parent, folder / "kept")
    log = hall.gateway.log.read_text(encoding="utf-8", errors="replace")
    seen = Evidence(devices.ledger, kept, watch.samples, hall.broker_deaths, status, listed, points, log)
    return judge(seen), {
        "minutes": asked.minutes,
        "rate": asked.rate,
        "seed": asked.seed,
        "published": devices.ledger.published,
        "faults": dict(trouble.made),
        "lives": len(hall.starts),
        "webhook_calls": len(hall.hook.received),
        "acted": people.done,
        "refused": people.refused,
        "samples": [asdict(sample) for sample in watch.samples],
    }


def _possible(hall: World, kinds: list[str]) -> list[str]:
    return [kind for kind in kinds if hall.disk is not None or kind != disk_full.__name__]


def _points(hall: World) -> int:
    rows = hall.bucket.influxql('SELECT count("occupancy") AS n FROM "people_count"')
    return int(rows[0]["n"]) if rows else 0


async def _settled(hall: World) -> Json:
    """Wait until nothing comes any more and the history has all of it."""
    before, still = -1, 0

    def holds(status: Json) -> bool:
        nonlocal before, still
        received = status["account"]["received"]
        still = still + 1 if received == before and not status["history_behind"] else 0
        before = received
        return still > STILL_LOOKS

    return await _until(hall, holds)


async def _until(hall: World, holds: Callable[[Json], bool]) -> Json:
    """Wait until a status holds; what it was last, where it never does: the judgement says what is missing."""
    end, status = time.monotonic() + SETTLED_WITHIN_S, Json()
    while time.monotonic() < end:
        with suppress(NotRunningError, AnswerError, IndexError):
            status = await hall.status()
            if holds(status):
                break
        await asyncio.sleep(0.2)
    return status


async def _show(progress: Progress, seconds: float, trouble: Trouble, devices: Devices) -> None:
    task, began = progress.add_task("", total=seconds), time.monotonic()
    while True:
        made = sum(trouble.made.values())
        text = f"{devices.ledger.published} messages, {made} faults, now: {trouble.now or 'peace'}"
        progress.update(task, completed=time.monotonic() - began, description=text)
        await asyncio.sleep(0.5)


def report(console: Console, verdicts: list[Verdict], figures: Json) -> None:
    """The judgement as a table, and the course of the figures as lines."""
    table = Table(title="The soak's promises", title_justify="left")
    for column in ("", "promise", "seen"):
        table.add_column(column, overflow="fold")
    for verdict in verdicts:
        table.add_row("✓" if verdict.held else "✗", verdict.promise, verdict.seen, style="" if verdict.held else "red")
    console.print(table)
    samples = figures["samples"]
    for name, unit in (("memory_mb", "MiB"), ("handles", ""), ("store_mb", "MiB"), ("wal_mb", "MiB"), ("behind", "")):
        values = [sample[name] for sample in samples]
        if values:
            console.print(f"{name:>10} {min(values):8.0f} – {max(values):6.0f} {unit:<4}{drawn(values)}")
    console.print({name: value for name, value in figures.items() if name != "samples"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 all promises held, 1 one did not, 2 wrong usage."""
    asked = parser().parse_args(arguments)
    # Connections are cut here all the time, and libraries tell it to nobody in particular.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with (
        tempfile.TemporaryDirectory(prefix="hallwatch-soak-") as folder,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        try:
            verdicts, figures = asyncio.run(soak(asked.keep or Path(folder), asked, progress))
        except NotMeasuredError as missing:
            print(f"soak: {missing}", file=sys.stderr)
            return 1
    report(show.terminal(), verdicts, figures)
    if asked.json is not None:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        figures["verdicts"] = [asdict(verdict) for verdict in verdicts]
        asked.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0 if all(verdict.held for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
