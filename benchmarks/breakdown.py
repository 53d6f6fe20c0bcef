"""Where the time of a gateway's event loop goes: `python -m benchmarks.breakdown FILE.prof`, by room of the house.

The file comes from `make bench BENCH_ARGS="--profile FOLDER path"`. What no room of ours has (built-in functions,
libraries) is put down to the rooms that called it, in the proportion in which they did. A profiler makes calls
dearer than they are, so the shares are what counts, and `--loop`, what the loop costs undisturbed, makes µs of them.
Threads of the store are not in the file: cProfile sees the thread that it was started in.
"""

import argparse
import pstats
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table as Grid

from benchmarks.show import number, terminal

LOOP, START, WAITING, OTHER = "asyncio, sockets", "start", "waiting", "other"
# The first that matches has it; in the order of a message's way.
ROOMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (START, ("sensors/site/", "dashboard/cli/", "ruamel/", "importlib", "/re/_", "/runpy.py")),
    ("1, 6 link: MQTT in, PUBACK out", ("gateway/link/", "dashboard/sessions.py", "/mqtt5/")),
    (
        "  pipeline: inlet, batch, account",
        ("gateway/inlet.py", "gateway/pipeline.py", "gateway/turns.py", "gateway/writing.py", "gateway/batch.py"),
    ),
    ("2 decode", ("sensors/decode/", "sensors/readings.py", "sensors/topics.py")),
    ("3 hall", ("sensors/hall/", "sensors/facts.py")),
    ("4 engine", ("alerts/",)),
    ("5 pack, hand to the writer", ("gateway/store/", "sensors/inputs.py", "gateway/fold.py")),
    ("7 history", ("gateway/history/", "gateway/influx/", "influxdb_client/", "aiohttp/client", "aiohttp/connector")),
    ("7 page, API, watching", ("dashboard/", "gateway/watch/", "aiohttp/web")),
    ("7 senders", ("gateway/sending.py",)),
    ("  the rest of the gateway", ("gateway/", "sensors/")),
    (LOOP, ("/asyncio/", "/selectors.py")),
)
OURS = ("sensors/", "alerts/", "gateway/", "dashboard/")
# Built-in functions that are no part of a message's way, whoever called them.
BUILT_IN = {"'poll' of 'select.epoll'": WAITING}
BUILT_IN |= dict.fromkeys(("compile>", "marshal", "argon2_hash", "set_default_verify_paths", "gc.collect"), START)

Function = tuple[str, int, str]


@dataclass(slots=True)
class Breakdown:
    """What was profiled, put into rooms: seconds by room, and by room and function."""

    stats: dict[Function, Any]
    root: str
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    functions: dict[tuple[str, Function], float] = field(default_factory=lambda: defaultdict(float))
    _shares: dict[Function, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, file: Path) -> "Breakdown":
        """Read a profile."""
        stats: dict[Function, Any] = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
        ends = "dashboard/cli/main.py"
        root = next((name.removesuffix(ends) for name, _, _ in stats if name.endswith(ends)), "")
        made = cls(stats, root)
        for function, (_, _, own, _, _) in stats.items():
            for room, share in made.shares(function).items():
                made.seconds[room] += own * share
                made.functions[room, function] += own * share
        return made

    def shares(self, function: Function) -> dict[str, float]:
        """To which rooms a function's own time belongs, in parts of 1."""
        known = self._shares.get(function)
        if known is not None:
            return known
        room = self._room(function)
        # Whoever calls itself by way of others is already here when it is asked for again.
        self._shares[function] = {room or OTHER: 1.0}
        if room is None:
            self._shares[function] = self._of_callers(function)
        return self._shares[function]

    def _of_callers(self, function: Function) -> dict[str, float]:
        callers = self.stats[function][4] if function in self.stats else {}
        weights = {caller: own or 1e-9 * calls for caller, (_, calls, own, _) in callers.items()}
        whole = sum(weights.values())
        if not whole:
            return {OTHER: 1.0}
        made: dict[str, float] = defaultdict(float)
        for caller, weight in weights.items():
            for room, share in self.shares(caller).items():
                made[room] += share * weight / whole
        return dict(made)

    def _room(self, function: Function) -> str | None:
        file, _, name = function
        if name == "<module>":
            return START
        if file == "~":
            return next((room for part, room in BUILT_IN.items() if part in name), None)
        place = file.removeprefix(self.root)
        if file.startswith(self.root) and place.startswith(OURS):
            return next(room for room, parts in ROOMS if place.startswith(parts))
        return next((room for room, parts in ROOMS if any(part in file for part in parts if part not in OURS)), None)

    @property
    def worked(self) -> float:
        """Seconds of the loop's work, without the start and without waiting."""
        return sum(spent for room, spent in self.seconds.items() if room not in {START, WAITING})

    def rooms(self) -> Iterator[str]:
        """In the order of a message's way; start and waiting, which are no part of it, are left out."""
        order = [room for room, _ in ROOMS if room != START]
        yield from [room for room in (*order, OTHER) if self.seconds[room] > 0]

    def dearest(self, room: str, count: int) -> list[tuple[Function, float]]:
        """The functions on which a room spent most."""
        mine = [(function, spent) for (where, function), spent in self.functions.items() if where == room]
        return sorted(mine, key=lambda one: -one[1])[:count]


def table(found: Breakdown, messages: int, loop: float, top: int) -> Grid:
    """For a person: the share of each room, and what that is for each message."""
    grid = Grid(title="The event loop's time by room")
    for name in ("room", "share, %", *(["profiled, µs"] if messages else []), *(["undisturbed, µs"] if loop else [])):
        grid.add_column(name, justify="left" if name == "room" else "right", no_wrap=True)

    def add(label: str, spent: float) -> None:
        share = spent / found.worked
        cells = [f"{share * 100:.1f}"]
        cells += [number(spent / messages * 1e6)] if messages else []
        cells += [number(share * loop)] if loop else []
        grid.add_row(label, *cells)

    for room in found.rooms():
        add(room, found.seconds[room])
        for (file, line, name), spent in found.dearest(room, top):
            where = name if file == "~" else f"{file.removeprefix(found.root)}:{line} {name}"
            add(f"      {where[-90:]}", spent)
    add("all", found.worked)
    return grid


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the breakdown of a file; 0 done, 1 there is nothing in it."""
    asking = argparse.ArgumentParser(prog="python -m benchmarks.breakdown", description=__doc__)
    asking.add_argument("file", type=Path, help="what --profile has left")
    asking.add_argument("--messages", type=int, default=0, help="messages of the flood: shows µs a message as profiled")
    asking.add_argument("--loop", type=float, default=0.0, help="`its loop` of an undisturbed run, µs a message")
    asking.add_argument("--top", type=int, default=0, help="functions to show of each room")
    asked = asking.parse_args(arguments)
    found = Breakdown.of(asked.file)
    if not found.root or not found.worked:
        print(f"{asked.file}: no work of a gateway is in it", file=sys.stderr)
        return 1
    console = terminal()
    console.print(table(found, asked.messages, asked.loop, asked.top), highlight=False)
    left = (f"{name} {found.seconds[name]:.2f} s" for name in (START, WAITING))
    console.print("left out: " + ", ".join(left), highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
