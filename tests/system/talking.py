"""Devices of the small site that go on talking whatever happens, and number what they say.

A device tells the same message again until the broker has acknowledged it, over as many connections as that takes;
`sent` is what was acknowledged to it. What the broker then loses is lost, and must show as a gap.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import aiomqtt

PREFIX = "hallwatch/v1/main"
ALIVE: tuple[str, str, dict[str, object]] = ("telemetry", "availability", {"online": True})
SAYS: dict[str, tuple[str, str, dict[str, object]]] = {
    "reader-1": ALIVE,
    "help-1": ALIVE,
    "desk-1": ("telemetry", "presence", {"present": True}),
    "queue-1": ("telemetry", "queue", {"length": 2}),
    "count-1": ("telemetry", "people_count", {"occupancy": 7}),
    "air-1": ("telemetry", "environment", {"temperature_c": 21.5}),
    "printer-1": ("telemetry", "equipment", {"state": "fault", "code": "paper_jam"}),
    "smoke-1": ("safety", "fire", {"alarm": True, "sensor": "smoke"}),
    "smoke-2": ("safety", "fire", {"alarm": False, "sensor": "smoke"}),
    "call-1": ("safety", "fire", {"alarm": False, "sensor": "mcp"}),
}
TELEMETRY = tuple(name for name, (lane, _, _) in SAYS.items() if lane == "telemetry")


@dataclass(slots=True)
class Devices:
    """All devices of the small site behind one client; they speak to the broker on `port`."""

    port: int
    pause_s: float = 0.05
    mute: bool = False
    sent: dict[str, list[int]] = field(default_factory=dict)
    _next: dict[str, int] = field(default_factory=dict)
    _over: bool = False

    @property
    def count(self) -> int:
        """How many messages the broker has acknowledged to them."""
        return sum(len(numbers) for numbers in self.sent.values())

    async def round(self, names: Iterable[str] = SAYS, times: int = 1) -> None:
        """Let each of these devices speak so many times, through faults and new connections."""
        waiting = [name for _ in range(times) for name in names]
        while waiting:
            with contextlib.suppress(aiomqtt.MqttError):
                async with self._client() as client:
                    while waiting:
                        await self._say(client, waiting[0])
                        waiting.pop(0)
                    return
            await asyncio.sleep(0.1)

    async def badge(self, token: str) -> None:
        """Somebody taps at window 1."""
        await self._until_said("reader-1", ("telemetry", "badge", {"token": token, "direction": "in"}))

    @contextlib.asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        """They speak round after round while the block runs; `mute` only keeps them silent.

        They are asked to end and not cancelled: aiomqtt waits with `wait_for`, which may swallow a cancellation.
        """
        self._over = False
        async with asyncio.TaskGroup() as group:
            group.create_task(self._talk())
            try:
                yield
            finally:
                self._over = True

    async def _talk(self) -> None:
        while not self._over:
            with contextlib.suppress(aiomqtt.MqttError):
                async with self._client() as client:
                    while not self._over:
                        for name in () if self.mute else SAYS:
                            await self._say(client, name)
                        await asyncio.sleep(self.pause_s)
            await asyncio.sleep(0.1)

    async def _until_said(self, name: str, what: tuple[str, str, dict[str, object]]) -> None:
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with self._client() as client:
                    await self._say(client, name, what)
                    return
            await asyncio.sleep(0.1)

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", self.port, timeout=2)

    async def _say(
        self, client: aiomqtt.Client, name: str, what: tuple[str, str, dict[str, object]] | None = None
    ) -> None:
        lane, kind, value = what or SAYS[name]
        # A number is used up before its message is on the way: a message told again keeps it.
        number = self._next.setdefault(name, 1)
        body = {"device": name, "boot": 1, "seq": number, "value": value}
        await client.publish(f"{PREFIX}/{lane}/{name}/{kind}", json.dumps(body), qos=1)
        self.sent.setdefault(name, []).append(number)
        self._next[name] = number + 1
