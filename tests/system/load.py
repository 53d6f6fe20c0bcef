"""A load of numbered messages over a real broker: each device counts, so what is lost or doubled has a name."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiomqtt

PREFIX = "hallwatch/v1/main"
Maker = Callable[[random.Random], dict[str, object]]
TELEMETRY: dict[str, tuple[str, Maker]] = {
    "queue-1": ("queue", lambda dice: {"length": dice.randrange(5)}),
    "count-1": ("people_count", lambda dice: {"occupancy": dice.randrange(30)}),
    "air-1": ("environment", lambda dice: {"temperature_c": 20 + dice.random()}),
    "desk-1": ("presence", lambda dice: {"present": dice.random() < 0.9}),
    "printer-1": ("equipment", lambda _dice: {"state": "ok", "power_w": 30.0}),
}


@dataclass(slots=True)
class Load:
    """Publishes as the devices of the small site; `sent` is what the broker has acknowledged to us."""

    port: int
    seed: int
    boot: int = 1
    sent: dict[str, list[int]] = field(default_factory=dict)

    async def run(self, count: int, *, pause_s: float = 0.0005, fires: tuple[int, ...] = ()) -> None:
        """Publish `count` messages at QoS 1; at the positions `fires`, smoke-1 raises a fire alarm once more."""
        dice = random.Random(self.seed)
        async with aiomqtt.Client("127.0.0.1", self.port, identifier=f"load-{self.seed}") as client:
            for position in range(count):
                if position in fires:
                    await self._publish(client, "smoke-1", "safety", "fire", {"alarm": True, "sensor": "smoke"})
                device = dice.choice(sorted(TELEMETRY))
                kind, make = TELEMETRY[device]
                await self._publish(client, device, "telemetry", kind, make(dice))
                await asyncio.sleep(pause_s)

    async def _publish(self, client: aiomqtt.Client, device: str, lane: str, kind: str, value: object) -> None:
        numbers = self.sent.setdefault(device, [])
        number = len(numbers) + 1
        body = {
            "device": device,
            "boot": self.boot,
            "seq": number,
            "time": int(time.time() * 1000),
            "clock": "synced",
            "value": value,
        }
        await client.publish(f"{PREFIX}/{lane}/{device}/{kind}", json.dumps(body), qos=1)
        numbers.append(number)
