"""A fast clock that has patience with a busy machine, so that what a scenario expects hangs on no real second."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sensors.clock import Clock
from simulators.clock import SimClock

TICK_S: Final = 0.01


@dataclass(slots=True)
class PatientClock(SimClock):
    """It goes tick by tick, as the event loop gets to it, and stands while people act.

    A machine that is held up for a second would otherwise find ten of the hall's seconds gone, and every answer late.
    """

    shown: int = 0
    acting: int = 0

    @classmethod
    def standing(cls, start: int, rate: float) -> "PatientClock":
        """A clock that shows `start` (ms) and goes once it is `run`."""
        return cls(Clock(start, rate), shown=start)

    def now(self) -> int:
        """What it shows, ms since the epoch."""
        return self.shown

    async def run(self) -> None:
        """Tick, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            if not self.acting:
                self.shown += round(TICK_S * 1000 * self.rate)
                self._turned.set()
                self._turned = asyncio.Event()

    async def sleep_until(self, at: int) -> None:
        """Return when it shows `at`."""
        await asyncio.sleep(0)
        while self.shown < at:
            await self._turned.wait()

    @contextmanager
    def held(self) -> Iterator[None]:
        """It stands while the block runs."""
        self.acting += 1
        try:
            yield
        finally:
            self.acting -= 1
