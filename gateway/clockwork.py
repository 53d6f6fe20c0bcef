"""The gateway's time, as the parts that wait for deadlines are given it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clockwork:
    """The gateway's time: `now` in ms since the epoch, and how many of its ms pass in a real one (a demo's speed)."""

    now: Callable[[], int]
    rate: Callable[[], float] = lambda: 1.0

    def real_seconds(self, due: int) -> float:
        """How long to wait, in real seconds, until `due`."""
        return max(0.0, (due - self.now()) / 1000 / self.rate())
