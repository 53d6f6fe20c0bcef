"""What people look up: alarms, tickets, runs, events, devices. Newest first, by pages."""

from collections.abc import Sequence

from aiohttp import web

from dashboard.server.answers import Listed
from dashboard.server.ask import answer, before_of, flag, limit_of, people_of, the_hall, whole, word_of
from dashboard.server.entities import device_entity
from dashboard.server.guard import allowed
from dashboard.server.records import alarm_entity, event_entity, run_entity, ticket_entity
from dashboard.server.rights import Right
from dashboard.server.subjects import UNKNOWN, Subjects


def _page(items: Sequence[object], ends: Sequence[tuple[int, str]], limit: int) -> web.Response:
    """A page of a list; `next` asks for the one after."""
    more = f"{ends[-1][0]},{ends[-1][1]}" if len(ends) == limit else None
    return answer(Listed(tuple(item for item in items if item is not None), more))


async def alarms(request: web.Request) -> web.Response:
    """`GET /api/v1/alarms`: newest first; `?open=1` for those that are open."""
    allowed(request, Right.SEE)
    desk, limit = the_hall(request), limit_of(request)
    open_only = flag(request, "open")
    rows = await desk.records.alarms(desk.id, open_only=open_only, before=before_of(request), limit=limit)
    people = people_of(request, desk)
    return _page([alarm_entity(row, people) for row in rows], [(row.raised, row.id) for row in rows], limit)


async def tickets(request: web.Request) -> web.Response:
    """`GET /api/v1/tickets`: newest first; `?open=1` for those that are not done."""
    allowed(request, Right.SEE)
    desk, limit = the_hall(request), limit_of(request)
    open_only = flag(request, "open")
    rows = await desk.records.tickets(desk.id, open_only=open_only, before=before_of(request), limit=limit)
    people = people_of(request, desk)
    return _page([ticket_entity(row, people) for row in rows], [(row.opened, row.id) for row in rows], limit)


async def runs(request: web.Request) -> web.Response:
    """`GET /api/v1/runs`: newest first, each with its messages; `?open=1` for those under way."""
    allowed(request, Right.SEE)
    desk, limit = the_hall(request), limit_of(request)
    open_only = flag(request, "open")
    rows = await desk.records.runs(desk.id, open_only=open_only, before=before_of(request), limit=limit)
    people = people_of(request, desk)
    made = []
    for row in rows:
        messages = [one for about in (row.id, *row.alarms) for one in await desk.records.messages(desk.id, about=about)]
        made.append(run_entity(row, people, messages))
    return _page(made, [(row.started, row.id) for row in rows], limit)


async def events(request: web.Request) -> web.Response:
    """`GET /api/v1/events`: newest first; `?about=A1` for one thing."""
    allowed(request, Right.SEE)
    desk, limit = the_hall(request), limit_of(request)
    before = whole(request, "before", 2**53, 0, 2**53)
    rows = await desk.records.events(desk.id, about=word_of(request, "about"), before=before, limit=limit)
    people = people_of(request, desk)
    about = await Subjects(desk).of(row.event for row in rows)
    made = (event_entity(row, people, about.get(row.event.about, UNKNOWN)) for row in rows)
    items = tuple(one for one in made if one is not None)
    return answer(Listed(items, str(rows[-1].id) if len(rows) == limit else None))


async def devices(request: web.Request) -> web.Response:
    """`GET /api/v1/devices`: all of them, discovered and retired ones too."""
    allowed(request, Right.SEE)
    desk = the_hall(request)
    return answer(Listed(tuple(device_entity(desk, one) for one in desk.view.state.devices.values()), None))
