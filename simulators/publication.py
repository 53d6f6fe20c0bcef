"""What simulated things say: first in our words (`Told`), then on the wire (`Publication`)."""

from dataclasses import dataclass

from sensors.readings import Flag, Value


@dataclass(frozen=True, slots=True)
class Told:
    """A device measures something at an instant (ms since the epoch, UTC)."""

    at: int
    device: str
    value: Value
    flags: Flag = Flag.NONE


@dataclass(frozen=True, slots=True)
class Publication:
    """One PUBLISH of a simulated device."""

    at: int
    topic: str
    payload: bytes
    qos: int
    retain: bool
    device: str
