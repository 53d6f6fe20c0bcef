"""`python -m benchmarks [--quick] [--json FILE] [CASE ...]`: measure, show a table, write JSON."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks import alarm, core, first_view, history, page, path, show, start, storm
from benchmarks.figures import Table
from benchmarks.plan import Case, NotMeasuredError, Plan, StoreName

CASES: dict[str, Case] = {
    "core": core.run,
    "path": path.run,
    "alarm": alarm.run,
    "storm": storm.run,
    "start": start.run,
    "page": page.run,
    "first_view": first_view.run,
    "history": history.run,
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)} (default: all)")
    made.add_argument(
        "--quick", action="store_true", help="one short round of each: shows that it runs, not what it costs"
    )
    made.add_argument("--rounds", type=int, default=0, help="rounds of each case (default 3, quick 1)")
    made.add_argument("--messages", type=int, default=0, help="messages of a flood (default 30000, quick 5000)")
    made.add_argument(
        "--journal", type=int, default=0, help="inputs in the journal of a start (default 200000, quick 30000)"
    )
    made.add_argument(
        "--store",
        choices=(*StoreName, "both"),
        default="both",
        help="where the gateways keep their journal (default: both, by turns)",
    )
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    made.add_argument(
        "--profile",
        type=Path,
        metavar="FOLDER",
        help="cProfile of each gateway of `path`; its figures are then of no use",
    )
    return made


def plan_of(asked: argparse.Namespace, folder: Path) -> Plan:
    """How much is measured."""
    rounds, messages, journal = (1, 5_000, 30_000) if asked.quick else (3, 30_000, 200_000)
    if asked.profile is not None:
        asked.profile.mkdir(parents=True, exist_ok=True)
    return Plan(
        folder=folder,
        quick=asked.quick,
        rounds=asked.rounds or rounds,
        messages=asked.messages or messages,
        journal=asked.journal or journal,
        stores=tuple(StoreName) if asked.store == "both" else (StoreName(asked.store),),
        profiles=asked.profile,
    )


async def measure(cases: Sequence[str], plan: Plan, console: Console) -> tuple[list[Table], dict[str, str]]:
    """Measure one case after the other, never two at a time; what could not be measured comes back with its reason."""
    tables: list[Table] = []
    refused: dict[str, str] = {}
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(cases))
        for name in cases:
            folder = plan.folder / name
            folder.mkdir()

            def say(what: str, name: str = name) -> None:
                progress.update(task, description=f"{name}: {what}")

            say("begins")
            try:
                tables.append(await CASES[name](replace(plan, folder=folder), say))
            except NotMeasuredError as error:
                refused[name] = str(error)
            progress.advance(task)
    return tables, refused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 done, 1 something of ours could not be measured (a peer may be missing), 2 wrong usage."""
    asking = parser()
    asked = asking.parse_args(arguments)
    unknown = [name for name in asked.cases if name not in CASES]
    if unknown:
        asking.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    where = show.machine()
    with tempfile.TemporaryDirectory(prefix="hallwatch-bench-") as folder:
        plan = plan_of(asked, Path(folder))
        # The bar goes to stderr, so that the tables can be kept by `> file`.
        tables, refused = asyncio.run(measure(asked.cases or list(CASES), plan, Console(stderr=True)))
    show.show(show.terminal(), tables, where)
    if asked.json is not None:
        show.write_json(asked.json, tables, where, refused)
    for name, why in refused.items():
        print(f"{name}: not measured: {why}", file=sys.stderr)
    return 1 if refused or any(table.lacks for table in tables) else 0


if __name__ == "__main__":
    sys.exit(main())
