"""What people do: actions, logins, and how the server is."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from dashboard.server.answers import AccountAnswer, HallStatus, Nothing, Refs, Session, Status
from dashboard.server.ask import answer, body_of, desks_of, the_hall
from dashboard.server.audit import came, note
from dashboard.server.desk import HallDesk
from dashboard.server.guard import COOKIE, DOORS, address_of, allowed, known, secured, visitor
from dashboard.server.problem import ProblemError
from dashboard.server.rights import NEEDED, Right, about
from sensors.actions import AnswerMessage, read_action
from sensors.hall.account import sum_of
from sensors.hall.state import DeviceState, Origin


class LoginBody(BaseModel):
    """A login."""

    model_config = ConfigDict(extra="forbid")
    user: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1024)]


async def act(request: web.Request) -> web.Response:
    """`POST /api/v1/actions`: do one of `sensors.actions`; answers when it is committed."""
    desk, actor = the_hall(request), known(request).actor
    action = read_action(await body_of(request))
    note(request, action.do, about(action))
    allowed(request, NEEDED[type(action)])
    if isinstance(action, AnswerMessage) and not visitor(request).local:
        # It answers in the name of whom the message went to: only that person's own link may.
        raise ProblemError(403, "forbidden", "a message is answered by its link")
    outcome = await desk.path.act(actor, action)
    return answer(Refs(outcome.refs))


async def login(request: web.Request) -> web.Response:
    """`POST /api/v1/login`: begin a session, whose cookie the answer sets."""
    body = LoginBody.model_validate_json(await body_of(request))
    doors = request.app[DOORS]
    # What nobody is called may be a password, typed in the wrong place.
    note(request, "login", body.user if await doors.has(body.user) else "")
    token, session = await doors.login(body.user, body.password, address_of(request))
    # The browser forgets the session that it had; so do we.
    await doors.logout(visitor(request))
    came(request, session.user)
    response = answer(Session(session.user, session.csrf))
    set_cookie(request, response, token)
    return response


async def logout(request: web.Request) -> web.Response:
    """`POST /api/v1/logout`: end the session."""
    note(request, "logout")
    await request.app[DOORS].logout(visitor(request))
    response = answer(Nothing())
    response.del_cookie(COOKIE, path="/")
    return response


def set_cookie(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Give the browser its token: no script reads it, no other site sends it."""
    response.set_cookie(COOKIE, token, path="/", httponly=True, samesite="Strict", secure=secured(request))


async def account(request: web.Request) -> web.Response:
    """`GET /api/v1/account`: messages by what became of them, by device and in total, with the gaps beside.

    `none` is what no listed device sent, our own probes included; `balance` holds it against what was received.
    """
    allowed(request, Right.SEE)
    desk = the_hall(request)
    state = desk.view.state
    return answer(
        AccountAnswer(
            desk.id,
            sum_of(state),
            state.stray,
            {name: device.account for name, device in state.devices.items()},
            desk.watch().balance,
        )
    )


async def status(request: web.Request) -> web.Response:
    """`GET /api/v1/status`: each hall in a few figures."""
    allowed(request, Right.SEE)
    return answer(Status(tuple(_status(desk) for desk in desks_of(request))))


def _status(desk: HallDesk) -> HallStatus:
    state, book, health, watched = desk.view.state, desk.view.book, desk.health(), desk.watch()
    liveness: dict[str, int] = {}
    for device in state.devices.values():
        liveness[str(device.liveness)] = liveness.get(str(device.liveness), 0) + 1
    return HallStatus(
        hall=desk.id,
        now=desk.path.now(),
        links=dict(state.links),
        devices=liveness,
        unsigned=sum(1 for device in state.devices.values() if not _signs(desk, device)),
        alarms=len(book.alarms),
        unacknowledged=sum(1 for alarm in book.alarms.values() if alarm.acknowledged is None),
        runs=len(book.runs),
        tickets=len(book.tickets),
        stalled_since=desk.path.stalled_since,
        history_behind=health.behind,
        history_store=health.store,
        history_refused=health.refused,
        account=sum_of(state),
        balance=watched.balance,
        probes=watched.probes,
    )


def _signs(desk: HallDesk, device: DeviceState) -> bool:
    """Whether only its own key speaks for a device; one that is retired is not believed anyhow."""
    planned = desk.site.device(device.id)
    return device.origin is Origin.RETIRED or (planned is not None and planned.key is not None)
