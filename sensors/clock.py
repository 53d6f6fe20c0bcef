"""Simulated time as pure arithmetic: where the hands stand when so many real seconds have passed.

Shared by the simulators and, in the demo, by the gateway, so that both live in the same, faster day.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that showed `origin` (ms since the epoch, UTC) at the monotonic instant `anchor` (s).

    `rate` is how many of its seconds pass in a real one; at least some must.
    """

    origin: int
    rate: float = 1.0
    anchor: float = 0.0

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError("a clock's rate is greater than 0")

    def at(self, monotonic: float) -> int:
        """What the clock shows (ms) at a monotonic instant (s)."""
        return self.origin + round((monotonic - self.anchor) * 1000 * self.rate)

    def monotonic(self, at: int) -> float:
        """The monotonic instant (s) at which the clock shows `at` (ms)."""
        return self.anchor + (at - self.origin) / 1000 / self.rate
