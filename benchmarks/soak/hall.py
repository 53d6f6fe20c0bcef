"""What a soak stands on: broker, network, InfluxDB, a webhook and the gateway, each real and each to be harmed."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pytest

from benchmarks.hall import INFLUX_TOKEN
from benchmarks.servers import broker as make_broker
from benchmarks.servers import influxd
from dashboard.cli.client import Json, request
from sensors.site.load import read_site
from sensors.site.model import Site
from simulators.clock import SimClock
from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.servers.disk import SmallDisk, ext4
from tests.servers.find import free_port
from tests.servers.influx import InfluxBucket
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import Process
from tests.servers.proxy import Proxy, proxied

EXAMPLE = Path(__file__).parents[2] / "dashboard" / "sites" / "university.yaml"
KEEPALIVE_S = 5
DISK_MB = 16_384


def site_text(port: int, webhook: str, bucket: InfluxBucket) -> str:
    """The shipped example on this broker and this InfluxDB, with a webhook among the contacts of everybody."""
    hook = f"{{id: hook, type: webhook, url: '{webhook}', allow_private: true, timeout_s: 5}}"
    text = EXAMPLE.read_text("utf-8")
    settings = {
        "port: 1883": f"port: {port}\n  keepalive_s: {KEEPALIVE_S}",
        "channels:\n": f"channels:\n  - {hook}\n",
        "contacts: {": "contacts: {hook: duty, ",
    }
    for old, new in settings.items():
        if old not in text:
            raise ValueError(f"the example has no {old!r} any more")
        text = text.replace(old, new)
    place = f"url: '{bucket.url}', org: {bucket.org}, bucket: {bucket.name}"
    return f"influx: {{{place}, token: {{env: {INFLUX_TOKEN}}}}}\n{text}"


@dataclass(slots=True)
class World:
    """Everything that a fault may touch. `broker_deaths` are the real times (s) at which the broker was killed.

    `disk` is the gateway's own file system; None where nobody may mount one.
    """

    folder: Path
    site: Site
    mosquitto: Mosquitto
    proxy: Proxy
    bucket: InfluxBucket
    hook: FakeWebhook
    gateway: Process
    socket: Path
    clock: SimClock
    disk: SmallDisk | None
    broker_deaths: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)

    @property
    def store(self) -> Path:
        """The operations store's file."""
        return self.folder / "data" / "hallwatch.db"

    def set_clock_wrong(self, by_ms: int) -> None:
        """From now on the gateway's machine has a clock that is so far ahead; the gateway looks once a second."""
        set_step(self.folder, by_ms)

    async def start_gateway(self) -> None:
        """Start it, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        await asyncio.to_thread(self.gateway.start)
        self.starts.append(time.monotonic())

    async def status(self) -> Json:
        """What the gateway says of its one hall."""
        hall: Json = (await request(self.socket, "GET", "/api/v1/status"))["halls"][0]
        return hall


def set_step(folder: Path, by_ms: int) -> Path:
    """Write down by how much the clock is wrong; returns the file. Whoever reads it finds the old or the new, whole."""
    file, new = folder / "step", folder / "step.new"
    new.write_text(str(by_ms), encoding="ascii")
    return new.replace(file)


def disk_of_its_own(stack: contextlib.AsyncExitStack, folder: Path) -> SmallDisk | None:
    """A file system for the gateway's data alone: that it is full harms nobody else, and takes what is used of it."""
    try:
        return stack.enter_context(ext4(folder, DISK_MB))
    except pytest.skip.Exception as missing:
        print(f"soak: the disk is never full: {missing}", file=sys.stderr)
        return None


@contextlib.asynccontextmanager
async def world(folder: Path, rate: float) -> AsyncIterator[World]:
    """All of it started, the gateway too; ended with the block. Raises `NotMeasuredError` for what is not installed."""
    async with contextlib.AsyncExitStack() as stack:
        disk = disk_of_its_own(stack, folder / "data")
        mosquitto = stack.enter_context(make_broker(folder))
        server = stack.enter_context(influxd(folder))
        bucket = server.create_bucket("soak")
        hook = await stack.enter_async_context(fake_webhook())
        proxy = await stack.enter_async_context(proxied(mosquitto.port))
        text = site_text(proxy.port, hook.url, bucket)
        loaded = read_site(text, "soak.yaml")
        if loaded.site is None:
            raise ValueError(f"the soak's site is refused: {loaded.problems}")
        file = folder / "site.yaml"
        file.write_text(text, encoding="utf-8")
        clock = SimClock.start(time.time_ns() // 1_000_000, rate)
        socket = Path(mkdtemp(prefix="hw-")) / "s"
        command = [sys.executable, "-m", "benchmarks.soak.gateway", str(file), str(folder / "data"), str(socket)]
        command += [str(free_port()), str(clock.clock.origin), str(rate), str(clock.clock.anchor)]
        command.append(str(set_step(folder, 0)))
        environment = [f"{INFLUX_TOKEN}={server.token}", f"PYTHONPATH={EXAMPLE.parents[2]}"]
        gateway = Process(["/usr/bin/env", *environment, *command], folder / "gateway.log", socket.exists)
        made = World(folder, loaded.site, mosquitto, proxy, bucket, hook, gateway, socket, clock, disk)
        await made.start_gateway()
        stack.callback(gateway.stop)
        yield made
