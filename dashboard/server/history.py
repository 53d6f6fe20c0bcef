"""History as the page asks for it: a curve of a device, a window, a queue or a zone, what happened beside it, and CSV.

What is asked for decides how much is read: a curve has a few hundred points however long it is, so that a month is
answered as fast as an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web

from alerts.chronicle import AWAY, SITE, STAFFING
from alerts.model import Alarm, Event, Priority
from dashboard.server import staffed
from dashboard.server.ask import answer, people_of, the_hall, whole
from dashboard.server.curves import DELTAS, Curve, Turn, curve, step_for
from dashboard.server.desk import HallDesk
from dashboard.server.guard import allowed
from dashboard.server.problem import ProblemError
from dashboard.server.records import alarm_entity
from dashboard.server.rights import Right
from dashboard.server.wire import AlarmEntity, Name
from gateway.history.contract import Asked
from gateway.history.figures import units
from sensors.readings import Kind

MOST_STEPS: Final = 5000
LONGEST_MS: Final = 400 * 86_400_000
MOST_ALARMS: Final = 300
LOOKED_AT: Final = 3000
SUBJECTS: Final = ("device", "window", "queue", "zone")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: which thing, which figure of it, and when; `kind` is None for how a window is staffed."""

    desk: HallDesk
    sort: str
    id: str
    kind: Kind | None
    field: str
    times: range

    @property
    def unit(self) -> str:
        """The unit of the figure."""
        return "%" if self.kind is None else units(self.kind)[self.field]


class Site(msgspec.Struct, frozen=True):
    """The site file changed: when, by whom (as far as one may see it), and what."""

    at: int
    by: Name | str | None
    text: str


class Stretch(msgspec.Struct, frozen=True):
    """From when to when (ms)."""

    start: int
    end: int


class Marks(msgspec.Struct, frozen=True):
    """What happened beside a curve. `away`: nobody listened; `lost`: what the disk budget has cost.

    `more`: there are more alarms than are told.
    """

    alarms: tuple[AlarmEntity, ...]
    sites: tuple[Site, ...]
    away: tuple[Stretch, ...]
    lost: tuple[Stretch, ...]
    more: bool


async def history(request: web.Request) -> web.Response:
    """`GET /api/v1/history`: one figure of a device, a window, a queue or a zone over a range, for a chart."""
    allowed(request, Right.SEE)
    return answer(await shown(wanted(request)))


async def marks(request: web.Request) -> web.Response:
    """`GET /api/v1/history/marks`: alarms, changes of the site and the times when nobody listened, of a range."""
    allowed(request, Right.SEE)
    desk = the_hall(request)
    start, end = stretch(request)
    sort, id_ = subject(request, desk)
    people = people_of(request, desk)
    found = await desk.past.alarms(desk.id, start, end, LOOKED_AT)
    about = [one for one in found if _concerns(one, sort, id_)]
    told = [entity for one in about[:MOST_ALARMS] if (entity := alarm_entity(one, people)) is not None]
    away = await _away(desk, start, end)
    sites = await desk.past.lines(desk.id, "site", SITE, start, end)
    gaps = [gap for gap in await desk.records.gaps(desk.id) if gap.from_at < end and gap.to_at >= start]
    return answer(
        Marks(
            tuple(told),
            tuple(Site(one.at, people.actor(one.actor), people.text(one.detail)) for one in sites if one.at >= start),
            tuple(Stretch(max(start, staffed.silent_since(one)), min(end, one.at)) for one in away),
            tuple(Stretch(max(start, gap.from_at), min(end, gap.to_at)) for gap in gaps),
            len(found) == LOOKED_AT or len(about) > MOST_ALARMS,
        )
    )


async def shown(asked: Wanted) -> Curve:
    """The curve that is asked for."""
    if asked.kind is None:
        return await _staffing(asked)
    start, end, every = asked.times.start, asked.times.stop, asked.times.step
    question = question_of(asked)
    found = [] if question is None else await asked.desk.history.spread(question, start, end, every)
    silences = _silences(asked.desk, {one.device for one in found})
    summed = asked.sort == "zone" and asked.unit.startswith("people")
    return curve(asked.times, found, silences, unit=asked.unit, added=asked.field in DELTAS, summed=summed)


