"""Proof 5 on real parts: scenarios over a real Mosquitto, people by the API, the ending that their files say.

`tests/system/test_scenarios.py` plays all of them through the path alone; here three go the whole way, with the
gateway at the scenario's clock, and one through the command itself, at real time.
"""

import asyncio
import re
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import aiohttp
import pytest

from alerts.notify.links import Links
from dashboard.cli.client import Json, request
from dashboard.cli.main import main
from dashboard.cli.staff import ACTIONS, Staff, act_out
from dashboard.moment import real_now
from dashboard.server.accounts import Doors
from dashboard.server.guard import CSRF_HEADER
from dashboard.settings import Settings
from dashboard.system import run_system
from gateway.pipeline import Clockwork
from gateway.store.sql import open_store, sqlite_url
from sensors.site.load import read_site
from sensors.site.model import Site
from simulators.clock import SimClock
from simulators.human import HumanAction
from simulators.link import Broker, simulate
from simulators.scenario import Scenario, shipped_scenario
from tests.servers.find import free_port
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.stage import EXAMPLE, HALL, Ending, differences, read_ending

ROOT = Path(__file__).parents[2]
# How long people look for what should be there, in real seconds.
PATIENCE_S = 2.0
SHORT = """
id: short
title: {zh: 短, en: Short}
watch: {zh: 看}
duration_s: 4
events: [{at: 1, device: help-windows-west, press: help}]
"""


def site_text(mosquitto: Mosquitto) -> str:
    """The shipped example on this broker."""
    text = EXAMPLE.read_text("utf-8").replace("port: 1883", f"port: {mosquitto.port}")
    assert f"port: {mosquitto.port}" in text
    return text


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name: a Unix socket's path is short by law."""
    with TemporaryDirectory(prefix="hallwatch-") as folder:
        yield Path(folder)


class People(Staff):
    """Everybody with a login of their own, and a message answered by its link: whose answer it is, takes the role."""

    def __init__(self, settings: Settings, site: Site) -> None:
        super().__init__(settings.store.parent / "s", site)
        self.settings = settings
        self.url = settings.public_url
        self.sessions: dict[str, tuple[aiohttp.ClientSession, str]] = {}

    @asynccontextmanager
    async def there(self, actors: Iterable[str]) -> AsyncIterator[Self]:
        """Log these people in: a password takes long to check, on purpose, so not while the scenario's clock goes."""
        async with AsyncExitStack() as stack:
            for actor in actors:
                login: Json = {"user": actor, "password": "a long and good password"}
                await request(self.socket, "POST", "/api/v1/users", login | {"person": actor})
                jar = aiohttp.CookieJar(unsafe=True)
                session = aiohttp.ClientSession(self.url, cookie_jar=jar, headers={"Origin": self.url})
                await stack.enter_async_context(session)
                async with session.post("/api/v1/login", json=login) as answer:
                    self.sessions[actor] = session, (await answer.json())["csrf"]
            yield self

    async def act(self, action: HumanAction) -> None:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await super().act(action)
            except LookupError:  # a machine with much to do is a moment late
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.05)

    async def post(self, actor: str, body: Json) -> None:
        if body["do"] == "answer_message":
            await self._open_link(body["message"])
        else:
            await self._act(actor, body)

    async def _open_link(self, message: str) -> None:
        async with aiohttp.ClientSession(headers={"Origin": self.url}) as session:
            link = Links(self._secret(), self.url).url(HALL, message, real_now())
            async with session.post(link) as answer:
                assert answer.status == 200, await answer.text()

    def _secret(self) -> bytes:
        # The log, by which some are told, leaves the link out; so the test writes it as the gateway would.
        with closing(sqlite3.connect(f"file:{self.settings.store}?mode=ro", uri=True)) as store:
            (value,) = store.execute("SELECT value FROM meta WHERE key = 'links'").fetchone()
        return bytes.fromhex(value)

    async def _act(self, actor: str, body: Json) -> None:
        session, csrf = self.sessions[actor]
        async with session.post(ACTIONS, json=body, headers={CSRF_HEADER: csrf}) as answer:
            assert answer.status == 200, await answer.text()


class StillClock:
    """The gateway's clock: it stands still until the hall's goes, so that no grace runs out while people log in."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.clock: SimClock | None = None

    def now(self) -> int:
        return self.start if self.clock is None else self.clock.now()


async def live(scenario: Scenario, text: str, broker: Broker, rate: float, place: Path) -> Ending:
    """Run the whole system at `rate` times real time, play the scenario on it with its people, and read its store."""
    site = read_site(text, "site.yaml").site
    assert site is not None
    settings = Settings(text, "site.yaml", place, port=free_port(), socket=place / "s", clock_rate=rate)
    start = scenario.start_ms(site)
    time_of = StillClock(start)
    answers = asyncio.Event()

    async def ready(_: Doors) -> None:
        answers.set()

    async with asyncio.TaskGroup() as system:
        system.create_task(run_system(settings, clock=Clockwork(time_of.now, rate), ready=ready))
        await answers.wait()
        async with People(settings, site).there({action.actor for action in scenario.actions}) as people:
            clock = time_of.clock = SimClock.start(start, rate)
            async with asyncio.TaskGroup() as hall:
                hall.create_task(simulate(scenario, site, broker, clock))
                hall.create_task(act_out(scenario.actions, people, start, clock))
            await clock.sleep_until(start + scenario.duration_s * 1000)
        signal.raise_signal(signal.SIGTERM)
    async with open_store(sqlite_url(settings.store)) as store:
        return await read_ending(store)


# As fast as leaves a second or more of real time between what happens and what depends on it, and cut where nothing
# happens any more.
@pytest.mark.parametrize(
    ("name", "rate", "duration_s"), [("real_fire", 20, 420), ("printer_fault", 30, 600), ("smoke_test", 30, 270)]
)
async def test_a_scenario_ends_as_its_file_says_over_a_real_broker(
    name: str, rate: float, duration_s: int, mosquitto: Mosquitto, place: Path
) -> None:
    scenario = shipped_scenario(name).model_copy(update={"duration_s": duration_s})
    ending = await live(scenario, site_text(mosquitto), Broker(mosquitto.host, mosquitto.port), rate, place)
    assert differences(scenario.expect, ending) == []


async def test_the_command_plays_a_file_at_real_time_and_every_message_is_accounted_for(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SHORT, "utf-8")
    with Hallwatch(tmp_path / "gateway", site_text(mosquitto)) as gateway:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dashboard.cli.main", "simulate", str(file),
            "--broker", f"{mosquitto.host}:{mosquitto.port}", "--site", str(gateway.site_file),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        sent = re.search(r"Short: (\d+) ", out.decode())
        assert sent, out
        async with asyncio.timeout(10):
            while (account := await gateway.account())["received"] < int(sent[1]):
                await asyncio.sleep(0.1)
        assert account["received"] == int(sent[1])
        assert account["stored"] + account["awaiting"] == account["received"], account
        alarms = (await gateway.get("/api/v1/alarms"))["items"]
        assert [(it["kind"], it["device"], it["active"]) for it in alarms] == [("help", "help-windows-west", True)]


def test_another_speed_is_warned_of(mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SHORT, "utf-8")
    broker = f"{mosquitto.host}:{mosquitto.port}"
    assert main(["simulate", str(file), "--broker", broker, "--speed", "20"]) == 0
    assert "the gateway's clock does not go along" in capsys.readouterr().err
