"""Points: readings in the form in which the histories keep them, made from rows of the journal.

A point's identity is (hall, kind, device, place, ns), and `ns` is its millisecond with the position in the journal
in the digits below: shipping a row twice writes the same points again. Nothing here names a person: a badge
becomes a pseudonym, and no ticket, token or name is a tag.
"""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import fields
from enum import Enum
from typing import Final

import msgspec

from gateway.store.contract import JournalRow
from sensors.decode.reception import Arrival
from sensors.inputs import Heard, unpack
from sensors.readings import VALUES, Badge, Clock, Flag, Kind, Reading, Value

# A device's clock is believed when it says it is synchronised and is no further off than this from our own.
AHEAD_MS: Final = 120_000
BEHIND_MS: Final = 30 * 86_400_000
# Readings of one message, told apart in the digits below the millisecond.
_PER_INPUT: Final = 16
_NS: Final = 1_000_000

Field = tuple[str, float | str]
Read = Callable[[Heard], Arrival | None]


class Point(msgspec.Struct, frozen=True):
    """One reading for the histories. Numbers are floats and truth is 1 or 0, so that means make sense.

    `ns` is the point's unique time in ns, `at` the same in ms; `index` is its input's place in the journal.
    """

    hall: str
    kind: Kind
    device: str
    zone: str
    window: str
    fields: tuple[Field, ...]
    ns: int
    index: int

    @property
    def at(self) -> int:
        """The point's time, ms since the epoch (UTC)."""
        return self.ns // _NS


def points(row: JournalRow, read: Read, salt: bytes) -> Iterator[tuple[Point, ...]]:
    """The points of each message in a row of the journal, message by message.

    `read` decodes a message (None if it no longer can); `salt` is the site's secret behind badge pseudonyms.
    What a device that awaits approval says does not count, and is no history.
    """
    for place, one in enumerate(unpack(row.blob)):
        if isinstance(one, Heard) and not one.awaiting:
            arrival = read(one)
            yield () if arrival is None else tuple(_of(one, arrival, row.index + place, salt))


def _of(heard: Heard, arrival: Arrival, index: int, salt: bytes) -> Iterator[Point]:
    for ordinal, reading in enumerate(arrival.readings):
        at = _time(heard, reading)
        values = _fields(reading.value, salt)
        if at is None or not values:
            continue
        if reading.flags != Flag.NONE:
            values += (("flags", str(reading.flags.name).lower()),)
        yield Point(
            hall=reading.hall,
            kind=reading.kind,
            device=reading.device,
            zone=reading.place.zone or "",
            window=reading.place.window or "",
            fields=values,
            ns=at * _NS + (index * _PER_INPUT + ordinal) % _NS,
            index=index,
        )


def _time(heard: Heard, reading: Reading) -> int | None:
    """When it was so: the device's word if that can be believed, else when it came.

    None for what is not of the moment it came in (last-known state, a replay) and does not say of when it is.
    """
    claim = reading.device_time
    if claim is not None and reading.clock == Clock.SYNCED:
        plausible = reading.received - BEHIND_MS <= claim <= reading.received + AHEAD_MS
        if plausible and claim >= 0:
            return claim
    return None if reading.retained or heard.replayed else reading.received


_NAMES: Final[dict[type[Value], tuple[str, ...]]] = {
    type_: tuple(one.name for one in fields(type_) if type_ is not Badge or one.name != "token")
    for type_ in VALUES.values()
}
# What may be asked of each kind: the fields above, `flags`, and the badge's pseudonym.
FIELDS: Final[dict[Kind, frozenset[str]]] = {
    kind: frozenset((*_NAMES[type_], "flags", *(("badge",) if type_ is Badge else ())))
    for kind, type_ in VALUES.items()
}


def _fields(value: Value, salt: bytes) -> tuple[Field, ...]:
    found = tuple((name, _plain(item)) for name in _NAMES[type(value)] if (item := getattr(value, name)) is not None)
    return (*found, ("badge", pseudonym(value.token, salt))) if isinstance(value, Badge) else found


def _plain(item: object) -> float | str:
    if isinstance(item, Enum):
        return str(item.value)
    if isinstance(item, (bool, int, float)):
        return float(item)
    return str(item)


def pseudonym(token: str, salt: bytes) -> str:
    """A badge's name in the histories: the same for the same badge, and no way back without the site's salt.

    Tokens are short and guessable, so a plain hash would be undone by trying them all.
    """
    return hmac.digest(salt, token.encode(), "sha256")[:8].hex()
