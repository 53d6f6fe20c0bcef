"""How people choose their passwords, by a one-time link or knowing the old one, and log out wherever they are."""

from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from dashboard.server.answers import Linked, Named, Nothing
from dashboard.server.answers import Session as LoggedIn
from dashboard.server.api import set_cookie
from dashboard.server.ask import answer, body_of
from dashboard.server.audit import came, note
from dashboard.server.guard import BASE, COOKIE, DOORS, address_of, allowed, known
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from gateway.store.accounts import Session


class ChosenBody(BaseModel):
    """Who chooses which password, with the token of the link."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=100)]
    user: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1024)]


class RenewBody(BaseModel):
    """One's own password: as it was, and as it shall be."""

    model_config = ConfigDict(extra="forbid")
    old: Annotated[str, Field(max_length=1024)]
    new: Annotated[str, Field(max_length=1024)]


def link_of(request: web.Request, user: str, token: str) -> str:
    """The address by which a user chooses a password; behind the # it is sent to no server and stands in no log."""
    return f"{request.app[BASE]}/#/password/{token}?{urlencode({'user': user})}"


async def make_link(request: web.Request) -> web.Response:
    """`POST /api/v1/users/{name}/link`: a one-time link; the old password opens nothing from now on."""
    note(request, "user.link")
    asking = allowed(request, Right.USERS)
    name = request.match_info["name"]
    note(request, "user.link", name)
    if asking.user == name and not asking.local:
        raise ProblemError(409, "own_link")
    return answer(Linked(name, link_of(request, name, await request.app[DOORS].invite(name))))


async def choose(request: web.Request) -> web.Response:
    """`POST /api/v1/password`: with the token of a one-time link, choose a password and be logged in."""
    note(request, "password")
    body = ChosenBody.model_validate_json(await body_of(request))
    doors = request.app[DOORS]
    note(request, "password", body.user if await doors.has(body.user) else "")
    return _logged_in(request, *await doors.accept(body.token, body.user, body.password))


async def renew(request: web.Request) -> web.Response:
    """`POST /api/v1/me/password`: another password of one's own; one stays logged in here, and nowhere else."""
    note(request, "me.password")
    asking = known(request)
    if asking.user is None or asking.csrf is None:
        raise ProblemError(403, "no_session")
    body = RenewBody.model_validate_json(await body_of(request))
    doors = request.app[DOORS]
    return _logged_in(request, *await doors.renew(asking.user, body.old, body.new, address_of(request)))


def _logged_in(request: web.Request, token: str, session: Session) -> web.Response:
    came(request, session.user)
    response = answer(LoggedIn(session.user, session.csrf))
    set_cookie(request, response, token)
    return response


async def leave_all(request: web.Request) -> web.Response:
    """`POST /api/v1/logout/everywhere`: end all sessions of whoever asks, this one too."""
    note(request, "logout.everywhere")
    asking = known(request)
    if asking.user is None or asking.csrf is None:
        raise ProblemError(403, "no_session")
    await request.app[DOORS].end_all(asking.user)
    response = answer(Nothing())
    response.del_cookie(COOKIE, path="/")
    return response


async def end_all(request: web.Request) -> web.Response:
    """`POST /api/v1/users/{name}/logout`: log somebody out everywhere."""
    note(request, "user.logout")
    allowed(request, Right.USERS)
    name = request.match_info["name"]
    note(request, "user.logout", name)
    await request.app[DOORS].end_all(name)
    return answer(Named(name))
