"""The native payload: one JSON object around one value, read straight into frozen slotted values.

One adapter per kind, chosen by the topic: no discriminator in the payload can disagree with it.
"""

from functools import lru_cache
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from sensors.readings import VALUES, WIRE, Clock, Flag, Kind, Value

PAYLOAD_AT_MOST: Final = 16_384
# Every JSON reader, JavaScript's too, holds these whole; every store can add some of them up.
COUNTER_AT_MOST: Final = 2**53

V = TypeVar("V", bound=Value)
FlagName = Literal["test", "drill", "history", "learn"]
Counter = Annotated[int, Field(ge=0, le=COUNTER_AT_MOST)]

_ENVELOPE: Final = ConfigDict(**WIRE, json_schema_extra={"dependentRequired": {"seq": ["boot"]}})


@dataclass(frozen=True, slots=True, config=_ENVELOPE)
class Envelope(Generic[V]):
    """What every native message holds around its value. `time` is ms since the epoch (UTC), a claim."""

    value: V
    device: Annotated[str | None, Field(max_length=128, description="must equal the topic's device")] = None
    boot: Annotated[Counter | None, Field(description="changes at every start of the device")] = None
    seq: Annotated[Counter | None, Field(description="grows by 1 with every message of this boot")] = None
    time: Annotated[Counter | None, Field(description="ms since the epoch, UTC")] = None
    clock: Annotated[Clock, Field(strict=False, description="how far `time` is to be trusted")] = Clock.NONE
    flags: Annotated[tuple[FlagName, ...], Field(max_length=4)] = ()


def _adapter(value: type[Value]) -> TypeAdapter[Envelope[Any]]:
    return TypeAdapter(Envelope[value])  # type: ignore[valid-type]


ENVELOPES: Final[dict[Kind, TypeAdapter[Envelope[Any]]]] = {kind: _adapter(value) for kind, value in VALUES.items()}

FLAGS: Final[dict[str, Flag]] = {
    "test": Flag.TEST,
    "drill": Flag.DRILL,
    "history": Flag.HISTORY,
    "learn": Flag.LEARN,
}


@lru_cache(maxsize=256)
def flags_of(names: tuple[str, ...]) -> Flag:
    """The flags by their names on the wire."""
    flags = Flag.NONE
    for name in names:
        flags |= FLAGS[name]
    return flags


def names_of(flags: Flag) -> tuple[FlagName, ...]:
    """The names on the wire of these flags."""
    names: tuple[FlagName, ...] = ("test", "drill", "history", "learn")
    return tuple(name for name in names if FLAGS[name] in flags)
