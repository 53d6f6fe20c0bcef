"""Hallwatch's own scheme on the wire: one topic per hall, class, device and kind; one JSON object per message."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import ValidationError

from sensors.decode.envelope import ENVELOPES, PAYLOAD_AT_MOST, Envelope, flags_of
from sensors.decode.explain import undecodable
from sensors.decode.family import Decoded, Known, Packet, Subscription
from sensors.decode.signature import body_of
from sensors.decode.suspicion import suspect_native
from sensors.errors import UndecodableError
from sensors.inputs import Lane
from sensors.readings import Battery, Crowd, Environment, Flag, Kind, PeopleCount, Seismic, Value
from sensors.topics import BASE, TopicClass, TopicError, class_filter, parse_device_topic

# Values all of whose fields may be absent, but not at the same time.
EMPTY: Final[dict[Kind, Value]] = {
    Kind.PEOPLE_COUNT: PeopleCount(),
    Kind.CROWD: Crowd(),
    Kind.ENVIRONMENT: Environment(),
    Kind.SEISMIC: Seismic(),
    Kind.BATTERY: Battery(),
}
# Of a key that is written twice JSON readers take the last: an alarm must not be unsaid in its own message.
VITAL_KEYS: Final = (b'"value"', b'"alarm"', b'"action"')
_NO_FLAGS: Final = Flag.NONE


class NativeFamily:
    """The native scheme on one hall."""

    name = "native"

    def __init__(self, hall: str, base: str | None = None) -> None:
        self._hall = hall
        self._base = base or BASE
        self._prefix = f"{self._base}/{hall}/"
        self._cut = len(self._prefix)

    def subscriptions(self, devices: tuple[Known, ...]) -> tuple[Subscription, ...]:
        """One filter a lane; unknown devices are heard too, so that they can be approved."""
        del devices
        return (
            Subscription(class_filter(self._hall, TopicClass.SAFETY, self._base), Lane.SAFETY),
            Subscription(class_filter(self._hall, TopicClass.TELEMETRY, self._base), Lane.TELEMETRY),
        )

    def speaks(self, topic: str) -> bool:
        """Whether the topic is below this hall's."""
        return topic.startswith(self._prefix)

    def decode(self, packet: Packet) -> Decoded:
        """Read one message; raises `UndecodableError`."""
        below = packet.topic[self._cut :]
        try:
            return self._read(below, packet.payload)
        except UndecodableError as error:
            if below.startswith("safety/") or below.endswith(("/fire", "/button")):
                suspect_native(error, packet.payload)
            raise

    def _read(self, below: str, payload: bytes) -> Decoded:
        route = _route(below)
        device, kind = route.device, route.kind
        if len(payload) > PAYLOAD_AT_MOST:
            detail = f"{len(payload)} bytes, at most {PAYLOAD_AT_MOST} are read"
            raise UndecodableError("too_large", detail, address=device)
        if not payload:
            raise UndecodableError("ignored", "an empty message clears a retained one", address=device)
        if route.vital and any(payload.count(key) > 1 for key in VITAL_KEYS):
            raise UndecodableError("invalid_value", "a fire or a call for help says each thing once", address=device)
        try:
            message = route.read(body_of(payload))
        except ValidationError as error:
            raise undecodable(error, address=device) from None
        if message.device is not None and message.device != device:
            raise UndecodableError("device_mismatch", f"the topic says {device}, `device` does not", address=device)
        if message.seq is not None and message.boot is None:
            raise UndecodableError("sequence_without_boot", "`seq` needs `boot`", address=device)
        if route.empty is not None and message.value == route.empty:
            raise UndecodableError("invalid_value", "`value` needs at least one field", address=device)
        flags = flags_of(message.flags) if message.flags else _NO_FLAGS
        return Decoded(device, ((kind, message.value),), message.time, message.clock, message.boot, message.seq, flags)


@dataclass(frozen=True, slots=True)
class _Route:
    device: str
    kind: Kind
    read: Callable[[bytes], Envelope[Any]]
    empty: Value | None
    vital: bool


@lru_cache(maxsize=8192)
def _route(below: str) -> _Route:
    """What a topic says, and how its payloads are read. The answer is kept: topics repeat for years."""
    try:
        topic = parse_device_topic(below)
    except TopicError as error:
        raise UndecodableError(error.reason, error.detail, address=error.device) from None
    vital = topic.kind in {Kind.FIRE, Kind.BUTTON}
    return _Route(topic.device, topic.kind, ENVELOPES[topic.kind].validate_json, EMPTY.get(topic.kind), vital)
