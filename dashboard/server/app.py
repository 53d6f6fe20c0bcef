"""Puts the server's rooms together into one application, read from top to bottom."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import SecretStr

from dashboard.server import (
    answer,
    api,
    auditing,
    devices,
    display,
    health,
    history,
    history_csv,
    lookups,
    passwords,
    quarantine,
    siting,
    stories,
    users,
)
from dashboard.server.accounts import Doors
from dashboard.server.audit import AUDITOR, Auditor, audited
from dashboard.server.bearers import Bearers
from dashboard.server.desk import HOUSE, House
from dashboard.server.figures import HallFigures
from dashboard.server.guard import BASE, BEARERS, DOORS, HOSTS, OPEN, PROXIED, SECURE, guard, secure_headers
from dashboard.server.live import Hub
from dashboard.server.metrics import FIGURES, Figures, metrics
from dashboard.server.page_socket import HUBS, live
from dashboard.server.problem import problems
from dashboard.server.rights import Right
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


def make_app(
    house: House,
    doors: Doors,
    answering: answer.Answering,
    wishes: Wishes,
) -> web.Application:
    """Make the application."""
    base = urlsplit(wishes.base_url)
    app = web.Application(middlewares=[problems, audited, guard], client_max_size=house.limits.request_kib * 1024)
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
    app[HUBS] = {
        id_: Hub(desk, build=build, demo=wishes.demo, rate=wishes.clock_rate) for id_, desk in house.halls.items()
    }
    app[display.SHOWS] = display.shows_of(house.halls, build, demo=wishes.demo, rate=wishes.clock_rate)
    house.meters.registry.register(HallFigures(house, app[HUBS].values()))
    app[FIGURES] = Figures(house.meters.registry, wishes.metrics_token)
    add_routes(app)
    if wishes.stage is not None:
        add_stage(app, wishes.stage)
    add_static(app, wishes.static)
    app.on_response_prepare.append(secure_headers)
    app.on_shutdown.append(_close_pages)
    return app


def _open(wishes: Wishes) -> frozenset[Right]:
    opened = {Right.SEE: wishes.open_view, Right.NAMES: wishes.open_view and wishes.open_names}
    return frozenset(right for right, is_open in opened.items() if is_open)


def add_routes(app: web.Application) -> None:
    """Every address that is answered, beside the page's files."""
    app.add_routes(
        [
            web.get("/healthz", health.healthz),
            web.get("/readyz", health.readyz),
            web.get("/metrics", metrics),
            web.get("/api/v1/live", live),
            web.post("/api/v1/actions", api.act),
            web.post("/api/v1/login", api.login),
            web.post("/api/v1/logout", api.logout),
            web.post("/api/v1/logout/everywhere", passwords.leave_all),
            web.post("/api/v1/password", passwords.choose),
            web.post("/api/v1/me/password", passwords.renew),
            web.get("/api/v1/users", users.listing),
            web.post("/api/v1/users", users.add),
            web.post("/api/v1/users/{name}", users.change),
            web.post("/api/v1/users/{name}/link", passwords.make_link),
            web.post("/api/v1/users/{name}/logout", passwords.end_all),
            web.post("/api/v1/first", users.first),
            web.get("/api/v1/tokens", users.tokens),
            web.post("/api/v1/tokens", users.add_token),
            web.post("/api/v1/tokens/{id}/revoke", users.revoke_token),
            web.get("/api/v1/audit", auditing.audit),
            web.get("/api/v1/status", api.status),
            web.get("/api/v1/account", api.account),
            web.get("/api/v1/alarms", lookups.alarms),
            web.get("/api/v1/alarms/{id}", stories.alarm),
            web.get("/api/v1/tickets", lookups.tickets),
            web.get("/api/v1/runs", lookups.runs),
            web.get("/api/v1/runs/{id}", stories.run),
            web.get("/api/v1/events", lookups.events),
            web.get("/api/v1/devices", lookups.devices),
            web.get("/api/v1/devices/{id}", devices.device),
            web.get("/api/v1/devices/{id}/messages", devices.messages),
            web.get("/api/v1/devices/{id}/tail", devices.tail),
            web.get("/api/v1/history", history.history),
            web.get("/api/v1/history/marks", history.marks),
            web.get("/api/v1/history.csv", history_csv.download),
            web.get("/display", display.first),
            web.get("/display/{hall}", display.page),
            web.get("/api/v1/display/{hall}", display.now),
            web.get("/api/v1/display/{hall}/live", display.live),
            web.post("/api/v1/site/reload", siting.reload),
            web.get("/api/v1/quarantine", quarantine.page),
            web.post(r"/api/v1/quarantine/{id:\d{1,15}}/replay", quarantine.replay),
            web.post(r"/api/v1/quarantine/{id:\d{1,15}}/discard", quarantine.discard),
            web.get("/a/style.css", answer.style),
            web.get("/a/{token}", answer.show),
            web.post("/a/{token}", answer.answer),
        ]
    )


async def _close_pages(app: web.Application) -> None:
    """Aiohttp waits for open WebSockets when it stops; tell them to go (1001)."""
    for hub in app[HUBS].values():
        hub.close()
    for show in app[display.SHOWS].values():
        show.closing.set()
    for desk in app[HOUSE].halls.values():
        desk.taps.close()
