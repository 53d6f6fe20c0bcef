"""A publisher that costs next to nothing: MQTT 3.1.1 packets written by hand, a window of outstanding PUBACKs.

The usual clients spend more on a message than the gateway does, and would be what is measured.
Source of the packets: MQTT Version 3.1.1 (OASIS Standard), sections 2.2.3, 3.1, 3.3 and 3.4.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

CONNACK_BYTES = 4
PUBACK_BYTES = 4
IDS = 65_535
ANSWER_WITHIN_S = 30.0


def connect_packet(client: str) -> bytes:
    """CONNECT: a clean session without keep-alive."""
    name = client.encode()
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name
    return b"\x10" + _length(len(body)) + body


def publish_packet(topic: str, payload: bytes, id: int) -> bytes:
    """PUBLISH at QoS 1; `id` is 1 to 65535."""
    name = topic.encode()
    size = 2 + len(name) + 2 + len(payload)
    return b"\x32" + _length(size) + len(name).to_bytes(2, "big") + name + id.to_bytes(2, "big") + payload


def _length(size: int) -> bytes:
    made = bytearray()
    while True:
        size, low = divmod(size, 128)
        made.append(low | (128 if size else 0))
        if not size:
            return bytes(made)


class Publisher(asyncio.Protocol):
    """One connection to a broker. What it publishes is acknowledged by count: the broker answers in order."""

    def __init__(self, client: str, window: int) -> None:
        """At most `window` messages are unacknowledged at any time."""
        self.published = 0
        self.acknowledged = 0
        self.window = window
        self._client = client
        self._rest = b""
        self._connected = False
        self._failed: Exception | None = None
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(connect_packet(self._client))

    def data_received(self, data: bytes) -> None:
        """Count PUBACKs; all packets that may come are four bytes long."""
        data = self._rest + data
        if not self._connected and len(data) >= CONNACK_BYTES:
            self._connected = True
            if data[0] != 0x20 or data[3] != 0:
                self._failed = ConnectionError(f"the broker refused the publisher: {data[:4].hex()}")
            data = data[CONNACK_BYTES:]
        whole = len(data) // PUBACK_BYTES
        if data[: whole * PUBACK_BYTES : PUBACK_BYTES] != b"\x40" * whole:
            self._failed = ConnectionError("the broker sent something that is no PUBACK")
        self.acknowledged += whole
        self._rest = data[whole * PUBACK_BYTES :]
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let whoever waits know."""
        self._failed = exc or ConnectionError("the broker closed the connection")
        self._news.set()

    async def connected(self) -> None:
        """Wait for the broker's CONNACK."""
        while not self._connected:
            await self._wait()

    async def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Write messages as fast as the window allows."""
        packets: list[bytes] = []
        for topic, payload in messages:
            packets.append(publish_packet(topic, payload, (self.published + len(packets)) % IDS + 1))
            if len(packets) >= 50:
                await self.write(packets)
                packets = []
        await self.write(packets)

    async def write(self, packets: list[bytes]) -> None:
        """Write ready packets, whose ids go on from what was published."""
        while self.published + len(packets) - self.acknowledged > self.window:
            await self._wait()
        if packets and self._transport is not None:
            self._transport.write(b"".join(packets))
            self.published += len(packets)

    async def drained(self) -> None:
        """Wait until everything is acknowledged by the broker."""
        while self.acknowledged < self.published:
            await self._wait()

    async def _wait(self) -> None:
        if self._failed is not None:
            raise self._failed
        self._news.clear()
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await self._news.wait()

    def close(self) -> None:
        """Leave."""
        if self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.write(b"\xe0\x00")
            self._transport.close()


@asynccontextmanager
async def publisher(port: int, client: str, window: int = 1000) -> AsyncIterator[Publisher]:
    """A publisher at a broker on loopback, connected."""
    _, made = await asyncio.get_running_loop().create_connection(lambda: Publisher(client, window), "127.0.0.1", port)
    try:
        await made.connected()
        yield made
    finally:
        made.close()
