"""The time of the day, as the machine has it, and a clock that passes steadily whatever is done to that."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from gateway.clockwork import Clockwork

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
# What is less than this is followed without a word: a leap second, the first correction after a start.
STEP_MS: Final = 2000

# Told what the clock said before a step, and by how many ms it was.
Stepped = Callable[[int, int], None]


def real_now() -> int:
    """The time, ms since the epoch."""
    return time.time_ns() // 1_000_000


def steady_now() -> int:
    """Ms since some instant; never stepped."""
    return time.monotonic_ns() // 1_000_000


class SteadyClock:
    """The wall's time at the start and what has passed since then; called, it says the time in ms since the epoch."""

    def __init__(self, wall: Callable[[], int] = real_now, steady: Callable[[], int] = steady_now) -> None:
        self._wall = wall
        self._steady = steady
        self._base = wall() - steady()
        self.told: list[Stepped] = []

    def __call__(self) -> int:
        """The time, ms since the epoch (UTC)."""
        return self._base + self._steady()

    def follow(self) -> int:
        """Go by the wall again; returns by how many ms that was a step."""
        by = self._wall() - self()
        self._base += by
        return by

    def look(self) -> None:
        """See whether the wall's clock was stepped, and tell everybody so before anything else comes in."""
        before, by = self(), self.follow()
        if abs(by) > STEP_MS:
            log.error("the clock of this machine was stepped by %+.1f s; whatever is due moves with it", by / 1000)
            for tell in self.told:
                tell(before, by)


def hear_steps(clock: Clockwork, tell: Stepped) -> None:
    """Have a path told of steps, if its clock is one that follows the wall; a demo's time is its own."""
    if isinstance(clock.now, SteadyClock):
        clock.now.told.append(tell)


@asynccontextmanager
async def following_wall(clock: Clockwork, group: asyncio.TaskGroup) -> AsyncIterator[None]:
    """Look once a second while the block runs."""

    async def watch(steady: SteadyClock) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            steady.look()

    task = group.create_task(watch(clock.now), name="wall") if isinstance(clock.now, SteadyClock) else None
    yield
    if task is not None:
        task.cancel()
