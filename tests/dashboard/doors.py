"""Who comes to the server's doors in a test: one of each role, a program with a token, and nobody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from dashboard.server.bearers import Wanted
from dashboard.server.guard import BEARERS
from dashboard.server.openapi import codes_of
from dashboard.server.rights import Role
from tests.dashboard.desk import PASSWORD, Running, browser


@asynccontextmanager
async def as_role(server: Running, role: Role | None) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser in which somebody of this role has logged in; None is nobody."""
    async with browser(server) as session:
        if role is not None:
            name = f"a {role}"
            if not await server.doors.has(name):
                await server.doors.add(name, PASSWORD, role)
            async with session.post("/api/v1/login", json={"user": name, "password": PASSWORD}) as answer:
                assert answer.status == 200, await answer.text()
                session.headers["X-CSRF-Token"] = (await answer.json())["csrf"]
        yield session


@asynccontextmanager
async def with_token(server: Running, role: Role) -> AsyncIterator[aiohttp.ClientSession]:
    """A program: no cookie, no Origin, no CSRF token."""
    _, secret = await server.app[BEARERS].make(Wanted(f"a {role}", role, 1), "test")
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession(server.url, headers=headers) as session:
        yield session


async def code_of(answer: aiohttp.ClientResponse) -> str:
    """The code of a refusal, "" for what was not refused; it stands in the table of codes with that status."""
    if answer.status < 400:
        return ""
    assert answer.content_type == "application/problem+json", await answer.text()
    code = (await answer.json())["code"]
    assert isinstance(code, str)
    assert code in codes_of(answer.status), (answer.status, code)
    return code
