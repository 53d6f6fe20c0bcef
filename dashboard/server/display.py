"""The public display: its page, and its own feed that knows nothing of persons. No login; a site may switch it off."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from dashboard.server.desk import HOUSE, HallDesk
from dashboard.server.guard import same_origin
from dashboard.server.one_way import listen, one_way
from dashboard.server.problem import ProblemError
from dashboard.server.public import Beat, Board, Picture, board_of
from dashboard.server.static import page_file
from dashboard.server.turned_away import Bound

TICK_S: Final = 0.3
HEARTBEAT_S: Final = 1.0
SEND_LIMIT_S: Final = 10.0
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(slots=True, eq=False)
class Show:
    """One hall's board as all its displays are shown it: made once for each state of the hall."""

    desk: HallDesk
    build: str
    demo: bool
    rate: Callable[[], float]
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    displays: int = 0
    _made: tuple[int, int, Board] | None = None

    def board(self) -> Board:
        """What stands now; the minute is part of it, since a hall opens and closes by the clock."""
        version, second = self.desk.path.version, self.desk.path.now() // 1000
        if self._made is None or self._made[:2] != (version, second):
            self._made = (version, second, board_of(self.desk, demo=self.demo, rate=self.rate()))
        return self._made[2]

    def picture(self, seq: int) -> Picture:
        """A whole frame."""
        return Picture(seq, self.desk.path.now(), self.build, self.board())


SHOWS = web.AppKey("shows", Mapping[str, Show])


def shows_of(halls: Mapping[str, HallDesk], build: str, *, demo: bool, rate: Callable[[], float]) -> dict[str, Show]:
    """A show for each hall."""
    return {id_: Show(desk, build, demo, rate) for id_, desk in halls.items()}


def _found(request: web.Request) -> Show | None:
    show = request.app[SHOWS].get(request.match_info["hall"])
    return show if show is not None and show.desk.site.hall.display.show else None


def _show(request: web.Request) -> Show:
    if (show := _found(request)) is None:
        raise ProblemError(404, "no_display")
    return show


async def first(request: web.Request) -> web.StreamResponse:
    """`GET /display`: the display of the first hall."""
    raise web.HTTPSeeOther(f"display/{next(iter(request.app[HOUSE].halls))}")


async def page(request: web.Request) -> web.StreamResponse:
    """`GET /display/{hall}`: the page. Where there is no display it says so itself, to whoever stands before it."""
    return page_file(request, "display.html", 200 if _found(request) else 404)


async def now(request: web.Request) -> web.Response:
    """`GET /api/v1/display/{hall}`: what the display shows, for signs that ask from time to time."""
    return web.Response(body=_ENCODER.encode(_show(request).picture(0)), content_type="application/json")


async def live(request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/display/{hall}/live` (WebSocket): a `Picture` whenever something changed, else a `Beat`."""
    same_origin(request)
    show = _show(request)
    if show.closing.is_set() or show.displays >= show.desk.site.site.limits.pages:
        request.app[HOUSE].turned_away.add(Bound.PAGES)
        raise ProblemError(503, "too_many_pages")
    socket = one_way()
    if not socket.can_prepare(request):
        raise ProblemError(426, "websocket_needed")
    await socket.prepare(request)
    show.displays += 1
    try:
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(listen(socket))
            with contextlib.suppress(ConnectionError, TimeoutError):
                await _serve(show, socket, listening)
            listening.cancel()
    finally:
        show.displays -= 1
    await socket.close(code=WSCloseCode.GOING_AWAY if show.closing.is_set() else WSCloseCode.POLICY_VIOLATION)
    return socket


async def _serve(show: Show, socket: web.WebSocketResponse, listening: asyncio.Task[None]) -> None:
    """Send until the display goes, takes nothing any more, or the server stops."""
    seq, shown = 0, None
    while not (show.closing.is_set() or listening.done() or not show.desk.site.hall.display.show):
        seq += 1
        version, board = show.desk.path.version, show.board()
        frame = Beat(seq, show.desk.path.now()) if board == shown else show.picture(seq)
        shown = board
        async with asyncio.timeout(SEND_LIMIT_S):
            await socket.send_frame(_ENCODER.encode(frame), WSMsgType.TEXT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                await show.desk.path.wait_changed(version)
        await asyncio.sleep(TICK_S)
