"""Connections of browsers: so many at once, and none is held by who says nothing.

Each costs a handle, and the store needs some too. Whoever opens one has a few seconds for a whole request's head, so
that a handful of strangers who never finish theirs keep nobody else out; `ask.py` bounds what a body may take.
"""

import asyncio
from typing import Final

from aiohttp import web

from dashboard.server.problem import Handler
from dashboard.server.turned_away import Bound, TurnedAway

HEAD_S: Final = 10.0
# How long a connection may stay open between two requests; a page that is open keeps one of its own, the WebSocket.
IDLE_S: Final = 75.0
# The connections on which no whole request has come yet; over TLS, also those that have not shaken hands.
WAITING = web.AppKey("waiting", set[asyncio.Protocol])


class Doorstep:
    """Makes the protocol of each new connection; `most` are taken at once, those with nothing said among them."""

    def __init__(self, server: web.Server, waiting: set[asyncio.Protocol], most: int, turned_away: TurnedAway) -> None:
        """`server` makes what speaks HTTP; `waiting` are those that have not said anything yet."""
        self._turned_away = turned_away
        self._server = server
        self._waiting = waiting
        self._most = most

    def __call__(self) -> asyncio.Protocol:
        """A new connection."""
        if len({*self._server.connections, *self._waiting}) >= self._most:
            self._turned_away.add(Bound.CONNECTIONS)
            return _Refusal()
        made = self._server()
        self._waiting.add(made)
        asyncio.get_running_loop().call_later(HEAD_S, self._look, made)
        return made

    def _look(self, made: web.RequestHandler) -> None:
        if made not in self._waiting:
            return
        self._waiting.discard(made)
        if made.transport is not None:
            made.transport.abort()


@web.middleware
async def hearing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note that a whole head has come on this connection."""
    request.app[WAITING].discard(request.protocol)
    return await handler(request)


class _Refusal(asyncio.Protocol):
    """A connection too many: closed before a byte is read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server makes
        transport.abort()
