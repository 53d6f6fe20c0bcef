"""The simulators' clock: `sensors.clock` together with the machine's own, and the sleeping between two instants."""

import asyncio
import time
from dataclasses import dataclass

from sensors.clock import Clock


@dataclass(frozen=True, slots=True)
class SimClock:
    """A clock that goes. Share its `clock` with the gateway where both live in one simulated day."""

    clock: Clock

    @classmethod
    def start(cls, origin: int, rate: float = 1.0) -> "SimClock":
        """A clock that shows `origin` (ms since the epoch) now and goes `rate` times as fast as the world."""
        return cls(Clock(origin, rate, time.monotonic()))

    def now(self) -> int:
        """What it shows, ms since the epoch."""
        return self.clock.at(time.monotonic())

    async def sleep_until(self, at: int) -> None:
        """Return when it shows `at`; at once if it does already."""
        await asyncio.sleep(max(0.0, self.clock.monotonic(at) - time.monotonic()))
