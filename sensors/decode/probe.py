"""The synthetic message: sent by the gateway to itself through the broker, to prove that the whole path works.

It goes the way of every other message (broker, session, batch, hall state, journal) and says nothing of the hall:
no device, no reading, no point of a history.
"""

from typing import Annotated, Final

import msgspec

from sensors.errors import UndecodableError
from sensors.inputs import Lane
from sensors.topics import probe_topic

PAYLOAD_AT_MOST: Final = 256


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a synthetic message says: an id that only its sender knows, and when it was sent (ms since the epoch)."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    # Whoever may publish here may say a number that no journal can hold.
    sent: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


_DECODER: Final = msgspec.json.Decoder(Probe)


def probe_topics(hall: str) -> dict[str, Lane]:
    """The topics of a hall's synthetic messages, one for each session."""
    return {probe_topic(hall, lane.name.lower()): lane for lane in Lane}


def write_probe(probe: Probe) -> bytes:
    """The payload."""
    return msgspec.json.encode(probe)


def read_probe(payload: bytes) -> Probe:
    """Read a payload; raises `UndecodableError`."""
    if len(payload) > PAYLOAD_AT_MOST:
        raise UndecodableError("ignored", f"{len(payload)} bytes are no probe of ours")
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UndecodableError("ignored", f"no probe of ours: {error}") from None
