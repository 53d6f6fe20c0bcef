"""Points: readings in the form in which the histories keep them, made of what the journal's messages said.

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

from gateway.history.recent import Said
from gateway.store.contract import JournalRow
from sensors.decode.reception import Arrival
from sensors.inputs import Heard, unpack
from sensors.readings import VALUES, Badge, Clock, Kind, Reading, Value

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


def read_row(row: JournalRow, read: Read) -> Iterator[Said]:
    """What the messages in a row of the journal said, one by one.

    `read` decodes a message (None if it no longer can). What a device that awaits approval says does not count, and
    is no history.
    """
    for place, one in enumerate(unpack(row.blob)):
        if isinstance(one, Heard) and not one.awaiting:
            arrival = read(one)
            if arrival is not None:
                yield Said(row.index + place, arrival.readings, one.replayed)


def points(said: Said, salt: bytes) -> list[Point]:
    """The points of a message; `salt` is the site's secret behind badge pseudonyms."""
    made: list[Point] = []
    for ordinal, reading in enumerate(said.readings):
        at = _time(reading, replayed=said.replayed)
        values = _fields(reading.value, salt)
        if at is None or not values:
            continue
        if reading.flags:
            values += (("flags", str(reading.flags.name).lower()),)
        place = reading.place
        made.append(
            Point(
                reading.hall,
                reading.kind,
                reading.device,
                place.zone or "",
                place.window or "",
                values,
                at * _NS + (said.index * _PER_INPUT + ordinal) % _NS,
                said.index,
            )
        )
    return made


def _time(reading: Reading, *, replayed: bool) -> int | None:
    """When it was so: the device's word if that can be believed, else when it came.

    None for what is not of the moment it came in (last-known state, a replay) and does not say of when it is.
    """
    claim = reading.device_time
    if claim is not None and reading.clock is Clock.SYNCED:
        plausible = reading.received - BEHIND_MS <= claim <= reading.received + AHEAD_MS
        if plausible and claim >= 0:
            return claim
    return None if reading.retained or replayed else reading.received


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
    found: list[Field] = []
    for name in _NAMES[type(value)]:
        item = getattr(value, name)
        if item is not None:
            found.append((name, item if type(item) is float else _plain(item)))
    if isinstance(value, Badge):
        found.append(("badge", pseudonym(value.token, salt)))
    return tuple(found)


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
