"""Puts the server's rooms together into one application, read from top to bottom."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import SecretStr

from dashboard.server import answer, display
from dashboard.server.accounts import Doors
from dashboard.server.audit import AUDITOR, Auditor, audited
from dashboard.server.bearers import Bearers
from dashboard.server.desk import HOUSE, House
from dashboard.server.doorstep import WAITING, hearing
from dashboard.server.figures import HallFigures
from dashboard.server.guard import BASE, BEARERS, DOORS, HOSTS, OPEN, PROXIED, SECURE, guard, secure_headers
from dashboard.server.live import Hub
from dashboard.server.metrics import FIGURES, Figures
from dashboard.server.openapi import DOCUMENT, written
from dashboard.server.page_socket import HUBS
from dashboard.server.problem import problems
from dashboard.server.rights import Right
from dashboard.server.routes import ROUTES
from dashboard.server.stage import Stage, add_stage
from dashboard.server.static import STATIC, add_static, build_of


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the server shall be: `base_url` is how people reach it.

    `open_view` shows the hall without a login, `open_names` names too. `behind_proxy`: requests
    come through a proxy of ours, which says from where. `metrics_token` opens the figures over TCP.
    """

    base_url: str
    demo: bool = False
    clock_rate: float = 1.0
    open_view: bool = True
    behind_proxy: bool = False
    open_names: bool = False
    static: Path = STATIC
    metrics_token: SecretStr | None = None
    stage: Stage | None = None

    def rate(self) -> float:
        """How fast the halls' clocks go now, in times real time."""
        return self.clock_rate if self.stage is None else self.stage.rate


def make_app(
    house: House,
    doors: Doors,
    answering: answer.Answering,
    wishes: Wishes,
) -> web.Application:
    """Make the application."""
    base = urlsplit(wishes.base_url)
    app = web.Application(
        middlewares=[hearing, problems, audited, guard], client_max_size=house.limits.request_kib * 1024
    )
    app[WAITING] = set()
    app[HOUSE] = house
    app[DOORS] = doors
    app[answer.ANSWERING] = answering
    app[HOSTS] = frozenset({base.hostname} if base.hostname else ())
    app[BASE] = wishes.base_url
    app[SECURE] = base.scheme == "https"
    app[PROXIED] = wishes.behind_proxy
    app[BEARERS] = Bearers(house.tokens, doors.now)
    app[AUDITOR] = Auditor(house.audit, doors.now)
    app[OPEN] = _open(wishes)
    build = build_of(wishes.static)
    app[HUBS] = {id_: Hub(desk, build=build, demo=wishes.demo, rate=wishes.rate) for id_, desk in house.halls.items()}
    app[display.SHOWS] = display.shows_of(house.halls, build, demo=wishes.demo, rate=wishes.rate)
    house.meters.registry.register(HallFigures(house, app[HUBS].values()))
    app[FIGURES] = Figures(house.meters.registry, wishes.metrics_token)
    app.add_routes([route.definition for route in ROUTES])
    app[DOCUMENT] = written(ROUTES)
    if wishes.stage is not None:
        add_stage(app, wishes.stage)
    add_static(app, wishes.static)
    app.on_response_prepare.append(secure_headers)
    app.on_shutdown.append(_close_pages)
    return app


def _open(wishes: Wishes) -> frozenset[Right]:
    opened = {Right.SEE: wishes.open_view, Right.NAMES: wishes.open_view and wishes.open_names}
    return frozenset(right for right, is_open in opened.items() if is_open)


async def _close_pages(app: web.Application) -> None:
    """Aiohttp waits for open WebSockets when it stops; tell them to go (1001)."""
    for hub in app[HUBS].values():
        hub.close()
    for show in app[display.SHOWS].values():
        show.closing.set()
    for desk in app[HOUSE].halls.values():
        desk.taps.close()
