"""The hall's state as bytes, for snapshots. Deterministic: equal states are equal bytes."""

import dataclasses
import hashlib
from enum import Enum
from typing import Final, get_args

import msgspec

from sensors.errors import HallwatchError
from sensors.hall.state import HallState

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
_DECODER: Final = msgspec.msgpack.Decoder(HallState)


class SnapshotError(HallwatchError):
    """Bytes that are no state of a hall."""

    code = "bad_snapshot"


def encode_state(state: HallState) -> bytes:
    """A hall's state as msgpack."""
    return _ENCODER.encode(state)


def decode_state(blob: bytes) -> HallState:
    """Read a state; fields that it lacks get their defaults. Raises `SnapshotError` for damaged bytes."""
    try:
        return _DECODER.decode(blob)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"the snapshot cannot be read: {error}") from error


def _shape(type_: object, seen: dict[str, str]) -> None:
    """Write down what a type is made of, and the types within it."""
    for inner in get_args(type_):
        _shape(inner, seen)
    if not isinstance(type_, type) or type_.__qualname__ in seen:
        return
    if issubclass(type_, Enum):
        seen[type_.__qualname__] = ",".join(str(member.value) for member in type_)
    elif dataclasses.is_dataclass(type_):
        fields = dataclasses.fields(type_)
        seen[type_.__qualname__] = ",".join(f"{field.name}:{field.type}" for field in fields)
        for field in fields:
            _shape(field.type, seen)


def _version() -> str:
    seen: dict[str, str] = {}
    _shape(HallState, seen)
    return hashlib.sha256(repr(sorted(seen.items())).encode()).hexdigest()[:16]


STATE_VERSION: Final = _version()
"""Changes by itself with the shape of the state, so nobody can forget to."""
