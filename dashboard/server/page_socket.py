"""`GET /api/v1/live`: one page's WebSocket, from its handshake to its end."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Final

from aiohttp import WSCloseCode, web

from dashboard.server.accounts import Visitor
from dashboard.server.ask import the_hall
from dashboard.server.audit import looked
from dashboard.server.desk import HOUSE
from dashboard.server.guard import DOORS, allowed, rights_of, same_origin, still
from dashboard.server.live import Client, Hub, close_code, feed
from dashboard.server.one_way import listen, one_way
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from dashboard.server.turned_away import Bound

LOG = logging.getLogger(__name__)
CHECK_S: Final = 60.0
GOODBYE_S: Final = 2.0
HUBS = web.AppKey("hubs", dict[str, Hub])


async def live(request: web.Request) -> web.StreamResponse:
    """Serve one page until it goes, says something, is too slow, its login ends, or the server stops."""
    # First this: a page that asks by GET whether it lacks a login names no Origin, and is to hear 401.
    asking = allowed(request, Right.SEE)
    same_origin(request)
    hub = request.app[HUBS][the_hall(request).id]
    turned_away = request.app[HOUSE].turned_away
    if hub.full():
        turned_away.add(Bound.PAGES)
        raise ProblemError(503, "too_many_pages")
    socket = one_way()
    if not socket.can_prepare(request):
        raise ProblemError(426, "websocket_needed")
    if Right.NAMES in rights_of(request):
        await looked(request)
    await socket.prepare(request)
    client = hub.join(asking, rights_of(request))
    # The snapshot goes the long way: it waits, so all after it waits behind it.
    client.transport = request.transport
    try:
        await _serve(request, socket, client, asking)
    finally:
        hub.leave(client)
        if client.cut:
            turned_away.add(Bound.PAGE_QUEUE)
    await _close(request, socket, close_code(hub, client))
    return socket


async def _close(request: web.Request, socket: web.WebSocketResponse, code: int) -> None:
    """Say goodbye; a page that takes nothing hears none, and its connection is dropped with what it holds."""
    try:
        async with asyncio.timeout(GOODBYE_S):
            await socket.close(code=code, message=b"stopping" if code == WSCloseCode.GOING_AWAY else b"")
    except TimeoutError:
        LOG.info("a page that takes nothing was dropped")
    # A closed transport still waits for its buffer to be taken; an aborted one does not.
    if request.transport is not None and request.transport.get_write_buffer_size():
        request.transport.abort()


async def _serve(request: web.Request, socket: web.WebSocketResponse, client: Client, asking: Visitor) -> None:
    """The parts of one page's life: what ends first ends the others."""
    parts = [feed(client, socket), listen(socket)]
    if asking.known:
        # An open page keeps its login alive, and ends with it.
        parts.append(request.app[DOORS].stays(lambda: still(request), CHECK_S))
    await _first(parts)


async def _first(parts: list[Coroutine[None, None, None]]) -> None:
    """Run all; end all when one has ended, and raise what it has raised."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in parts]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task not in done:
                task.cancel()
