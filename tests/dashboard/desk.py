"""A house with one hall for the server's tests: real store, site and state, and a path that keeps what is asked."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web
from argon2 import PasswordHasher
from pydantic import SecretStr

from alerts.model import Alarm, Book, Message, Outcome, Priority, Ticket, TicketState
from alerts.notify.links import Links
from alerts.notify.words import Phrasebook
from dashboard.server.accounts import Doors
from dashboard.server.answer import Answering
from dashboard.server.app import Wishes, make_app
from dashboard.server.desk import HallDesk, HistoryHealth, House, Reload
from dashboard.server.rights import Role
from dashboard.server.serve import Served, serving
from dashboard.server.stage import Stage
from gateway.batch import Siting
from gateway.history.contract import Asked, How, Sample, Spread
from gateway.raw import Raw, RawPage
from gateway.store.contract import QuarantineRow, Settled
from gateway.store.sql import Store, open_store, sqlite_url
from gateway.taps import Taps
from gateway.watch.watched import Watched
from sensors.actions import Action
from sensors.errors import RefusedError, UndecodableError
from sensors.facts import FactKind, Subject
from sensors.hall.state import DeviceState, HallState, Liveness, Origin, Pause, SessionState, Staffing, WindowState
from sensors.readings import Kind
from sensors.site.index import SiteIndex
from sensors.site.limits import Limits
from sensors.site.model import Site
from tests.alerts.notify.samples import message as sample

NOW = 1_760_000_000_000
PASSWORD = "correct horse battery"

SITE = Site.model_validate(
    {
        "site": "test",
        "name": {"zh": "测试"},
        "people": [{"id": "wang", "name": {"zh": "王芳", "en": "Wang Fang"}, "badges": ["04A1"]}],
        "halls": [
            {
                "id": "h1",
                "name": {"zh": "一号大厅", "en": "Hall 1"},
                "hours": {"mon": ["09:00-17:00"]},
                "zones": [{"id": "b", "name": {"zh": "B区", "en": "Zone B"}, "area_m2": 50, "capacity": 100}],
                "windows": [{"id": "w1", "number": 1, "name": {"zh": "一号窗口", "en": "Window 1"}, "zone": "b"}],
                "devices": [{"id": "smoke-1", "kinds": ["fire"], "zone": "b"}],
            }
        ],
    }
)


def hall_state() -> HallState:
    """A hall with one person at one window, and one smoke detector."""
    window = WindowState("w1", Staffing.STAFFED, NOW, open=True, people={"wang": NOW})
    window.pause = Pause("wang", NOW, covered_by="wang", reason="王芳去开会")
    return HallState(
        hall="h1",
        now=NOW,
        windows={"w1": window},
        sessions={
            "wang/w1/0": SessionState("wang/w1/0", "wang", "w1", NOW - 86_400_000, NOW - 86_399_999),
            "wang/w1/1": SessionState("wang/w1/1", "wang", "w1", NOW, NOW + 1),
        },
        devices={
            "smoke-1": DeviceState(
                "smoke-1", "native", "smoke-1", Origin.SITE, (Kind.FIRE,), "b", liveness=Liveness.ONLINE, fire=False
            )
        },
    )


def alarm(id: str = "A000001", **changes: Any) -> Alarm:  # noqa: ANN401 (any field of an alarm)
    """An alarm that somebody must answer."""
    fields: dict[str, Any] = {
        "hall": "h1", "key": f"fire/{id}", "kind": FactKind.FIRE, "subject": Subject("device", "smoke-1"),
        "priority": Priority.LIFE_SAFETY, "raised": NOW, "since": NOW, "updated": NOW, "zone": "b",
    }  # fmt: skip
    return Alarm(id=id, **{**fields, **changes})


def ticket() -> Ticket:
    """A ticket that Wang has taken."""
    return Ticket(
        "T000001", "h1", "equipment/p1", Subject("device", "p1"), TicketState.ACCEPTED, NOW, "wang", "纸尽", NOW,
        accepted=NOW, accepted_by="wang", note="王芳处理",
    )  # fmt: skip


@dataclass(slots=True)
class FakePath:
    """Keeps what people ask; refuses what a test tells it to refuse."""

    acted: list[tuple[str, Action]] = field(default_factory=list)
    refuse: str | None = None
    version: int = 0
    stalled_since: int | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> int:
        return NOW

    async def act(self, actor: str, action: Action) -> Outcome:
        if self.refuse is not None:
            raise RefusedError(self.refuse, alarm="A000001")
        self.acted.append((actor, action))
        return Outcome(("A000001",))

    async def wait_changed(self, version: int) -> int:
        while self.version <= version:
            await self.news.wait()
        return self.version

    def changed(self) -> None:
        self.version += 1
        self.news.set()
        self.news = asyncio.Event()


@dataclass(slots=True)
class FakeView:
    """What stands in the hall."""

    state: HallState = field(default_factory=hall_state)
    book: Book = field(default_factory=Book)
    site: SiteIndex = field(default_factory=lambda: SiteIndex(SITE, SITE.halls[0]))


@dataclass(slots=True)
class FakeWatch:
    """How the path is, as a test says."""

    seen: Watched = field(default_factory=Watched)

    def __call__(self) -> Watched:
        return self.seen

    @property
    def works(self) -> bool:
        return all(probe.fresh for probe in self.seen.probes)

    def tell(self, condition: str, wrong: str) -> None:
        raise AssertionError((condition, wrong))

    def stands(self, condition: str) -> bool:
        raise AssertionError(condition)


class FakeRaw:
    """One message, as it came."""

    async def of(self, device: str, limit: int) -> RawPage:
        return RawPage((Raw(NOW, f"hallwatch/v1/h1/safety/{device}/fire", b"{}", "stored", length=2),)[:limit], None)


class FakeHistory:
    """Answers every aggregate with one value at the start."""

    async def range(self, asked: Asked, start: int, end: int, limit: int = 1) -> Sequence[Sample]:
        return []

    async def aggregate(self, asked: Asked, start: int, end: int, every_ms: int, how: How) -> Sequence[Sample]:
        return [Sample(start, 21.5)]

    async def latest(self, asked: Asked, before: int) -> Sample | None:
        return None

    async def spread(self, asked: Asked, start: int, end: int, every_ms: int) -> Sequence[Spread]:
        return [Spread(start, "d1", 21.5, 20.0, 23.0, 3)]


@dataclass(slots=True)
class Running:
    """A server that runs, and everything around it."""

    served: Served
    app: web.Application
    store: Store
    doors: Doors
    path: FakePath
    view: FakeView
    links: Links
    socket: Path
    watch: FakeWatch
    replayed: list[Settled]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.served.port}"

    def watched(self, seen: Watched) -> None:
        self.watch.seen = seen

    def change(self) -> None:
        self.path.changed()


@asynccontextmanager
async def running(
    folder: Path,
    *,
    static: Path | None = None,
    open_view: bool = True,
    open_names: bool = False,
    behind_proxy: bool = False,
    user: bool = True,
    tls: tuple[Path, Path] | None = None,
    base_url: str = "http://127.0.0.1",
    metrics_token: str | None = None,
    limits: Limits | None = None,
    reload: Reload | None = None,
    stage: Stage | None = None,
) -> AsyncIterator[Running]:
    """Run the server on a free port and a socket, over a real store; `wang` can log in with `PASSWORD`."""
    socket = folder / "hallwatch.sock"
    site = SITE.model_copy(update={"limits": limits or Limits()})
    path, view, watch = FakePath(), FakeView(site=SiteIndex(site, site.halls[0])), FakeWatch()
    replayed: list[Settled] = []

    async def replay(row: QuarantineRow, settled: Settled) -> None:
        if (settled.payload or row.message.payload) == b"rubbish":
            raise UndecodableError("bad_json", "it is still no JSON")
        replayed.append(settled)

    async def resite(siting: Siting, by: str, detail: str) -> None:
        raise AssertionError((siting, by, detail))

    async with open_store(sqlite_url(folder / "store.db")) as store:
        desk = HallDesk(
            path, view, store.records, store.past, store.quarantine, replay, FakeHistory(),
            lambda: HistoryHealth("sqlite", 3), watch, resite, FakeRaw(), Taps(),
        )  # fmt: skip
        doors = Doors(store.accounts, real_now, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        if user:
            await doors.add("wang", PASSWORD, Role.ADMIN, "wang")
        links = Links(b"secret", "http://127.0.0.1")
        words = Phrasebook(ZoneInfo("Asia/Shanghai"), links, real_now)
        token = None if metrics_token is None else SecretStr(metrics_token)
        static = static or folder / "none"
        wishes = Wishes(
            base_url,
            open_view=open_view,
            behind_proxy=behind_proxy,
            open_names=open_names,
            static=static,
            metrics_token=token,
            stage=stage,
        )
        house = House({"h1": desk}, store.tokens, store.audit, reload=reload)
        app = make_app(house, doors, Answering(links, words, real_now), wishes)
        async with serving(app, "127.0.0.1", 0, socket, tls) as served:
            yield Running(served, app, store, doors, path, view, links, socket, watch, replayed)


def real_now() -> int:
    """The machine's clock, ms."""
    return time.time_ns() // 1_000_000


def message(**changes: Any) -> Message:  # noqa: ANN401 (any field of a message)
    """A message to Wang about the alarm."""
    return replace(sample(id="M000001", about="A000001"), **changes)


@asynccontextmanager
async def browser(server: Running, *, login: bool = False) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that behaves as our page does: Origin and, after a login, cookie and CSRF token."""
    headers = {"Origin": server.url}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(server.url, headers=headers, cookie_jar=jar) as session:
        if login:
            async with session.post("/api/v1/login", json={"user": "wang", "password": PASSWORD}) as answer:
                assert answer.status == 200, await answer.text()
                session.headers["X-CSRF-Token"] = (await answer.json())["csrf"]
        yield session


@asynccontextmanager
async def local(server: Running) -> AsyncIterator[aiohttp.ClientSession]:
    """The command on the same machine."""
    connector = aiohttp.UnixConnector(str(server.socket))
    async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
        yield session