def question_of(asked: Wanted) -> Asked | None:
    """What a history is asked; None where no device could have an answer."""
    hall, kind, id_ = asked.desk.id, asked.kind, asked.id
    if kind is None:
        return None
    match asked.sort:
        case "device":
            return Asked(hall, kind, asked.field, device=id_)
        case "window":
            return Asked(hall, kind, asked.field, window=id_)
        case "zone":
            return Asked(hall, kind, asked.field, zone=id_)
    devices = asked.desk.view.state.devices.values()
    named = tuple(sorted(one.id for one in devices if one.service == id_ and kind in one.kinds))
    return Asked(hall, kind, asked.field, devices=named) if named else None


def wanted(request: web.Request) -> Wanted:
    """What a request asks for; raises `ProblemError` 400 or 404."""
    desk = the_hall(request)
    start, end = stretch(request)
    sort, id_ = subject(request, desk)
    every = whole(request, "every", step_for(end - start), 1000, LONGEST_MS)
    if end - start > every * MOST_STEPS:
        raise ProblemError(400, "history_too_many_steps", f"at most {MOST_STEPS} steps", most=str(MOST_STEPS))
    kind, field = request.query.get("kind", ""), request.query.get("field", "")
    times = range(start, end, every)
    if sort == "window" and kind == staffed.KIND:
        return Wanted(desk, sort, id_, None, staffed.FIELD, times)
    try:
        known = Kind(kind)
    except ValueError as error:
        raise ProblemError(400, "bad_query", "kind is one of the reading kinds") from error
    Asked(desk.id, known, field)  # a field that the kind has not is refused here
    if field not in units(known):
        raise ProblemError(400, "history_no_number", f"{field} of {known} is no number")
    return Wanted(desk, sort, id_, known, field, times)


def subject(request: web.Request, desk: HallDesk) -> tuple[str, str]:
    """Which thing is asked for: exactly one. A device may be one that the hall has no more."""
    given = [(sort, request.query[sort]) for sort in SUBJECTS if sort in request.query]
    if len(given) != 1:
        raise ProblemError(400, "history_one_subject", f"exactly one of {', '.join(SUBJECTS)}")
    sort, id_ = given[0]
    if not 0 < len(id_) <= 128 or not id_.isprintable():  # noqa: PLR2004
        raise ProblemError(400, "bad_query", f"{sort} is an id")
    known = {"window": desk.site.window, "queue": desk.site.service, "zone": desk.site.zone}.get(sort)
    if known is not None and known(id_) is None:
        raise ProblemError(404, "no_such_place", f"the hall has no {sort} {id_}")
    return sort, id_


def stretch(request: web.Request) -> tuple[int, int]:
    """From when to when is asked (ms); raises `ProblemError` 400."""
    start, end = whole(request, "start", None, 0, 2**53), whole(request, "end", None, 0, 2**53)
    if not start < end:
        raise ProblemError(400, "bad_query", "end is after start")
    if end - start > LONGEST_MS:
        raise ProblemError(400, "history_too_long", "at most 400 days", days="400")
    return start, end


async def _staffing(asked: Wanted) -> Curve:
    start, end, desk = asked.times.start, asked.times.stop, asked.desk
    lines = await desk.past.lines(desk.id, asked.id, STAFFING, start, end)
    away = await _away(desk, start, end)
    # What has not come yet is not known.
    now = min(end, max(start, desk.path.now()))
    given = staffed.turns(lines, away, start, now) if now > start else ()
    if now < end:
        given = (*given, Turn(now, "unknown"))
    return staffed.share(given, asked.times)


def _silences(desk: HallDesk, devices: set[str]) -> Mapping[str, int]:
    """For how long each may be silent (ms) before it is stale."""
    known = desk.view.state.devices
    powers = {id_: known[id_].power if id_ in known else "mains" for id_ in devices}
    return {id_: 1000 * desk.site.silence(power, id_).stale_s for id_, power in powers.items()}


def _concerns(alarm: Alarm, sort: str, id_: str) -> bool:
    """Whether an alarm stands beside this thing's curve; what concerns everybody's lives stands beside each."""
    if alarm.priority is Priority.LIFE_SAFETY:
        return True
    kind = "service" if sort == "queue" else sort
    return (
        (alarm.subject.type == kind and alarm.subject.id == id_)
        or (sort == "device" and alarm.device == id_)
        or (sort == "zone" and alarm.zone == id_)
    )


async def _away(desk: HallDesk, start: int, end: int) -> list[Event]:
    """The times when nobody listened, also one that ended after `end`."""
    found = await desk.past.lines(desk.id, "gateway", AWAY, start, max(end, desk.path.now() + 1))
    return [one for one in found if one.at > start and staffed.silent_since(one) < end]
