"""Inputs: everything that can change a hall's state, in the form in which the journal keeps it.

The hall's state is the fold of these, in journal order. A message is kept as it came (topic and bytes), so
that a better decoder can read history again. Packed by msgspec: one blob holds a whole batch.
`at` is always the gateway's time, ms since the epoch (UTC), never earlier than the input before it but for `Stepped`.
"""

from enum import IntEnum
from typing import Final
from zlib import crc32

import msgspec

# The condition under which the path says that its store does not answer: telemetry is not heard meanwhile.
STORE: Final = "store"


class Lane(IntEnum):
    """Which of the two MQTT sessions a message came by."""

    SAFETY = 0
    TELEMETRY = 1


class Input(msgspec.Struct, frozen=True, array_like=True):
    """The root of all inputs."""

    at: int


class Heard(Input, frozen=True, array_like=True, tag="m"):
    """One PUBLISH that was admitted (neither duplicate, quarantined nor refused).

    `awaiting`: its device was not approved when it came, so its readings do not count (a fire excepted).
    `replayed`: it comes from quarantine, mended; it is history and no event of now.
    """

    topic: str
    payload: bytes
    lane: Lane = Lane.TELEMETRY
    retained: bool = False
    replayed: bool = False
    awaiting: bool = False


class Acted(Input, frozen=True, array_like=True, tag="a"):
    """A person (or a signed link) did something; `action` is the JSON of one of `sensors.actions`."""

    actor: str
    action: bytes


class Ticked(Input, frozen=True, array_like=True, tag="t"):
    """Time passed and a deadline fired. Ticks at which nothing is due are not kept."""


class Stepped(Input, frozen=True, array_like=True, tag="k"):
    """The machine's clock was stepped by `by` ms: `at` is by the old time, whatever follows by the new."""

    by: int


class Started(Input, frozen=True, array_like=True, tag="s"):
    """The gateway started: what was not heard meanwhile is unknown. `site` is the site file's digest."""

    site: str


class Resited(Input, frozen=True, array_like=True, tag="n"):
    """A new version of the site file came into force while the gateway ran: its digest, and who asked for it."""

    site: str
    by: str = ""
    detail: str = ""


class Linked(Input, frozen=True, array_like=True, tag="l"):
    """A session to the broker came up or went down. `missed`: the broker had lost our session."""

    lane: Lane
    up: bool
    missed: bool = False


class Attempting(Input, frozen=True, array_like=True, tag="o"):
    """Senders are about to send these messages: kept before the first byte leaves."""

    messages: tuple[str, ...]


class Reported(Input, frozen=True, array_like=True, tag="r"):
    """What became of one attempt: `outcome` is sent / retry / never / unknown; `error` a code for people."""

    message: str
    outcome: str
    error: str = ""
    retry_after_s: float = 0.0


class Raised(Input, frozen=True, array_like=True, tag="g"):
    """A part of the gateway itself says that a condition became true or false (a store, a channel, the account)."""

    condition: str
    subject: str
    holds: bool
    detail: str = ""


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """How many messages of one device a batch saw, by what became of them; `reasons` of those not taken, by code."""

    device: str
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    awaiting: int = 0
    probe: int = 0
    reasons: dict[str, int] = {}


class Probed(Input, frozen=True, array_like=True, tag="p"):
    """A synthetic message came back by its session: proof of the path, and nothing of the hall.

    `sent` is when it was published (ms since the epoch, the gateway's clock).
    """

    lane: Lane
    id: str
    sent: int


class Tallied(Input, frozen=True, array_like=True, tag="c"):
    """The account of one batch."""

    tallies: tuple[Tally, ...]


AnyInput = (
    Heard | Acted | Ticked | Stepped | Started | Resited | Linked | Attempting | Reported | Raised | Tallied | Probed
)

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[AnyInput])
# The one byte with which no msgpack begins, then the CRC-32 of what follows.
_SEALED: Final = b"\xc1"
_HEAD: Final = 5


def pack(inputs: list[AnyInput]) -> bytes:
    """Pack one batch for the journal, sealed: a bit that a disk has turned must not become another reading."""
    body = _ENCODER.encode(inputs)
    return _SEALED + crc32(body).to_bytes(4) + body


def unpack(blob: bytes) -> list[AnyInput]:
    """Unpack one batch of the journal; raises `msgspec.DecodeError` for a blob that is damaged."""
    if blob[:1] != _SEALED:
        return _DECODER.decode(blob)  # of a release that did not seal them yet
    body = memoryview(blob)[_HEAD:]
    if crc32(body) != int.from_bytes(blob[1:_HEAD]):
        raise msgspec.DecodeError("the batch is damaged: its checksum is another")
    return _DECODER.decode(body)
