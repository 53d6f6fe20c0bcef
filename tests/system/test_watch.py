"""Who watches the watcher: probes through the real path, and a heartbeat that stops when the path does."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.servers.fixtures import MosquittoMaker
from tests.servers.mosquitto import Mosquitto
from tests.servers.proxy import Proxy, proxied
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site

# No measure of speed: how long a busy machine may take.
PATIENCE_S = 40.0
WATCH = "{probe_s: 1, heartbeat: {url: {env: TEST_HEARTBEAT}, every_s: 1, timeout_s: 1}}"


@dataclass(slots=True)
class Outside:
    """The service outside that is beaten to; `status` is what it answers."""

    url: str = ""
    beats: int = 0
    status: int = 200
    methods: list[str] = field(default_factory=list)


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """A small server with a secret path."""
    seen = Outside()

    async def beat(request: web.Request) -> web.Response:
        seen.beats += 1
        seen.methods.append(request.method)
        return web.Response(status=seen.status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/ping/top-secret-path", beat)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    seen.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ping/top-secret-path"
    try:
        yield seen
    finally:
        await runner.cleanup()


def gateway_of(folder: Path, broker: Mosquitto | Proxy, service: Outside, thresholds: str = "{}") -> Hallwatch:
    text = small_site(Parts(broker.port, thresholds=thresholds, watch=WATCH))
    return Hallwatch(folder / "hallwatch", text, {"TEST_HEARTBEAT": service.url})


async def until(true: Callable[[], Any]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = true()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.1)


async def beats(service: Outside) -> None:
    """One more beat than now."""
    now = service.beats
    await until(lambda: service.beats > now)


async def silence(service: Outside) -> None:
    """Wait until no beat has come for three periods."""
    async with asyncio.timeout(PATIENCE_S):
        before = -1
        while before != service.beats:
            before = service.beats
            await asyncio.sleep(3)


@contextmanager
def held(store: Path) -> Iterator[None]:
    """Another program holds the store: nothing can be written."""
    with sqlite3.connect(store, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    other.close()


async def open_alarms(gateway: Hallwatch, kind: str = "gateway") -> list[dict[str, Any]]:
    items = (await gateway.get("/api/v1/alarms?open=1"))["items"]
    return [one for one in items if one["kind"] == kind and one["active"]]


async def readiness(gateway: Hallwatch) -> list[str]:
    return [reason["code"] for reason in (await gateway.ask("/readyz"))[1]["reasons"]]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_probe_comes_back_by_each_session_and_is_no_device(
    version: str, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    text = small_site(Parts(mosquitto.port, version=version, watch="{probe_s: 1}"))
    with Hallwatch(tmp_path / "hallwatch", text) as gateway:
        devices = len((await gateway.get("/api/v1/devices"))["items"])

        async def probed() -> bool:
            (hall,) = (await gateway.get("/api/v1/status"))["halls"]
            return all(one["fresh"] and one["took_ms"] > 0 for one in hall["probes"]) and hall["account"]["probe"] >= 4

        await until(probed)
        (hall,) = (await gateway.get("/api/v1/status"))["halls"]
        assert {one["lane"] for one in hall["probes"]} == {"safety", "telemetry"}
        assert all(not one["late"] and one["age_s"] < 10 for one in hall["probes"])
        assert hall["account"]["received"] == hall["account"]["probe"]
        assert len((await gateway.get("/api/v1/devices"))["items"]) == devices
        assert await readiness(gateway) == []
        assert (await gateway.get("/api/v1/alarms"))["items"] == []


async def test_the_heartbeat_stops_with_the_broker_and_comes_back_with_it(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with outside() as service:
        with gateway_of(tmp_path, mosquitto, service) as gateway:
            await beats(service)
            await asyncio.to_thread(mosquitto.kill)
            await silence(service)
            # The process lives and says what is wrong; nobody is told twice of one broker.
            assert gateway.process.running
            assert "link_down" in await readiness(gateway)
            assert await open_alarms(gateway) == []
            mosquitto.start()
            await beats(service)
            await until(lambda: _ready(gateway))
        assert set(service.methods) == {"GET"}
        assert "top-secret-path" not in gateway.log()


async def test_the_heartbeat_stops_while_the_store_takes_nothing(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with outside() as service:
        with gateway_of(tmp_path, mosquitto, service) as gateway:
            await beats(service)
            with held(gateway.store):
                await silence(service)
                assert (await gateway.ask("/healthz"))[0] == 200
                assert "store_stalled" in await readiness(gateway)
                (hall,) = (await gateway.get("/api/v1/status"))["halls"]
                assert all(hall["links"].values())
                assert not any(one["fresh"] for one in hall["probes"])
            await beats(service)


async def test_a_session_that_brings_nothing_back_is_an_alarm(tmp_path: Path, make_mosquitto: MosquittoMaker) -> None:
    """The broker takes everything and gives the probes of one session to nobody: all links are up."""
    acl = "topic readwrite #\ntopic deny hallwatch/v1/main/gateway/probe/telemetry"
    broker = make_mosquitto(acl=acl)
    async with outside() as service:
        with gateway_of(tmp_path, broker, service) as gateway:
            await until(lambda: open_alarms(gateway))
            (alarm,) = await open_alarms(gateway)
            assert (alarm["subject"], alarm["detail"], alarm["priority"]) == ("telemetry", "path_silent", "high")
            assert service.beats == 0
            (hall,) = (await gateway.get("/api/v1/status"))["halls"]
            assert {one["lane"]: one["late"] for one in hall["probes"]} == {"safety": False, "telemetry": True}


async def test_a_heartbeat_that_nobody_takes_is_an_alarm(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with outside() as service:
        service.status = 302
        with gateway_of(tmp_path, mosquitto, service) as gateway:
            await until(lambda: open_alarms(gateway))
            (alarm,) = await open_alarms(gateway)
            assert (alarm["subject"], alarm["detail"], alarm["priority"]) == ("heartbeat", "heartbeat_failed", "medium")
            service.status = 200

            await until(lambda: _quiet(gateway))


async def test_what_stood_when_the_gateway_was_killed_ends_by_itself_when_it_is_over(
    make_mosquitto: MosquittoMaker, tmp_path: Path
) -> None:
    """Of an alarm of its own the next process knows, and says that it is over: else it would stand for ever."""
    acl = "topic readwrite #\ntopic deny hallwatch/v1/main/gateway/probe/telemetry"
    deaf, well = make_mosquitto(acl=acl), make_mosquitto()
    async with outside() as service, proxied(deaf.port) as proxy:
        gateway = gateway_of(tmp_path, proxy, service)
        await asyncio.to_thread(gateway.start)
        try:
            await until(lambda: open_alarms(gateway))
            gateway.kill()
            proxy.target = well.port
            await asyncio.to_thread(gateway.start)

            await until(lambda: _quiet(gateway))
            alarms = (await gateway.get("/api/v1/alarms"))["items"]
            assert [one["detail"] for one in alarms] == ["path_silent"]
        finally:
            await asyncio.to_thread(gateway.stop)


async def _quiet(gateway: Hallwatch) -> bool:
    return not await open_alarms(gateway)


async def _ready(gateway: Hallwatch) -> bool:
    return not await readiness(gateway)
