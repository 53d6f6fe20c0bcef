"""The demo's stage: what can be made to happen in the simulated hall, and the press of a button that does it.

Its addresses exist in the demo alone; a real gateway has no stage and answers 404.
"""

from collections.abc import Sequence
from typing import Protocol

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


class Demo(msgspec.Struct, frozen=True):
    """What the panel shows: the hall's clock in times real time, the scenarios, and those started, newest first."""

    rate: float
    scenarios: tuple[Piece, ...]
    playing: tuple[Playing, ...]


class Stage(Protocol):
    """Who makes things happen."""

    rate: float

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


STAGE = web.AppKey("stage", Stage)


def add_stage(app: web.Application, stage: Stage) -> None:
    """Open the panel's addresses."""
    app[STAGE] = stage
    app.add_routes([web.get("/api/v1/demo", show), web.post("/api/v1/demo/play", play)])


async def show(request: web.Request) -> web.Response:
    """`GET /api/v1/demo`: what can be made to happen, and what was."""
    allowed(request, Right.SEE)
    stage = request.app[STAGE]
    return answer(Demo(stage.rate, tuple(stage.pieces()), tuple(stage.playing())))


async def play(request: web.Request) -> web.Response:
    """`POST /api/v1/demo/play`: start a scenario; answers with what is played now."""
    note(request, "demo.play")
    allowed(request, Right.PLAN)
    body = await body_of(request)
    try:
        wanted = msgspec.json.decode(body, type=Wanted)
    except msgspec.ValidationError as error:
        raise ProblemError(400, "bad_request", str(error)) from error
    try:
        return answer(request.app[STAGE].play(wanted.scenario))
    except KeyError:
        raise ProblemError(404, "no_such_scenario", scenario=wanted.scenario) from None
