"""What a scenario lays over an ordinary day: devices that say something else, fall silent and come back; people away.

While a device insists on a kind, its own words of that kind are replaced at their own instants: a detector in
alarm repeats its alarm when it would have repeated that all is well. A silent device says nothing at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from sensors.decode.encode import KIND_OF
from sensors.readings import Availability, Badge, Flag, Kind, PeopleCount, Presence, Queue, Value
from simulators.fleet import Fleet
from simulators.publication import Publication, Told

FOREVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Say:
    """From `at` to `until` the device says this; an event (a press, a badge) is said once."""

    at: int
    device: str
    value: Value
    until: int = FOREVER
    flags: Flag = Flag.NONE


@dataclass(frozen=True, slots=True)
class Rise:
    """From `at` on people become more (or fewer) in a straight line, `to` at `by`, and stay so until `until`.

    Of a queue its length, of a people counter its occupancy.
    """

    at: int
    device: str
    kind: Kind
    to: int
    by: int
    until: int = FOREVER


@dataclass(frozen=True, slots=True)
class Vanish:
    """The device falls silent; `will_at` is when its last will is published, None for one that only hangs."""

    at: int
    device: str
    will_at: int | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """The device starts anew."""

    at: int
    device: str


@dataclass(frozen=True, slots=True)
class Away:
    """From `at` to `until` a person is not at the windows of their shifts: no badge, and nobody on the chair.

    Who has not come yet does not come; who was there leaves their badge where it was, as when somebody just walks off.
    """

    at: int
    device: str
    until: int = FOREVER


@dataclass(frozen=True, slots=True)
class _Will:
    """The broker misses the device."""

    at: int
    device: str


@dataclass(frozen=True, slots=True)
class _Settle:
    """The device says again what is usual."""

    at: int
    device: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Back:
    """A person sits down again, and badges in."""

    at: int
    device: str


Change = Say | Rise | Vanish | Return | Away
# Kinds that happen: they are said once, at their instant, and nothing is replaced.
HAPPENING: Final = frozenset({Kind.BADGE, Kind.BUTTON, Kind.SEISMIC})


@dataclass(slots=True)
class _Insisting:
    change: Say | Rise
    start: int = 0

    def value(self, at: int, usual: Value | None) -> Value | None:
        if isinstance(self.change, Say):
            return self.change.value
        if usual is None:
            return None
        done = min(1.0, (at - self.change.at) / max(1, self.change.by - self.change.at))
        now = round(self.start + (self.change.to - self.start) * done)
        if isinstance(usual, Queue):
            return replace(usual, length=now)
        return replace(usual, occupancy=now) if isinstance(usual, PeopleCount) else usual


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person works: their badges, and the readers and presence sensors of their windows."""

    tokens: frozenset[str]
    readers: frozenset[str]
    seats: frozenset[str]


def place_of(fleet: Fleet, person: str) -> Place:
    """The place of a person; raises `ValueError` for one without a shift in this hall."""
    known = fleet.index.person(person)
    windows = {shift.window for shift in fleet.index.hall.shifts if shift.person == person}
    if known is None or not windows:
        raise ValueError(f"{person} has no shift in {fleet.hall}")
    there = [device for device in fleet.devices.values() if device.window in windows]
    return Place(
        frozenset(known.badges),
        frozenset(it.id for it in there if Kind.BADGE in it.kinds),
        frozenset(it.id for it in there if Kind.PRESENCE in it.kinds),
    )


