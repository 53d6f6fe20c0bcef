"""The other way round: a value as a native message, for simulated devices, tests and firmware authors' questions."""

from dataclasses import dataclass
from typing import Final

from sensors.decode.envelope import ENVELOPES, Envelope, names_of
from sensors.readings import VALUES, Clock, Flag, Kind, Value

KIND_OF: Final[dict[type[Value], Kind]] = {value: kind for kind, value in VALUES.items()}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a device says about a message beside its value; `time` is ms since the epoch (UTC)."""

    boot: int | None = None
    sequence: int | None = None
    time: int | None = None
    clock: Clock = Clock.NONE
    flags: Flag = Flag.NONE


UNSTAMPED: Final = Stamp()


def encode_native(device: str, value: Value, stamp: Stamp = UNSTAMPED) -> bytes:
    """One native message; what has its default value is left out."""
    message = Envelope(
        value=value,
        device=device,
        boot=stamp.boot,
        seq=stamp.sequence,
        time=stamp.time,
        clock=stamp.clock,
        flags=names_of(stamp.flags),
    )
    return ENVELOPES[KIND_OF[type(value)]].dump_json(message, exclude_none=True, exclude_defaults=True)
