"""The staff of one day: they badge in some minutes before their session, sit, stand up now and then, badge out."""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from sensors.site.calendar import Span
from sensors.site.index import SiteIndex

EARLY_S: Final = (150.0, 600.0)
AFTER_S: Final = (20.0, 110.0)
BREAK_EVERY_S: Final = 2400.0
BREAK_S: Final = (20.0, 80.0)


@dataclass(frozen=True, slots=True)
class Stay:
    """One person at one window for one session; `seated` are the spans in which somebody sits there."""

    person: str
    token: str | None
    window: str
    come: int
    leave: int
    seated: tuple[Span, ...]


def stays(index: SiteIndex, day: date, rng: Random) -> list[Stay]:
    """Everybody whose shift has a session on this day, in the order in which they come."""
    found = []
    for shift in index.hall.shifts:
        person = index.person(shift.person)
        token = person.badges[0] if person is not None and person.badges else None
        for start, end in index.calendar.sessions(shift, day):
            come = start - int(rng.uniform(*EARLY_S) * 1000)
            leave = end + int(rng.uniform(*AFTER_S) * 1000)
            found.append(Stay(shift.person, token, shift.window, come, leave, _seated(rng, come, leave)))
    return sorted(found, key=lambda stay: (stay.come, stay.window, stay.person))


def _seated(rng: Random, come: int, leave: int) -> tuple[Span, ...]:
    spans, since = [], come + 8_000
    while True:
        up = since + int(rng.expovariate(1 / BREAK_EVERY_S) * 1000) + 60_000
        if up >= leave - 120_000:
            spans.append((since, leave - 5_000))
            return tuple(spans)
        spans.append((since, up))
        since = up + int(rng.uniform(*BREAK_S) * 1000)
