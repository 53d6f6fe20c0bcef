"""Plays a scenario on the whole system: a real Mosquitto, people with their own logins, a fault between if wished."""

import asyncio
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiohttp

from alerts.notify.links import Links
from dashboard.cli.client import Json, request
from dashboard.cli.staff import ACTIONS, Staff, act_out
from dashboard.moment import real_now
from dashboard.server.accounts import Doors
from dashboard.server.guard import CSRF_HEADER
from dashboard.settings import Settings
from dashboard.system import run_system
from gateway.clockwork import Clockwork
from gateway.store.sql import open_store, sqlite_url
from sensors.site.load import read_site
from sensors.site.model import Site
from simulators.cable import Cable, cut, laid_cable
from simulators.faults import Fault
from simulators.human import HumanAction
from simulators.link import Broker, connect, deliver
from simulators.scenario import Scenario
from tests.servers.find import free_port
from tests.system.patient_clock import PatientClock
from tests.system.stage import EXAMPLE, HALL, Ending, arriving, read_ending

# How long people look for what should be there, in real seconds.
PATIENCE_S = 10.0


class People(Staff):
    """Everybody with a login of their own, and a message answered by its link: whose answer it is, takes the role."""

    def __init__(self, settings: Settings, site: Site, clock: PatientClock) -> None:
        super().__init__(settings.store.parent / "s", site)
        self.settings = settings
        self.clock = clock
        self.url = settings.public_url
        self.sessions: dict[str, tuple[aiohttp.ClientSession, str]] = {}

    @asynccontextmanager
    async def there(self, actors: Iterable[str]) -> AsyncIterator[Self]:
        """Log these people in: a password takes long to check, on purpose, so not while the scenario's clock goes."""
        async with AsyncExitStack() as stack:
            for actor in actors:
                login: Json = {"user": actor, "password": "a long and good password"}
                await request(self.socket, "POST", "/api/v1/users", login | {"person": actor, "role": "manager"})
                jar = aiohttp.CookieJar(unsafe=True)
                session = aiohttp.ClientSession(self.url, cookie_jar=jar, headers={"Origin": self.url})
                await stack.enter_async_context(session)
                async with session.post("/api/v1/login", json=login) as answer:
                    self.sessions[actor] = session, (await answer.json())["csrf"]
            yield self

    async def act(self, action: HumanAction) -> None:
        end = time.monotonic() + PATIENCE_S
        with self.clock.held():
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


@dataclass(frozen=True, slots=True)
class Staging:
    """How a scenario is played: on which broker, at how many times real time, under which fault."""

    broker: Broker
    rate: float
    fault: Fault | None = None
    seed: int = 1


async def live(scenario: Scenario, staging: Staging, place: Path) -> Ending:
    """Run the whole system at that rate, play the scenario on it with its people, and read its store.

    The gateway hears the broker over a cable, which is pulled where the scenario says so.
    """
    broker = staging.broker
    async with laid_cable(broker.host, broker.port) as cable:
        settings = Settings(
            site_text(cable.port),
            "site.yaml",
            place,
            port=free_port(),
            socket=place / "s",
            clock_rate=staging.rate,
        )
        await _whole(scenario, staging, settings, cable)
    async with open_store(sqlite_url(settings.store)) as store:
        return await read_ending(store)


async def _whole(scenario: Scenario, staging: Staging, settings: Settings, cable: Cable) -> None:
    site = read_site(settings.site_text, settings.site_name).site
    assert site is not None
    start, rate = scenario.start_ms(site), staging.rate
    # It stands until the hall's day begins, so that no grace runs out while people log in.
    clock = PatientClock.standing(start, rate)
    answers = asyncio.Event()

    async def ready(_: Doors) -> None:
        answers.set()

    async with asyncio.TaskGroup() as system:
        system.create_task(run_system(settings, clock=Clockwork(clock.now, lambda: rate), ready=ready))
        await answers.wait()
        people = People(settings, site, clock)
        async with people.there({action.actor for action in scenario.actions}), connect(staging.broker) as wire:
            ticking = system.create_task(clock.run())
            async with asyncio.TaskGroup() as hall:
                hall.create_task(deliver(arriving(scenario, site, staging.fault, staging.seed), wire, clock))
                hall.create_task(act_out(scenario.actions, people, start, clock))
                hall.create_task(cut(cable, scenario.outages(start), clock))
                hall.create_task(clock.sleep_until(start + scenario.duration_s * 1000))
            ticking.cancel()
        signal.raise_signal(signal.SIGTERM)


def site_text(port: int) -> str:
    """The shipped example with its broker on this port."""
    text = EXAMPLE.read_text("utf-8").replace("port: 1883", f"port: {port}")
    assert f"port: {port}" in text
    return text
