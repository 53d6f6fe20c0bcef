"""The simulators' clock: `sensors.clock` together with the machine's own, and the sleeping between two instants."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from sensors.clock import Clock


@dataclass(slots=True)
class SimClock:
    """A clock that goes, at a pace that may be changed. Share it with the gateway where both live in one day."""

    clock: Clock
    _turned: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def start(cls, origin: int, rate: float = 1.0) -> "SimClock":
        """A clock that shows `origin` (ms since the epoch) now and goes `rate` times as fast as the world."""
        return cls(Clock(origin, rate, time.monotonic()))

    @property
    def rate(self) -> float:
        """How many of its seconds pass in a real one."""
        return self.clock.rate

    def now(self) -> int:
        """What it shows, ms since the epoch."""
        return self.clock.at(time.monotonic())

    def go(self, rate: float) -> None:
        """From now on so fast; what it shows does not jump. Raises `ValueError` for a pace that is not above 0."""
        at = time.monotonic()
        self.clock = Clock(self.clock.at(at), rate, at)
        self._turned.set()
        self._turned = asyncio.Event()

    async def sleep_until(self, at: int) -> None:
        """Return when it shows `at`, however its pace changes meanwhile; at once if it does already."""
        await asyncio.sleep(0)
        while (left := self.clock.monotonic(at) - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._turned.wait()
