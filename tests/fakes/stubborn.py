"""Outside services that fail each message twice, each in a way of its own, and take it the third time.

What a service does stands in the path by which it is called, so one server is all of them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

BAD_TIMES: Final = 2
# What a robot answers to a message that it has taken.
TAKEN: Final = {"errcode": 0}


@dataclass(slots=True)
class Stubborn:
    """`copies`: for each message to each service its copies in their order, True for one that is marked."""

    inside: str = ""
    port: int = 0
    copies: dict[tuple[str, str], list[bool]] = field(default_factory=dict)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, way: str) -> str:
        """Where the service is called that fails in this way."""
        return f"http://127.0.0.1:{self.port}/{way}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take one request."""
        way, said = request.path[1:], await request.json()
        assert request.headers["Idempotency-Key"] == f"main/{said['id']}"
        copies = self.copies.setdefault((way, said["id"]), [])
        copies.append(said["possible_duplicate"])
        if len(copies) > BAD_TIMES:
            return web.json_response(TAKEN)
        return await WAYS[way](self, request)


async def _refuse(_service: Stubborn, _request: web.Request) -> web.StreamResponse:
    return web.Response(status=403)


async def _body(_service: Stubborn, _request: web.Request) -> web.StreamResponse:
    return web.json_response({"errcode": 310000})


async def _redirect(service: Stubborn, _request: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": service.inside})


async def _limit(_service: Stubborn, _request: web.Request) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "1"})


async def _hang(service: Stubborn, _request: web.Request) -> web.StreamResponse:
    await service.closing.wait()
    return web.Response()


async def _drop(_service: Stubborn, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


WAYS: Final[dict[str, Callable[[Stubborn, web.Request], Awaitable[web.StreamResponse]]]] = {
    "refuse": _refuse,
    "body": _body,
    "redirect": _redirect,
    "limit": _limit,
    "hang": _hang,
    "drop": _drop,
}


@asynccontextmanager
async def stubborn(inside: str) -> AsyncIterator[Stubborn]:
    """Run them on a free port; `inside` is where a redirect leads."""
    service = Stubborn(inside)
    app = web.Application()
    app.router.add_post("/{way}", service.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.port = runner.addresses[0][1]
    try:
        yield service
    finally:
        service.closing.set()
        await runner.cleanup()
