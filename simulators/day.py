"""One plausible day of a hall, drawn from its seed: who comes when, who sits where, how many stand in each zone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final
from zlib import crc32

from sensors.readings import Kind
from sensors.site.calendar import Span
from sensors.site.index import SiteIndex
from simulators.staff import Stay, stays
from simulators.steps import Steps
from simulators.visitors import Queueing, strollers

# People who are in a zone for something else, as a share of its capacity at the busiest time.
STROLLERS: Final = 0.14
STRETCH_MS: Final = 900_000
UNIT: Final = 2**32


def chance(*about: object) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    return crc32("/".join(map(str, about)).encode()) / UNIT


@dataclass(frozen=True, slots=True)
class Counted:
    """What one people counter sees: who is there, and how many have come and gone since midnight."""

    inside: Steps
    came: Steps
    left: Steps


@dataclass(frozen=True, slots=True)
class Day:
    """The day's truth, from which every sensor takes its word. Instants are ms since the epoch."""

    start: int
    end: int
    open: tuple[Span, ...]
    stays: tuple[Stay, ...]
    queues: dict[str, Steps]
    heads: dict[str, tuple[Span, ...]]
    counters: dict[str, Counted]
    seats: dict[str, Steps]


def make_day(index: SiteIndex, day: date, seed: int) -> Day:
    """Draw one day; the same site, date and seed give the same day."""

    def draw(about: str) -> Random:
        return Random(f"{seed}/{index.hall.id}/{day}/{about}")

    calendar = index.calendar
    start, end = calendar.at(day, 0), calendar.at(day, 24 * 60)
    opening = {w.id: (w, calendar.for_window(w).periods(day)) for w in index.hall.windows}
    services = {service.id: service for service in index.hall.services}
    visits = Queueing(services, draw("visits")).run(opening, start)
    people = tuple(stays(index, day, draw("staff")))
    waiting = {it: [(v.come, v.begin) for v in visits if v.service == it] for it in services}
    stays_in: dict[str, list[Span]] = {zone.id: [] for zone in index.hall.zones}
    for device in index.hall.devices:
        if device.service in services and device.zone in stays_in:
            stays_in[device.zone] += [(v.come, v.leave) for v in visits if v.service == device.service]
    queueing = {zone for zone, found in stays_in.items() if found}
    around = tuple((first - STRETCH_MS, last + STRETCH_MS) for first, last in calendar.periods(day))
    for zone in index.hall.zones:
        if zone.id not in queueing:
            stays_in[zone.id] += strollers(draw(f"zone/{zone.id}"), around, STROLLERS * zone.capacity, start)
    return Day(
        start,
        end,
        around,
        people,
        {it: Steps.of_stays(spans) for it, spans in waiting.items()},
        {it: tuple(sorted(spans)) for it, spans in waiting.items()},
        _counters(index, stays_in, lambda at: chance(seed, day, at)),
        {w.id: Steps.of_stays(s for it in people if it.window == w.id for s in it.seated) for w in index.hall.windows},
    )


def _counters(index: SiteIndex, stays_in: dict[str, list[Span]], draw: Callable[[object], float]) -> dict[str, Counted]:
    """Share each zone's people among its counters: everybody stands before one of them."""
    found = {}
    for zone, spans in stays_in.items():
        counters = [it for it in index.hall.devices if Kind.PEOPLE_COUNT in it.kinds and index.zone_of(it) == zone]
        for number, device in enumerate(counters):
            own = [span for span in spans if int(draw(span) * len(counters)) == number]
            came, left = Steps((at, 1) for at, _ in own), Steps((at, 1) for _, at in own)
            found[device.id] = Counted(Steps.of_stays(own), came, left)
    return found
