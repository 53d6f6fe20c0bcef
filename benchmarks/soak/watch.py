"""The figures of a soak as it goes: memory, handles and files of the gateway, looked at every few seconds."""

import asyncio
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers import memory_mb
from benchmarks.soak.hall import World
from dashboard.cli.client import AnswerError, NotRunningError

LOOK_S = 5.0
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: real time (s), which life of the gateway it is, and what it held."""

    at: float
    life: int
    age_s: float
    memory_mb: float
    handles: int
    store_mb: float
    wal_mb: float
    stored: int
    behind: int
    broker_mb: float


@dataclass(slots=True)
class Watch:
    """All samples."""

    world: World
    samples: list[Sample] = field(default_factory=list)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            # A gateway that is dead just now, or does not answer, is looked at the next time.
            with suppress(NotRunningError, AnswerError, OSError, IndexError):
                self.samples.append(await self._look())

    async def _look(self) -> Sample:
        world, now = self.world, time.monotonic()
        status = await world.status()
        pid = world.gateway.pid
        return Sample(
            at=now,
            life=len(world.starts),
            age_s=now - world.starts[-1],
            memory_mb=memory_mb(pid),
            handles=len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 - the names are not needed
            store_mb=_size_mb(world.store),
            wal_mb=_size_mb(world.store.with_name(world.store.name + "-wal")),
            stored=status["account"]["stored"],
            behind=status["history_behind"],
            broker_mb=memory_mb(world.mosquitto.process.pid),
        )


def _size_mb(file: Path) -> float:
    return file.stat().st_size / 2**20 if file.exists() else 0.0


def drawn(values: Iterable[float], width: int = 72) -> str:
    """The course of some values as a line of bars, from their least to their most; each the most of its stretch."""
    known = list(values)
    if not known:
        return ""
    step = max(1, -(-len(known) // width))
    tops = [max(known[first : first + step]) for first in range(0, len(known), step)]
    low, high = min(tops), max(tops)
    span = (high - low) or 1.0
    return "".join(BARS[round((top - low) / span * (len(BARS) - 1))] for top in tops)
