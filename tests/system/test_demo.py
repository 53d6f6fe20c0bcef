"""`hallwatch demo` as a person starts it: a process, its page, a day behind it, what happens in it, and its end."""

import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.servers.process import Process

OPENS_WITHIN_S = 90.0  # ten seconds on a machine that does nothing else
TOUR = {"equipment_fault", "queue_long", "crowd", "fire"}


class Demo(Process):
    """The demo's process, ready when it has printed the way in."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "dashboard.cli.main", "demo", "--speed", "30", "--listen", "127.0.0.1:0"]
        super().__init__(command, folder / "demo.log", lambda: self.entry() is not None)

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text("utf-8") if self.log.is_file() else ""

    def entry(self) -> str | None:
        """The one-time link."""
        found = re.search(r"http://127\.0\.0\.1:\d+/enter/\S+", self.said())
        return found and found[0]


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    monkeypatch.setattr("tests.servers.process.START_WITHIN_S", OPENS_WITHIN_S)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    process = Demo(tmp_path)
    process.start()
    yield process
    process.kill()


@asynccontextmanager
async def visit(demo: Demo) -> AsyncIterator[aiohttp.ClientSession]:
    """Come in by the printed link, as a browser does."""
    entry = demo.entry()
    assert entry is not None
    base, jar = entry.split("/enter/")[0], aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(base, cookie_jar=jar, headers={"Origin": base}) as session:
        async with session.get(entry) as answer:
            assert answer.status == 200, await answer.text()
        yield session


class Page:
    """What an open page knows: the snapshot and every delta."""

    def __init__(self, first: dict[str, Any]) -> None:
        assert first["t"] == "snapshot"
        self.entities: dict[str, dict[str, Any]] = first["entities"]
        self.alarms: dict[str, str] = {}
        self._note()

    def _note(self) -> None:
        for key, entity in self.entities.items():
            if key.startswith("alarm/"):
                self.alarms[key] = f"{entity['kind']} {entity['subject']}"

    def take(self, delta: dict[str, Any]) -> None:
        self.entities.update(delta.get("set", {}))
        for key in delta.get("gone", ()):
            self.entities.pop(key, None)
        self._note()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [entity for key, entity in self.entities.items() if key.startswith(f"{kind}/")]

    def has(self, type_: str, fields: dict[str, object]) -> bool:
        return any(all(entity.get(name) == value for name, value in fields.items()) for entity in self.of(type_))


@asynccontextmanager
async def watch(session: aiohttp.ClientSession) -> AsyncIterator["Watching"]:
    """The page's WebSocket."""
    async with session.ws_connect("/api/v1/live", max_msg_size=0) as socket:
        yield Watching(socket, Page(await socket.receive_json(timeout=20)))


class Watching:
    """A page that looks on until something is so."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, page: Page) -> None:
        self.socket = socket
        self.page = page

    async def until(self, what: str, within_s: float, *asked: tuple[str, dict[str, object]]) -> None:
        """Look on until all that is asked for stands on the page at the same time."""
        end = time.monotonic() + within_s
        while not all(self.page.has(type_, fields) for type_, fields in asked):
            assert time.monotonic() < end, f"{what}: not within {within_s} s; {self.page.alarms}"
            self.page.take(await self.socket.receive_json(timeout=20))


async def test_the_demo_shows_a_living_hall_with_a_day_behind_it_and_ends_in_order(demo: Demo) -> None:
    async with visit(demo) as session, watch(session) as watching:
        page = watching.page
        (hall,) = page.of("hall")
        assert (hall["demo"], hall["clock_rate"], hall["open"]) == (True, 30.0, True)
        await watching.until("links", 30, ("hall", {"links": {"safety": True, "telemetry": True}}))
        assert "session_lost" not in {it["what"] for it in page.of("event")}
        await yesterday_is_in_the_history(session, page)
        await watching.until(
            "the tour",
            120,
            ("alarm", {"kind": "equipment_fault", "subject": "w3-printer"}),
            ("ticket", {"subject": "w3-printer", "state": "open"}),
            ("alarm", {"kind": "queue_long", "subject": "records"}),
            ("alarm", {"kind": "crowd", "subject": "corridor", "level": "orange"}),
            ("run", {"plan": "fire", "stage": "verify"}),
            ("alarm", {"kind": "fire", "subject": "smoke-self-service"}),
        )
        devices = [it for it in page.of("device") if it["origin"] == "site"]
        assert len(devices) >= 60
        assert [it["id"] for it in devices if it["liveness"] != "online"] == []
        assert {it["staffing"] for it in page.of("window")} == {"staffed"}
        assert {it["punch"] for it in page.of("person") if it.get("first_in")} == {"on_time"}
        # Ten minutes of the demo at its usual speed; what the tour's people do, they do by the API.
        await watching.until("the end of the tour", 90, ("run", {"plan": "fire", "stage": "ended"}))
        assert {name.split()[0] for name in page.alarms.values()} == TOUR, page.alarms
        assert not {"quarantined", "refused", "gaps"} & page.of("hall")[0].keys()
    ends_in_order(demo)


async def yesterday_is_in_the_history(session: aiohttp.ClientSession, page: Page) -> None:
    now = max(it["last_seen"] for it in page.of("device") if it.get("last_seen"))
    assert page.of("hall")[0].get("history_behind", 0) < 1000
    asked = {"kind": "people_count", "field": "occupancy", "device": "count-waiting-west"}
    span = {"start": now - 24 * 3_600_000, "end": now, "every": 3_600_000}
    async with session.get("/api/v1/history", params=asked | span) as answer:
        values = (await answer.json())["values"]
    assert len(values) == 24
    assert None not in values
    assert max(values) > 2, "nobody came yesterday"
    assert min(values) == 0, "nobody went home"


def ends_in_order(demo: Demo) -> None:
    assert demo.child is not None
    before = time.monotonic()
    demo.child.send_signal(signal.SIGTERM)
    assert demo.child.wait(15) == 0
    assert time.monotonic() - before < 5
    assert "Traceback" not in demo.said()
    assert "ERROR" not in demo.said()
