"""One alarm or one run, whole: what it is, what happened to it, who was told of it and how far each message came."""

from collections.abc import Iterable
from typing import Final

import msgspec
from aiohttp import web

from alerts.alarms import DISPOSED
from alerts.model import Alarm, Message
from dashboard.server.ask import answer, id_of, people_of, the_hall
from dashboard.server.desk import HallDesk
from dashboard.server.guard import allowed
from dashboard.server.names import People
from dashboard.server.problem import ProblemError
from dashboard.server.records import alarm_entity, event_entity, message_entity, run_entity, ticket_entity
from dashboard.server.rights import Right
from dashboard.server.wire import AlarmEntity, EventEntity, MessageEntity, RunEntity, TicketEntity
from gateway.store.records import EventRow

MOST: Final = 200


class AlarmStory(msgspec.Struct, frozen=True):
    """An alarm. `disposition`: what a person has said that it was, None where nobody did.

    `signals` are the other alarms of its run: what else speaks for it. `events` are newest first.
    """

    alarm: AlarmEntity
    disposition: str | None
    signals: tuple[AlarmEntity, ...]
    ticket: TicketEntity | None
    run: RunEntity | None
    messages: tuple[MessageEntity, ...]
    events: tuple[EventEntity, ...]


class RunStory(msgspec.Struct, frozen=True):
    """A run of a plan with the alarms that belong to it; `events` are newest first."""

    run: RunEntity
    alarms: tuple[AlarmEntity, ...]
    events: tuple[EventEntity, ...]


async def alarm(request: web.Request) -> web.Response:
    """`GET /api/v1/alarms/{id}`: an alarm, open or over."""
    allowed(request, Right.SEE)
    desk = the_hall(request)
    id_, people = id_of(request), people_of(request, desk)
    row = None if id_ is None else await desk.records.alarm(desk.id, id_)
    shown = None if row is None else alarm_entity(row, people)
    if id_ is None or row is None or shown is None:  # one about a person is none for who may not see names
        raise ProblemError(404, "no_such_alarm", id=id_ or "")
    run = None if row.run is None else await desk.records.run(desk.id, row.run)
    ticket = None if row.ticket is None else await desk.records.ticket(desk.id, row.ticket)
    about = (id_,) if run is None else (id_, run.id)
    lines, messages = await _lines(desk, id_), await _messages(desk, about)
    signals = () if run is None else await _alarms(desk, (one for one in run.alarms if one != id_), people)
    return answer(
        AlarmStory(
            alarm=shown,
            disposition=disposition(lines),
            signals=signals,
            ticket=None if ticket is None else ticket_entity(ticket, people),
            run=None if run is None else run_entity(run, people, messages),
            messages=tuple(message_entity(one, people) for one in messages),
            events=_events(lines, people),
        )
    )


async def run(request: web.Request) -> web.Response:
    """`GET /api/v1/runs/{id}`: a run, live or over."""
    allowed(request, Right.SEE)
    desk = the_hall(request)
    id_, people = id_of(request), people_of(request, desk)
    row = None if id_ is None else await desk.records.run(desk.id, id_)
    if id_ is None or row is None:
        raise ProblemError(404, "no_such_run", id=id_ or "")
    messages = await _messages(desk, (id_, *row.alarms))
    lines = await _lines(desk, id_)
    alarms = await _alarms(desk, row.alarms, people)
    return answer(RunStory(run_entity(row, people, messages), alarms, _events(lines, people)))


def disposition(lines: Iterable[EventRow]) -> str | None:
    """What was said last of an alarm whose log this is, newest first."""
    prefix = f"{DISPOSED}."
    return next((one.event.what.removeprefix(prefix) for one in lines if one.event.what.startswith(prefix)), None)


async def _lines(desk: HallDesk, about: str) -> list[EventRow]:
    return list(await desk.records.events(desk.id, about=about, limit=MOST))


async def _messages(desk: HallDesk, about: Iterable[str]) -> list[Message]:
    found = [one for id_ in about for one in await desk.records.messages(desk.id, about=id_, limit=MOST)]
    return sorted(found, key=lambda one: (one.created, one.id), reverse=True)


async def _alarms(desk: HallDesk, ids: Iterable[str], people: People) -> tuple[AlarmEntity, ...]:
    rows: list[Alarm] = [one for id_ in ids if (one := await desk.records.alarm(desk.id, id_)) is not None]
    return tuple(shown for row in rows if (shown := alarm_entity(row, people)) is not None)


def _events(lines: Iterable[EventRow], people: People) -> tuple[EventEntity, ...]:
    return tuple(shown for one in lines if (shown := event_entity(one, people)) is not None)
