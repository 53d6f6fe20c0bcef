"""`make scenarios`: every scenario under every fault, the whole way over a real Mosquitto; a table of how each ended.

Each is played by a process of its own with its own broker, since a gateway's clock is that of its scenario. The exit
status is 1 if one ended otherwise than its file says. `python -m tests.system.all_scenarios real_fire call_point:delay`
plays some.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from simulators.faults import Fault
from simulators.link import Broker
from simulators.scenario import scenario_names, shipped_scenario
from tests.servers.mosquitto import Mosquitto
from tests.system.live_stage import Staging, live
from tests.system.stage import differences

CLEAN: Final = "-"
# Where nothing is to happen nothing depends on a second.
QUIET_RATE: Final = 100.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A scenario, and the fault that lies over it."""

    name: str
    fault: Fault | None

    @property
    def column(self) -> str:
        """The fault's column of the table."""
        return CLEAN if self.fault is None else self.fault.value


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one ended: `found` says where not as its file does, or why it could not be played."""

    pair: Pair
    found: tuple[str, ...]
    took_s: float


def main() -> int:
    """Play them; returns the exit status."""
    chosen = _arguments()
    if chosen.one:
        (pair,) = _pairs(chosen.which)
        sys.stdout.write(json.dumps(asyncio.run(_play(pair, chosen.rate))))
        return 0
    outcomes = asyncio.run(_play_all(_pairs(chosen.which), chosen.rate, chosen.workers))
    _show(outcomes)
    return 1 if any(one.found for one in outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("which", nargs="*", metavar="SCENARIO[:FAULT]", help="default: all under all")
    parser.add_argument("--rate", type=float, default=40.0, help="times real time")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _pairs(which: Iterable[str]) -> list[Pair]:
    faults: tuple[Fault | None, ...] = (None, *Fault)
    pairs = []
    for word in which or scenario_names():
        name, _, fault = word.partition(":")
        under = faults if not fault else (None if fault == CLEAN else Fault(fault),)
        pairs += [Pair(name, one) for one in under]
    # The longest first: the last one to end is then a short one.
    return sorted(pairs, key=lambda pair: -shipped_scenario(pair.name).duration_s)


async def _play(pair: Pair, rate: float) -> list[str]:
    scenario = shipped_scenario(pair.name)
    with (
        tempfile.TemporaryDirectory(prefix="hallwatch-") as folder,
        Mosquitto(Path(folder) / "mosquitto") as broker,
    ):
        speed = rate if scenario.events or scenario.actions else QUIET_RATE
        ending = await live(scenario, Staging(Broker(broker.host, broker.port), speed, pair.fault), Path(folder))
    return differences(scenario.expect if pair.fault is None else scenario.expect_under(pair.fault), ending)


async def _play_all(pairs: list[Pair], rate: float, workers: int) -> list[Outcome]:
    console, room = Console(stderr=True), asyncio.Semaphore(workers)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("scenarios", total=len(pairs))

        async def one(pair: Pair) -> Outcome:
            async with room:
                outcome = await _in_a_process(pair, rate)
            bar.advance(task)
            word = "[green]ok[/]" if not outcome.found else "[red]otherwise[/]"
            bar.console.print(f"{word} {pair.name} {pair.column} {outcome.took_s:.0f} s", highlight=False)
            return outcome

        async with asyncio.TaskGroup() as group:
            playing = [group.create_task(one(pair)) for pair in pairs]
    return [each.result() for each in playing]


async def _in_a_process(pair: Pair, rate: float) -> Outcome:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.system.all_scenarios", "--one", "--rate", str(rate), f"{pair.name}:{pair.column}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    took = time.monotonic() - began
    if process.returncode != 0:
        last = err.decode().strip().splitlines()[-3:]
        return Outcome(pair, (f"status {process.returncode}", *last), took)
    return Outcome(pair, tuple(json.loads(out)), took)


def _show(outcomes: list[Outcome]) -> None:
    console = Console()
    columns = list(dict.fromkeys(one.pair.column for one in outcomes))
    table = Table(title="every scenario under every fault, over Mosquitto")
    table.add_column("scenario")
    for column in columns:
        table.add_column(column, justify="center")
    by_pair = {(one.pair.name, one.pair.column): one for one in outcomes}
    for name in dict.fromkeys(one.pair.name for one in outcomes):
        found = [by_pair.get((name, column)) for column in columns]
        table.add_row(name, *("" if one is None else "✗" if one.found else "✓" for one in found))
    console.print(table)
    for one in (one for one in outcomes if one.found):
        console.print(f"{one.pair.name} under {one.pair.column}:", style="bold")
        for line in one.found:
            console.print(f"  {line}", markup=False, highlight=False)
    console.print(f"{sum(not one.found for one in outcomes)} of {len(outcomes)} ended as their files say")


if __name__ == "__main__":
    sys.exit(main())
