"""What every simulated device can do, whichever family it speaks."""

from collections.abc import Sequence
from typing import Protocol

from sensors.readings import Flag, Value
from simulators.publication import Publication


class SimulatedDevice(Protocol):
    """A pure model: it yields what would go over the wire at a simulated instant, and remembers its counters."""

    id: str

    def connect(self, at: int) -> Sequence[Publication]:
        """The device starts: a new boot where it counts them, and its availability."""
        ...

    def say(self, value: Value, at: int, flags: Flag = Flag.NONE) -> Sequence[Publication]:
        """The device reports a value."""
        ...

    def will(self, at: int) -> Publication:
        """What the broker (or the bridge) publishes for it when it is lost."""
        ...
