"""Simulated devices on a real broker, at the pace of a clock.

A client for each of sixty devices would cost more than the hall itself, so a few clients carry all of them; a
device always speaks through the same one, which keeps its messages in order. Its last will is then published for
it, when the scenario says that it is lost. Where the broker itself must publish it, name the device in `alone`:
it gets a client of its own with its will registered, and killing this process is what brings it out.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4
from zlib import crc32

import aiomqtt

from sensors.site.model import Site
from simulators.clock import SimClock
from simulators.faults import Arriving
from simulators.fleet import Fleet
from simulators.publication import Publication
from simulators.scenario import Scenario

POOL: Final = 3
KEEP_ALIVE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and who we say we are."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a simulation has come: the instant it has reached (ms) and what was published."""

    at: int
    published: int
    last: Publication


@dataclass(frozen=True, slots=True)
class Wire:
    """The clients of a fleet."""

    pool: tuple[aiomqtt.Client, ...]
    alone: dict[str, aiomqtt.Client]

    async def publish(self, said: Publication) -> None:
        """Publish; returns when the broker has acknowledged (QoS 1) or the bytes are written (QoS 0)."""
        client = self.alone.get(said.device) or self.pool[crc32(said.device.encode()) % len(self.pool)]
        await client.publish(said.topic, said.payload, qos=said.qos, retain=said.retain)


@asynccontextmanager
async def connect(broker: Broker, wills: Iterable[Publication] = (), pool: int = POOL) -> AsyncGenerator[Wire]:
    """Connect `pool` clients, and one more for each device whose last will is given. Raises `aiomqtt.MqttError`."""
    async with AsyncExitStack() as stack:
        shared = [await stack.enter_async_context(_client(broker, None)) for _ in range(pool)]
        alone = {will.device: await stack.enter_async_context(_client(broker, will)) for will in wills}
        yield Wire(tuple(shared), alone)


async def deliver(arriving: Iterable[Arriving], wire: Wire, clock: SimClock) -> int:
    """Publish what arrives under a fault, each when it arrives; returns how many.

    A redelivery without a number of its own is left out: only a broker can say of such a one that it is no new word.
    """
    published = 0
    for one in arriving:
        await clock.sleep_until(one.at)
        if not one.dup or b'"seq"' in one.said.payload:
            await wire.publish(one.said)
            published += 1
    return published


async def play(
    publications: Iterator[Publication],
    wire: Wire,
    clock: SimClock,
    on_progress: Callable[[Progress], None] | None = None,
) -> int:
    """Publish each at its time, as the clock tells it; returns how many. What is overdue goes out at once."""
    published = 0
    for said in publications:
        await clock.sleep_until(said.at)
        await wire.publish(said)
        published += 1
        if on_progress is not None:
            on_progress(Progress(said.at, published, said))
    return published


async def simulate(
    scenario: Scenario,
    site: Site,
    broker: Broker,
    clock: SimClock,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    alone: Iterable[str] = (),
) -> int:
    """Play a scenario from the clock's present on; returns how many messages were published.

    Raises `ValueError` for a device that the hall has not, `aiomqtt.MqttError` when the broker is lost.
    """
    fleet = Fleet(site, scenario.hall, scenario.seed)
    start = clock.now()
    wills = [fleet.will(device, start) for device in alone]
    said = scenario.publications(site, start, fleet)
    async with connect(broker, wills) as wire:
        return await play(said, wire, clock, on_progress)


def _client(broker: Broker, will: Publication | None) -> aiomqtt.Client:
    last = None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.retain)
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=f"hallwatch-sim-{uuid4().hex[:12]}",
        keepalive=KEEP_ALIVE_S,
        will=last,
    )
