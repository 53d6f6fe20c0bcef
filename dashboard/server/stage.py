"""The demo's stage: what can be made to happen in the simulated hall, and the press of a button that does it.

Its addresses exist in the demo alone; a real gateway has no stage and answers 404.
"""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

import msgspec
from aiohttp import web

from dashboard.server.ask import answer, body_of
from dashboard.server.audit import note
from dashboard.server.guard import allowed
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from dashboard.server.wire import Name


class Piece(msgspec.Struct, frozen=True):
    """A scenario: its name, the one line that says what to watch for, and how long it takes in the hall (s)."""

    id: str
    title: Name
    watch: Name
    lasts_s: int


class Playing(msgspec.Struct, frozen=True):
    """A scenario that was started, and when (ms, the hall's clock)."""

    id: str
    at: int


class Trouble(msgspec.Struct, frozen=True):
    """A fault that may be laid over the hall: its name, and the one line that says what to watch for."""

    id: str
    title: Name
    watch: Name


class Demo(msgspec.Struct, frozen=True):
    """What the panel shows: the clock's pace, the scenarios and those started, the faults and the one that lies."""

    rate: float
    rates: tuple[float, ...]
    troubles: tuple[Trouble, ...]
    trouble: str | None
    scenarios: tuple[Piece, ...]
    playing: tuple[Playing, ...]


class Stage(Protocol):
    """Who makes things happen."""

    @property
    def rate(self) -> float:
        """How fast the hall's clock goes, in times real time."""
        ...

    def go(self, rate: float) -> None:
        """From now on so fast. Raises `ValueError` for a pace that it cannot keep."""
        ...

    def troubles(self) -> Sequence[Trouble]:
        """The faults that may be laid over the hall."""
        ...

    @property
    def trouble(self) -> str | None:
        """The one that lies over it now."""
        ...

    def lay(self, trouble: str | None) -> None:
        """Lay one over the hall, or take it away. Raises `KeyError` where there is none of that name."""
        ...

    def pieces(self) -> Sequence[Piece]:
        """What can be played."""
        ...

    def playing(self) -> Sequence[Playing]:
        """What was started, newest first."""
        ...

    def play(self, piece: str) -> Playing:
        """Start a scenario from now on. Raises `KeyError` where there is none of that name."""
        ...


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A press on the panel."""

    scenario: str


class Paced(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How fast the hall's clock shall go."""

    rate: float


class Laid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What shall lie over the hall; null takes it away."""

    trouble: str | None


RATES: Final = (1.0, 5.0, 30.0, 60.0)
Body = TypeVar("Body", Wanted, Paced, Laid)
STAGE = web.AppKey("stage", Stage)


def add_stage(app: web.Application, stage: Stage) -> None:
    """Open the panel's addresses."""
    app[STAGE] = stage
    app.add_routes(
        [
            web.get("/api/v1/demo", show),
            web.post("/api/v1/demo/play", play),
            web.post("/api/v1/demo/speed", speed),
            web.post("/api/v1/demo/trouble", trouble),
        ]
    )


async def show(request: web.Request) -> web.Response:
    """`GET /api/v1/demo`: what can be made to happen, and what was."""
    allowed(request, Right.SEE)
    return _told(request.app[STAGE])


def _told(stage: Stage) -> web.Response:
    pieces, playing = tuple(stage.pieces()), tuple(stage.playing())
    return answer(Demo(stage.rate, RATES, tuple(stage.troubles()), stage.trouble, pieces, playing))


async def play(request: web.Request) -> web.Response:
    """`POST /api/v1/demo/play`: start a scenario; answers with what is played now."""
    note(request, "demo.play")
    allowed(request, Right.PLAN)
    wanted = await _read(request, Wanted)
    try:
        return answer(request.app[STAGE].play(wanted.scenario))
    except KeyError:
        raise ProblemError(404, "no_such_scenario", scenario=wanted.scenario) from None


async def speed(request: web.Request) -> web.Response:
    """`POST /api/v1/demo/speed`: the hall's clock goes so fast from now on; answers as `show` does."""
    note(request, "demo.speed")
    allowed(request, Right.PLAN)
    paced = await _read(request, Paced)
    try:
        request.app[STAGE].go(paced.rate)
    except ValueError:
        raise ProblemError(400, "bad_request", "that is no pace for a hall's clock") from None
    note(request, "demo.speed", f"{paced.rate:g}")
    return _told(request.app[STAGE])


async def trouble(request: web.Request) -> web.Response:
    """`POST /api/v1/demo/trouble`: lay a fault over the hall, or take it away; answers as `show` does."""
    note(request, "demo.trouble")
    allowed(request, Right.PLAN)
    laid = await _read(request, Laid)
    try:
        request.app[STAGE].lay(laid.trouble)
    except KeyError:
        raise ProblemError(404, "no_such_trouble", trouble=str(laid.trouble)) from None
    note(request, "demo.trouble", laid.trouble or "")
    return _told(request.app[STAGE])


async def _read(request: web.Request, shape: type[Body]) -> Body:
    try:
        return msgspec.json.decode(await body_of(request), type=shape)
    except msgspec.ValidationError as error:
        raise ProblemError(400, "bad_request", str(error)) from error
