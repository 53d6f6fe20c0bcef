"""What a device family is: how its topics are subscribed and how its bytes become readings.

A family is one file beside this one and one line in the table of `families.py`; the site's `families:`
says which are spoken. A family does no I/O and keeps no state: what it must remember is in the hall's state.
What is made anew for every message is a msgspec struct: built in C at a tenth of a frozen dataclass's cost.
"""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from sensors.inputs import Lane
from sensors.readings import Clock, Flag, Kind, Value


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic filter of one lane. MQTT delivers twice what two filters match: lanes must be disjoint."""

    filter: str
    lane: Lane
    qos: int = 1


class Packet(msgspec.Struct, frozen=True):
    """One PUBLISH as it came, with the lane it came by and the ms at which it was received."""

    topic: str
    payload: bytes
    lane: Lane
    at: int
    qos: int = 1
    retained: bool = False
    dup: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A device that a family must be able to hear: of the site, or discovered and awaiting approval."""

    id: str
    address: str
    kinds: tuple[Kind, ...]
    approved: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A device that a bridge's list names (discovery), with what it seems to measure."""

    address: str
    kinds: tuple[Kind, ...]
    model: str = ""


class Decoded(msgspec.Struct, frozen=True):
    """What one message says. `address` is the device's name on the wire; `values` may mix kinds.

    `device_time` is ms since the epoch, a claim. `seen` is the device list of a bridge, else empty.
    """

    address: str
    values: tuple[tuple[Kind, Value], ...] = ()
    device_time: int | None = None
    clock: Clock = Clock.NONE
    boot: int | None = None
    sequence: int | None = None
    flags: Flag = Flag.NONE
    seen: tuple[Seen, ...] = ()


class Family(Protocol):
    """One device family on one hall."""

    name: str

    def subscriptions(self, devices: tuple[Known, ...]) -> tuple[Subscription, ...]:
        """Topic filters for this hall, disjoint over all lanes."""
        ...

    def speaks(self, topic: str) -> bool:
        """Whether a topic belongs to this family (and hall)."""
        ...

    def decode(self, packet: Packet) -> Decoded:
        """Read one message; raises `UndecodableError` with a reason that a person can read."""
        ...
