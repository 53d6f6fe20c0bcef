"""Shows what was measured: tables for a person, JSON for a machine, both with the name of the machine."""

import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.figures import Figure, Table
from benchmarks.plan import NotMeasuredError
from benchmarks.servers import need_servers, version_of
from tests.servers.find import postgres_program


def machine() -> dict[str, str]:
    """Where and with what it was measured."""
    return {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load at the start": " ".join(f"{part:.1f}" for part in os.getloadavg()),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": _postgres_version(),
        "mosquitto": version_of("/usr/sbin/mosquitto", "-h").removeprefix("mosquitto version "),
        "commit": version_of("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"),
    }


def _postgres_version() -> str:
    try:
        with need_servers():
            return version_of(str(postgres_program("postgres")), "--version").removeprefix("postgres (PostgreSQL) ")
    except NotMeasuredError:
        return ""


def _cpu_model() -> str:
    for row in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if row.startswith("model name"):
            return row.partition(":")[2].strip()
    return platform.machine()


def text_of(figure: Figure) -> str:
    """The median, and the range where there was more than one round."""
    if len(figure.values) == 1:
        return number(figure.median)
    return f"{number(figure.median)} ({number(figure.least)}–{number(figure.most)})"


def number(value: float) -> str:
    """Three digits that mean something."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def show(console: Console, tables: Sequence[Table], where: dict[str, str]) -> None:
    """Print every table, and the machine."""
    for table in tables:
        grid = Grid(title=f"{table.case}: {table.title}", title_justify="left")
        grid.add_column("median (least–most)", no_wrap=True)
        units = table.columns
        for name, unit in units.items():
            grid.add_column(f"{name}\n{unit}", justify="right", no_wrap=True)
        grid.add_column(f"× first row\n{table.ratio}", justify="right")
        for row in table.rows.values():
            ratio = table.ratio_of(row)
            cells = [text_of(row.figures[name]) if name in row.figures else "" for name in units]
            grid.add_row(row.label, *cells, "" if ratio is None else f"{ratio:.2f}")
        console.print(grid, *table.notes, *table.lacks, "", sep="\n", highlight=False)
    console.print("; ".join(f"{name}: {value}" for name, value in where.items()), soft_wrap=True, highlight=False)


def write_json(file: Path, tables: Sequence[Table], where: dict[str, str], refused: dict[str, str]) -> None:
    """Write everything that was measured, each round's value included."""
    file.parent.mkdir(parents=True, exist_ok=True)
    cases = {table.case: _plain(table) for table in tables}
    whole = {"machine": where, "cases": cases, "not measured": refused}
    file.write_bytes(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")


def _plain(table: Table) -> dict[str, object]:
    return {
        "title": table.title,
        "notes": table.notes,
        "lacks": table.lacks,
        "ratio": table.ratio,
        "rows": {
            row.label: {
                "times first row": table.ratio_of(row),
                "figures": {one.name: _figure(one) for one in row.figures.values()},
            }
            for row in table.rows.values()
        },
    }


def _figure(figure: Figure) -> dict[str, object]:
    span = {"median": figure.median, "least": figure.least, "most": figure.most}
    return {"unit": figure.unit, **span, "values": figure.values}


def terminal() -> Console:
    """Where the tables go: as wide as a table wants to be where nobody watches."""
    return Console(width=None if sys.stdout.isatty() else 200)