@dataclass(slots=True)
class Overlay:
    """Walks through the day and the changes together, in order of time."""

    fleet: Fleet
    changes: list[Change]
    insisting: dict[tuple[str, Kind], _Insisting] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    last: dict[tuple[str, Kind], Value] = field(default_factory=dict)
    away: dict[str, Place] = field(default_factory=dict)
    pending: list["Change | _Will | _Settle | _Back"] = field(default_factory=list)

    def publications(self, start: int, end: int) -> Iterator[Publication]:
        """All that goes over the wire in [start, end)."""
        yield from self.fleet.connect(start)
        self.lay(self.changes)
        for told in self.fleet.told(start, end):
            while self.pending and self.pending[0].at <= told.at:
                yield from self._apply(self.pending.pop(0))
            yield from self._tell(told)
        for change in self.pending:
            if change.at < end:
                yield from self._apply(change)

    def lay(self, changes: Iterable[Change]) -> None:
        """Lay more over the day, also while it is being played: what is past is done with the next word of a device."""
        new = list(changes)
        self.pending += [*self._ends(new), *new]
        self.pending.sort(key=lambda change: (change.at, change.device))

    @staticmethod
    def _ends(changes: Iterable[Change]) -> "list[_Will | _Settle | _Back]":
        """What follows from the changes by itself."""
        ends: list[_Will | _Settle | _Back] = []
        for change in changes:
            if isinstance(change, Vanish) and change.will_at is not None:
                ends.append(_Will(change.will_at, change.device))
            elif isinstance(change, Say | Rise) and change.until < FOREVER:
                ends.append(_Settle(change.until, change.device, _kind(change)))
            elif isinstance(change, Away) and change.until < FOREVER:
                ends.append(_Back(change.until, change.device))
        return ends

    def _apply(self, change: Change | _Will | _Settle | _Back) -> Iterator[Publication]:
        match change:
            case Say():
                yield from self._say(change)
            case Rise():
                before = self.last.get((change.device, change.kind))
                self.insisting[change.device, change.kind] = _Insisting(change, _people(before))
            case Vanish():
                self.silent.add(change.device)
            case Return():
                self.silent.discard(change.device)
                yield from self.fleet.restart(change.device, change.at)
                for told in self.fleet.greet(change.device, change.at):
                    yield from self._tell(replace(told, at=change.at))
            case _Will():
                if change.device in self.silent:
                    yield self.fleet.will(change.device, change.at)
            case _Settle():
                yield from self._settle(change)
            case Away():
                yield from self._leave(change)
            case _Back():
                yield from self._return(change)

    def _leave(self, change: Away) -> Iterator[Publication]:
        place = self.away[change.device] = place_of(self.fleet, change.device)
        for seat in sorted(place.seats - self.silent):
            if self.last.get((seat, Kind.PRESENCE)) == Presence(present=True):
                yield from self.fleet.speak(seat, Presence(present=False), change.at)

    def _return(self, change: _Back) -> Iterator[Publication]:
        place = self.away.pop(change.device)
        for device in sorted(place.readers - self.silent):
            for token in sorted(place.tokens):
                yield from self.fleet.speak(device, Badge(token), change.at)
        for seat in sorted(place.seats - self.silent):
            yield from self.fleet.speak(seat, Presence(present=True), change.at)

    def _withheld(self, told: Told) -> Value | None:
        """What is said of a window while its person is away: None instead of their badge, nobody on their chair."""
        for place in self.away.values():
            if isinstance(told.value, Badge) and told.value.token in place.tokens:
                return None
            if isinstance(told.value, Presence) and told.device in place.seats:
                return replace(told.value, present=False)
        return told.value

    def _settle(self, change: _Settle) -> Iterator[Publication]:
        self.insisting.pop((change.device, change.kind), None)
        usual = self.last.get((change.device, change.kind))
        if usual is not None and change.device not in self.silent:
            yield from self.fleet.speak(change.device, usual, change.at)

    def _say(self, change: Say) -> Iterator[Publication]:
        kind = _kind(change)
        if kind not in HAPPENING:
            self.insisting[change.device, kind] = _Insisting(change)
        if change.device not in self.silent:
            yield from self.fleet.speak(change.device, change.value, change.at, change.flags)

    def _tell(self, told: Told) -> Iterator[Publication]:
        kind = KIND_OF[type(told.value)]
        if kind not in HAPPENING and not isinstance(told.value, Availability):
            self.last[told.device, kind] = told.value
        value = self._withheld(told) if self.away else told.value
        if told.device in self.silent or value is None:
            return
        told = replace(told, value=value) if value is not told.value else told
        insisting = self.insisting.get((told.device, kind))
        if insisting is None:
            yield from self.fleet.say(told)
            return
        value = insisting.value(told.at, told.value)
        if value is not None:
            flags = insisting.change.flags if isinstance(insisting.change, Say) else told.flags
            yield from self.fleet.speak(told.device, value, told.at, flags)


def _people(value: Value | None) -> int:
    if isinstance(value, Queue):
        return value.length
    return (value.occupancy or 0) if isinstance(value, PeopleCount) else 0


def _kind(change: Say | Rise) -> Kind:
    return KIND_OF[type(change.value)] if isinstance(change, Say) else change.kind
