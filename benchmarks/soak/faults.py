"""What is done to a hall at random, and undone: one fault at a time, each with some peace behind it."""

import asyncio
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiomqtt

from benchmarks.soak.devices import Devices
from benchmarks.soak.hall import World

PEACE_S = (3.0, 15.0)
# What ends the gateway's process; in the latter part of a soak it is spared, so that one process grows old.
ENDING = ("gateway_killed", "gateway_stopped")
HOUR_MS = 3_600_000
WRONG_BY_MS = (-24 * HOUR_MS, -HOUR_MS, HOUR_MS, 24 * HOUR_MS)
Fault = Callable[["Trouble"], Awaitable[None]]


@dataclass(slots=True)
class Trouble:
    """Who makes it, and what was made so far, by name."""

    world: World
    devices: Devices
    dice: random.Random
    kinds: list[str]
    made: Counter[str] = field(default_factory=Counter)
    now: str = ""

    async def run(self, until: float, spared_from: float) -> None:
        """Make trouble until a real time (s, monotonic); what was broken is whole again afterwards.

        From `spared_from` on (s, monotonic) the gateway's own process is not ended any more.
        """
        bag: list[str] = []
        while time.monotonic() < until:
            await asyncio.sleep(self.dice.uniform(*PEACE_S))
            if not self.kinds:
                continue
            # Each as often as the others, in an order that nobody knows.
            bag = bag or self.dice.sample(self.kinds, len(self.kinds))
            self.now = bag.pop()
            if self.now in ENDING and time.monotonic() >= spared_from:
                continue
            await FAULTS[self.now](self)
            self.made[self.now] += 1
            self.now = ""

    async def lasting(self, least: float, most: float) -> None:
        """Let what was broken be broken for a while."""
        await asyncio.sleep(self.dice.uniform(least, most))


async def gateway_killed(trouble: Trouble) -> None:
    """As by a power cut."""
    await asyncio.to_thread(trouble.world.gateway.kill)
    await trouble.lasting(0.0, 3.0)
    await trouble.world.start_gateway()


async def gateway_stopped(trouble: Trouble) -> None:
    """As for an update."""
    await asyncio.to_thread(trouble.world.gateway.stop)
    await trouble.lasting(0.0, 3.0)
    await trouble.world.start_gateway()


async def broker_killed(trouble: Trouble) -> None:
    """What it had not yet saved is lost, and must show as gaps."""
    trouble.world.broker_deaths.append(time.monotonic())
    await asyncio.to_thread(trouble.world.mosquitto.process.kill)
    await trouble.lasting(0.0, 5.0)
    await asyncio.to_thread(trouble.world.mosquitto.process.start)


async def broker_restarted(trouble: Trouble) -> None:
    """In good order."""
    await asyncio.to_thread(trouble.world.mosquitto.process.stop)
    await trouble.lasting(0.0, 5.0)
    await asyncio.to_thread(trouble.world.mosquitto.process.start)


async def broker_hanging(trouble: Trouble) -> None:
    """It holds its connections and says nothing."""
    trouble.world.mosquitto.process.pause()
    await trouble.lasting(1.0, 12.0)
    trouble.world.mosquitto.process.resume()


async def network_cut(trouble: Trouble) -> None:
    """The cable is out for a while."""
    await trouble.world.proxy.refuse()
    await trouble.lasting(0.5, 8.0)
    await trouble.world.proxy.allow()


async def network_hanging(trouble: Trouble) -> None:
    """Half open: nothing comes through and nothing ends."""
    trouble.world.proxy.hang()
    await trouble.lasting(1.0, 12.0)
    trouble.world.proxy.heal()


async def network_gone(trouble: Trouble) -> None:
    """The connections that are there never say anything again."""
    trouble.world.proxy.vanish()
    await trouble.lasting(1.0, 2.0)


async def network_slow(trouble: Trouble) -> None:
    """A bad radio link."""
    for way in (trouble.world.proxy.up, trouble.world.proxy.down):
        way.delay_s, way.jitter_s = 0.05, 0.2
    await trouble.lasting(2.0, 10.0)
    trouble.world.proxy.heal()


async def influxdb_killed(trouble: Trouble) -> None:
    """The history waits."""
    await asyncio.to_thread(trouble.world.bucket.server.kill)
    await trouble.lasting(1.0, 10.0)
    await asyncio.to_thread(trouble.world.bucket.server.start)


async def influxdb_hanging(trouble: Trouble) -> None:
    """It takes connections and answers none."""
    trouble.world.bucket.server.pause()
    await trouble.lasting(1.0, 10.0)
    trouble.world.bucket.server.resume()


async def store_locked(trouble: Trouble) -> None:
    """Somebody else writes to the database, and does not end."""

    def lock(seconds: float) -> None:
        connection = sqlite3.connect(trouble.world.store, isolation_level=None, timeout=20)
        try:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    await asyncio.to_thread(lock, trouble.dice.uniform(1.0, 8.0))


async def disk_full(trouble: Trouble) -> None:
    """Not one byte more goes in."""
    disk = trouble.world.disk
    if disk is None:
        raise RuntimeError("who runs a soak leaves this out where there is no disk to be filled")
    await asyncio.to_thread(disk.fill)
    await trouble.lasting(1.0, 10.0)
    disk.free()


async def clock_stepped(trouble: Trouble) -> None:
    """The machine's clock is set wrong, and right again."""
    trouble.world.set_clock_wrong(trouble.dice.choice(WRONG_BY_MS))
    await trouble.lasting(2.0, 8.0)
    trouble.world.set_clock_wrong(0)
    await trouble.lasting(1.5, 2.0)


async def webhook_refusing(trouble: Trouble) -> None:
    """The service outside is broken."""
    trouble.world.hook.status = trouble.dice.choice((400, 429, 500, 503))
    await trouble.lasting(1.0, 10.0)
    trouble.world.hook.status = 200


async def messages_doubled(trouble: Trouble) -> None:
    """The devices say again what they have said."""
    trouble.devices.repeats.put_nowait(trouble.dice.randrange(20, 200))
    await asyncio.sleep(0)


RUBBISH = (
    b"",
    b"\x00\xff\xfe",
    b"{",
    b"[" * 50_000,
    b'{"value":{"length":1e999},"device":"queue-1"}',
    b'{"device":"somebody-else","boot":1,"seq":1,"value":{"length":3}}',
    b'{"device":"nobody","seq":' + b"9" * 400 + b"}",
    b"x" * 100_000,
)


async def rubbish(trouble: Trouble) -> None:
    """A device that has gone mad."""
    world = trouble.world
    names = sorted(device.id for device in world.site.halls[0].devices)
    try:
        async with aiomqtt.Client(world.mosquitto.host, world.mosquitto.port) as client:
            for _ in range(100):
                topic = f"hallwatch/v1/{world.site.halls[0].id}/telemetry/{trouble.dice.choice(names)}/queue"
                await client.publish(topic, trouble.dice.choice(RUBBISH), qos=1)
                trouble.devices.ledger.published += 1
    except aiomqtt.MqttError as error:
        raise RuntimeError("a healthy broker refused a publisher") from error


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        gateway_killed,
        gateway_stopped,
        broker_killed,
        broker_restarted,
        broker_hanging,
        network_cut,
        network_hanging,
        network_gone,
        network_slow,
        influxdb_killed,
        influxdb_hanging,
        store_locked,
        disk_full,
        clock_stepped,
        webhook_refusing,
        messages_doubled,
        rubbish,
    )
}
