"""Logins and tokens, as an admin keeps them. No password is ever said, and a token once."""

from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from dashboard.server.accounts import Change
from dashboard.server.answers import Listed, Made, NewToken, Revoked, Session, TokenAnswer, UserAnswer
from dashboard.server.api import set_cookie
from dashboard.server.ask import answer, body_of, desks_of
from dashboard.server.audit import came, note
from dashboard.server.bearers import Wanted
from dashboard.server.guard import BEARERS, DOORS, allowed
from dashboard.server.invites import SHUT, Invite
from dashboard.server.passwords import link_of
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right, Role
from gateway.store.accounts import User
from gateway.store.tokens import Token


class UserBody(BaseModel):
    """A new user; `person` ties it to a person of the site file. Without a password a one-time link is answered."""

    model_config = ConfigDict(extra="forbid")
    user: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1024)] | None = None
    role: Role
    person: Annotated[str, Field(max_length=64)] | None = None


class ChangeBody(BaseModel):
    """What shall be different; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    role: Role | None = None
    disabled: bool | None = None
    password: Annotated[str, Field(max_length=1024)] | None = None


class FirstBody(BaseModel):
    """Who becomes the first admin."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=100)]
    user: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1024)]


class TokenBody(BaseModel):
    """A new token: what it is for, what it may do, and for how many days (null: until it is revoked)."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
    role: Role
    days: Annotated[int, Field(ge=1, le=3650)] | None


async def listing(request: web.Request) -> web.Response:
    """`GET /api/v1/users`: all of them, by name."""
    allowed(request, Right.USERS)
    return answer(Listed(tuple(_told(user) for user in await request.app[DOORS].users()), None))


def _told(user: User) -> UserAnswer:
    invite = Invite.read(user.password)
    return UserAnswer(
        user.name,
        user.role,
        user.person,
        user.disabled,
        user.created,
        not user.password.startswith(SHUT),
        None if invite is None else invite.until,
    )


async def add(request: web.Request) -> web.Response:
    """`POST /api/v1/users`: a new one."""
    note(request, "user.add")
    allowed(request, Right.USERS)
    body = UserBody.model_validate_json(await body_of(request))
    note(request, "user.add", f"{body.user} {body.role}")
    if body.person is not None and all(desk.site.person(body.person) is None for desk in desks_of(request)):
        raise ProblemError(404, "no_person")
    doors = request.app[DOORS]
    if body.password is None:
        token = await doors.add_invited(body.user, body.role, body.person)
        return answer(Made(body.user, body.role, link_of(request, body.user, token)), HTTPStatus.CREATED)
    await doors.add(body.user, body.password, body.role, body.person)
    return answer(Made(body.user, body.role), HTTPStatus.CREATED)


async def change(request: web.Request) -> web.Response:
    """`POST /api/v1/users/{name}`: another role or password, or shut out; where it is logged in, it is no more."""
    note(request, "user.change")
    allowed(request, Right.USERS)
    body = ChangeBody.model_validate_json(await body_of(request))
    name = request.match_info["name"]
    note(request, "user.change", " ".join((name, *_changes(body))))
    return answer(_told(await request.app[DOORS].change(name, Change(body.role, body.disabled, body.password))))


def _changes(body: ChangeBody) -> Iterator[str]:
    if body.role is not None:
        yield body.role
    if body.disabled is not None:
        yield "disabled" if body.disabled else "enabled"
    if body.password is not None:
        yield "password"


async def first(request: web.Request) -> web.Response:
    """`POST /api/v1/first`: with the token of the one-time link, become the first admin and be logged in."""
    body = FirstBody.model_validate_json(await body_of(request))
    note(request, "first")
    token, session = await request.app[DOORS].be_first(body.token, body.user, body.password)
    came(request, session.user)
    response = answer(Session(session.user, session.csrf), HTTPStatus.CREATED)
    set_cookie(request, response, token)
    return response


async def tokens(request: web.Request) -> web.Response:
    """`GET /api/v1/tokens`: all of them, also those that have ended."""
    allowed(request, Right.USERS)
    found = await request.app[BEARERS].all()
    return answer(Listed(tuple(TokenAnswer(**_token(one)) for one in found), None))


async def add_token(request: web.Request) -> web.Response:
    """`POST /api/v1/tokens`: a new one, whose secret is in this answer and nowhere else."""
    note(request, "token.add")
    asking = allowed(request, Right.USERS)
    body = TokenBody.model_validate_json(await body_of(request))
    note(request, "token.add", f"{body.name} {body.role}")
    token, secret = await request.app[BEARERS].make(Wanted(body.name, body.role, body.days), asking.called)
    return answer(NewToken(**_token(token), secret=secret), HTTPStatus.CREATED)


async def revoke_token(request: web.Request) -> web.Response:
    """`POST /api/v1/tokens/{id}/revoke`: it opens nothing from now on."""
    note(request, "token.revoke")
    allowed(request, Right.USERS)
    id_ = request.match_info["id"]
    note(request, "token.revoke", id_)
    await request.app[BEARERS].revoke(id_)
    request.app[DOORS].changed()
    return answer(Revoked(id_))


def _token(token: Token) -> dict[str, Any]:
    return {name: value for name, value in asdict(token).items() if name != "hash"}
