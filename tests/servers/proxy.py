"""A bad network between two programs on this machine: a TCP proxy that cuts, hangs, delays, throttles and refuses.

It runs in the test's own event loop, so what blocks (starting a server, `mosquitto_pub`) belongs into
`asyncio.to_thread`. With `mqtt=True` it knows where MQTT packets begin and end, and `Mischief` can lose or double one.
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

from tests.servers.find import free_port

CHUNK = 65_536
PUBLISH, PUBACK = 3, 4
DUP = 0x08
Meddle = Callable[[int, bytes], list[bytes]]


@dataclass(slots=True)
class Way:
    """One direction of all connections; everything may be changed while they run.

    `bytes_per_s` throttles; `meddle` is given the connection's number and each MQTT packet, and returns what travels
    on in its place.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    meddle: Meddle | None = None
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    carried: int = 0

    def hang(self) -> None:
        """Let nothing through, not even an end; what is sent meanwhile comes late, as TCP would have it."""
        self.flowing.clear()

    def flow(self) -> None:
        """Undo `hang`."""
        self.flowing.set()

    def pause_s(self, size: int) -> float:
        """How long these bytes take."""
        pause = self.delay_s + self.jitter_s * self.dice.random()
        return pause if self.bytes_per_s is None else pause + size / self.bytes_per_s


@dataclass(eq=False, slots=True)
class Pair:
    """A connection to us and ours to the server. `lost`: both ends think that it lives, and hear nothing any more."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    task: asyncio.Task[None]
    number: int
    lost: bool = False

    def reset(self) -> None:
        """End both connections at once, as a router that was switched off and on: with RST and not with FIN."""
        for writer in self.writers:
            sock = writer.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self.task.cancel()


class Proxy:
    """A proxy before the server on `target`; `up` leads to the server, `down` to its clients."""

    host = "127.0.0.1"

    def __init__(self, target: int, *, mqtt: bool = False) -> None:
        self.port = free_port()
        self.target = target
        self.up, self.down = Way(), Way()
        self.accepted = 0
        self._mqtt = mqtt
        self._pairs: set[Pair] = set()
        self._server: asyncio.Server | None = None
        self.heal()

    @property
    def open(self) -> int:
        """How many connections pass through now, those that hang or are lost among them."""
        return len(self._pairs)

    def heal(self) -> None:
        """A good network again, for the connections that are there and for new ones; what is lost stays lost."""
        for way in (self.up, self.down):
            way.delay_s = way.jitter_s = 0.0
            way.bytes_per_s = way.meddle = None
            way.flow()

    def hang(self) -> None:
        """A black hole both ways: new connections are taken too, and hear nothing."""
        self.up.hang()
        self.down.hang()

    def cut(self) -> None:
        """End every connection; the next attempt gets through."""
        for pair in list(self._pairs):
            pair.reset()

    def vanish(self) -> None:
        """Half open: the connections that are there fall silent for ever without an end; new ones are well."""
        for pair in self._pairs:
            pair.lost = True

    async def refuse(self) -> None:
        """The cable is out: nobody listens, and what there was is cut."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.sleep(0)

    async def allow(self) -> None:
        """Listen, on the same port as ever."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.accepted += 1
        number = self.accepted
        try:
            server_reader, server_writer = await asyncio.open_connection(self.host, self.target)
        except OSError:
            writer.transport.abort()
            return
        if self._server is None:  # refused while we were on our way
            writer.transport.abort()
            server_writer.transport.abort()
            return
        pair = Pair((writer, server_writer), task, number)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(pair, reader, server_writer, self.up))
                group.create_task(self._pump(pair, server_reader, writer, self.down))
        except* (ConnectionError, asyncio.CancelledError):
            pass  # cut: the end of this connection, and nobody waits for it
        finally:
            self._pairs.discard(pair)
            for end in pair.writers:
                end.close()

    async def _pump(self, pair: Pair, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: Way) -> None:
        packets = Packets()
        while True:
            chunk = await source.read(CHUNK)
            await asyncio.sleep(way.pause_s(len(chunk)))
            await way.flowing.wait()
            if pair.lost:
                await asyncio.Event().wait()
            if not chunk or sink.is_closing():
                break
            for part in packets.feed(chunk) if self._mqtt else [chunk]:
                for whole in [part] if way.meddle is None else way.meddle(pair.number, part):
                    way.carried += len(whole)
                    sink.write(whole)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


@dataclass(slots=True)
class Packets:
    """Cuts a stream of bytes into MQTT packets: a byte, the remaining length in up to four, and the rest."""

    held: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The packets that are whole now."""
        self.held += chunk
        while (size := self._size()) is not None and size <= len(self.held):
            yield bytes(self.held[:size])
            del self.held[:size]

    def _size(self) -> int | None:
        length = 0
        for place, byte in enumerate(self.held[1:5]):
            length |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                return 2 + place + length
        return None


@dataclass(slots=True)
class Mischief:
    """Loses and doubles packets at QoS 1 by chance; `done` counts what it did.

    A real network loses no packet out of the midst of a connection: cut it afterwards, and the sender tells again.
    """

    dice: random.Random
    publish_lost: float = 0.0
    publish_twice: float = 0.0
    puback_lost: float = 0.0
    done: Counter[str] = field(default_factory=Counter)

    def __call__(self, _connection: int, packet: bytes) -> list[bytes]:
        """What travels on instead of this packet."""
        kind, chance = packet[0] >> 4, self.dice.random()
        if kind == PUBACK and chance < self.puback_lost:
            self.done["puback_lost"] += 1
            return []
        if kind != PUBLISH or not packet[0] & 0x06:
            return [packet]
        if chance < self.publish_lost:
            self.done["publish_lost"] += 1
            return []
        if chance < self.publish_lost + self.publish_twice:
            self.done["publish_twice"] += 1
            return [packet, bytes([packet[0] | DUP]) + packet[1:]]
        return [packet]


@contextlib.asynccontextmanager
async def proxied(target: int, *, mqtt: bool = False) -> AsyncIterator[Proxy]:
    """A proxy before the server on this port, while the block runs."""
    proxy = Proxy(target, mqtt=mqtt)
    await proxy.allow()
    try:
        yield proxy
    finally:
        proxy.heal()
        await proxy.refuse()
