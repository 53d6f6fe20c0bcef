"""Logins, as an admin keeps them: who there is, with which role; nobody's password is ever said."""

from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from dashboard.server.accounts import NO_PASSWORD, Change
from dashboard.server.ask import answer, body_of, desks_of
from dashboard.server.guard import DOORS, allowed
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right, Role
from gateway.store.accounts import User


class UserBody(BaseModel):
    """A new user; `person` ties it to a person of the site file."""

    model_config = ConfigDict(extra="forbid")
    user: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1024)]
    role: Role
    person: Annotated[str, Field(max_length=64)] | None = None


class ChangeBody(BaseModel):
    """What shall be different; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    role: Role | None = None
    disabled: bool | None = None
    password: Annotated[str, Field(max_length=1024)] | None = None


async def listing(request: web.Request) -> web.Response:
    """`GET /api/v1/users`: all of them, by name."""
    allowed(request, Right.USERS)
    return answer({"items": [_told(user) for user in await request.app[DOORS].users()], "next": None})


def _told(user: User) -> dict[str, object]:
    return {
        "user": user.name,
        "role": user.role,
        "person": user.person,
        "disabled": user.disabled,
        "created": user.created,
        "password": user.password != NO_PASSWORD,
    }


async def add(request: web.Request) -> web.Response:
    """`POST /api/v1/users`: a new one."""
    allowed(request, Right.USERS)
    body = UserBody.model_validate_json(await body_of(request))
    if body.person is not None and all(desk.site.person(body.person) is None for desk in desks_of(request)):
        raise ProblemError(404, "no_person")
    await request.app[DOORS].add(body.user, body.password, body.role, body.person)
    return answer({"user": body.user, "role": body.role}, HTTPStatus.CREATED)


async def change(request: web.Request) -> web.Response:
    """`POST /api/v1/users/{name}`: another role or password, or shut out; where it is logged in, it is no more."""
    allowed(request, Right.USERS)
    body = ChangeBody.model_validate_json(await body_of(request))
    wanted = Change(body.role, body.disabled, body.password)
    return answer(_told(await request.app[DOORS].change(request.match_info["name"], wanted)))
