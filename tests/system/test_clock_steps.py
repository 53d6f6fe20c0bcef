"""The machine's clock is stepped under a running gateway, and between two runs: no deadline fires in a heap, none is
frozen, nobody is silent, absent or late for it, and people hear of it.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.servers.clock import SteppedClock
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import read_kept
from tests.system.load import Load
from tests.system.small_site import Parts, small_site

FIRE = "hallwatch/v1/main/safety/smoke-1/fire"
BURNS = '{"device": "smoke-1", "boot": 1, "seq": 1, "value": {"alarm": true}}'
HOUR, DAY = 3600, 86_400
PATIENCE_S = 60.0
NEAR_S = 30.0


@dataclass(slots=True)
class Scene:
    """A gateway whose clock can be stepped, in the midst of verifying a fire."""

    gateway: Hallwatch
    clock: SteppedClock
    service: FakeWebhook
    load: Load

    async def hall(self) -> dict[str, Any]:
        halls: list[dict[str, Any]] = (await self.gateway.get("/api/v1/status"))["halls"]
        return halls[0]

    async def repeats(self) -> None:
        """Wait for the next message of the plan."""
        self.service.received.clear()
        await until(self._is_told)

    async def _is_told(self) -> bool:
        bodies = [json.loads(one.body) for one in self.service.received]
        return any(str(body["code"]).startswith("run") for body in bodies)

    async def runs(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = (await self.gateway.get("/api/v1/runs"))["items"]
        return runs

    async def goes_by(self, seconds: int) -> None:
        """Wait until the gateway's time is the stepped one, and say that nothing has come of it but the news."""

        async def is_there() -> bool:
            return abs(int((await self.hall())["now"]) / 1000 - time.time() - seconds) < NEAR_S

        await until(is_there)
        alarms = (await self.gateway.get("/api/v1/alarms?open=1"))["items"]
        assert {one["kind"] for one in alarms} <= {"fire", "gateway"}
        assert [one["stage"] for one in await self.runs()] == ["verify"]

    async def stores(self, seq_from: int) -> None:
        """What comes after the step is stored."""
        before = (await self.hall())["account"]["stored"]
        await Load(self.load.port, seq_from, boot=seq_from).run(20)

        async def is_stored() -> bool:
            return bool((await self.hall())["account"]["stored"] >= before + 20)

        await until(is_stored)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await true():
            await asyncio.sleep(0.1)


@asynccontextmanager
async def verifying(folder: Path) -> AsyncIterator[Scene]:
    clock = SteppedClock(folder / "clock")
    async with fake_webhook() as service:
        with Mosquitto(folder / "broker") as mosquitto:
            site = small_site(Parts(mosquitto.port, webhook=service.url)).replace("verify_s: 60", "verify_s: 600")
            gateway = Hallwatch(folder / "gateway", site, {"TEST_HOOK_SECRET": "s"} | clock.environment)
            await asyncio.to_thread(gateway.start)
            try:
                await gateway.linked()
                scene = Scene(gateway, clock, service, Load(mosquitto.port, 1))
                await scene.stores(1)
                await asyncio.to_thread(mosquitto.publish, FIRE, BURNS)
                await scene.repeats()
                yield scene
            finally:
                await asyncio.to_thread(gateway.stop)
    kept = await read_kept(gateway.store)
    assert kept.resumed == kept.from_empty, "the steps are in the journal"
    assert not [event for event in kept.events if event.what.startswith("punch") or "device_silent" in event.detail]


async def test_stepped_by_an_hour_and_by_a_day_and_set_back_between_two_runs(tmp_path: Path) -> None:
    # A plan is not repeated more often than every ten seconds: the three clocks are stepped beside each other.
    async with asyncio.TaskGroup() as group:
        group.create_task(stepped(tmp_path / "hour", HOUR, 0))
        group.create_task(stepped(tmp_path / "day", DAY, -DAY))
        group.create_task(set_back_between_two_runs(tmp_path / "runs"))


async def stepped(folder: Path, *offsets: int) -> None:
    """Forward and back under a running gateway that is verifying a fire."""
    async with verifying(folder) as scene:
        for seq_from, offset in enumerate(offsets, 2):
            scene.clock.step_to(offset)
            await scene.goes_by(offset)
            await scene.repeats()
            await scene.stores(seq_from)
        alarms = (await scene.gateway.get("/api/v1/alarms?open=1"))["items"]
        assert [one for one in alarms if one["detail"].startswith("clock_stepped -")]


async def set_back_between_two_runs(folder: Path) -> None:
    """Time does not stand still until the old time is there again."""
    async with verifying(folder) as scene:
        await asyncio.to_thread(scene.gateway.stop)
        scene.clock.step_to(-DAY)
        await asyncio.to_thread(scene.gateway.start)
        await scene.goes_by(-DAY)
        await scene.repeats()
        await scene.stores(9)
