"""The bad network itself: each of its faults does what it says, or the tests that stand on it prove nothing."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.servers.proxy import Mischief, Packets, Proxy, proxied


@dataclass(slots=True)
class Echo:
    """Sends back what it is sent; `ended` counts the connections whose end it was told."""

    port: int = 0
    ended: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        self.ended += 1
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    made = Echo()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    for writer in made.writers:
        writer.transport.abort()
    server.close()


@dataclass(slots=True)
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, text: bytes) -> bytes:
        self.writer.write(text)
        async with asyncio.timeout(5):
            return await self.reader.readexactly(len(text))

    async def silent(self) -> bool:
        try:
            async with asyncio.timeout(0.3):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False


@contextlib.asynccontextmanager
async def client(proxy: Proxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    yield Client(reader, writer)
    writer.transport.abort()


async def test_a_good_network_carries_much_both_ways(echo: Echo) -> None:
    async with proxied(echo.port) as proxy, client(proxy) as one:
        assert await one.ask(b"x" * 1_000_000) == b"x" * 1_000_000
        assert proxy.up.carried == proxy.down.carried == 1_000_000


async def test_an_end_is_passed_on(echo: Echo) -> None:
    async with proxied(echo.port) as proxy, client(proxy) as one:
        await one.ask(b"hello")
        one.writer.write_eof()
        assert await one.reader.read() == b""
        assert echo.ended == 1
        async with asyncio.timeout(5):
            while proxy.open:
                await asyncio.sleep(0.01)


async def test_cut_is_a_reset_and_the_next_gets_through(echo: Echo) -> None:
    async with proxied(echo.port) as proxy:
        async with client(proxy) as one:
            await one.ask(b"hello")
            proxy.cut()
            with pytest.raises(ConnectionResetError):
                await one.reader.read(1)
        async with client(proxy) as two:
            assert await two.ask(b"again") == b"again"


async def test_a_hang_passes_nothing_and_then_everything(echo: Echo) -> None:
    async with proxied(echo.port) as proxy, client(proxy) as one:
        proxy.hang()
        one.writer.write(b"late")
        assert await one.silent()
        async with client(proxy) as two:
            two.writer.write(b"new")
            assert await two.silent()
        proxy.heal()
        assert await one.reader.readexactly(4) == b"late"


async def test_one_way_may_hang_alone(echo: Echo) -> None:
    async with proxied(echo.port) as proxy, client(proxy) as one:
        proxy.down.hang()
        one.writer.write(b"x")
        assert await one.silent()
        assert proxy.up.carried == 1


async def test_half_open_is_silence_without_an_end_and_new_ones_are_well(echo: Echo) -> None:
    async with proxied(echo.port) as proxy, client(proxy) as one:
        await one.ask(b"hello")
        proxy.vanish()
        one.writer.write(b"anybody?")
        assert await one.silent()
        echo.writers[0].close()
        assert await one.silent()
        async with client(proxy) as two:
            assert await two.ask(b"new") == b"new"


async def test_refused_until_allowed(echo: Echo) -> None:
    async with proxied(echo.port) as proxy, client(proxy) as one:
        await one.ask(b"hello")
        await proxy.refuse()
        with pytest.raises(ConnectionResetError):
            await one.reader.read(1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(proxy.host, proxy.port)
        await proxy.allow()
        async with client(proxy) as two:
            assert await two.ask(b"again") == b"again"


async def test_delay_and_throttle_take_their_time(echo: Echo) -> None:
    async with proxied(echo.port) as proxy, client(proxy) as one:
        proxy.up.delay_s = 0.2
        began = time.monotonic()
        await one.ask(b"slow")
        assert time.monotonic() - began >= 0.2
        proxy.up.delay_s, proxy.down.bytes_per_s = 0.0, 10_000
        began = time.monotonic()
        await one.ask(b"x" * 3_000)
        assert time.monotonic() - began >= 0.3


PUBLISH_QOS1 = bytes.fromhex("3207000174000161 62".replace(" ", ""))
PUBLISH_QOS0 = bytes.fromhex("30040001 7461".replace(" ", ""))
PUBACK = bytes.fromhex("40020001")


def test_packets_are_found_wherever_the_stream_was_cut() -> None:
    long = b"\x32\xac\x02" + b"y" * 300
    stream = PUBLISH_QOS1 + PUBACK + long + b"\xd0\x00"
    packets = Packets()
    found = [packet for place in range(len(stream)) for packet in packets.feed(stream[place : place + 1])]
    assert found == [PUBLISH_QOS1, PUBACK, long, b"\xd0\x00"]
    assert list(Packets().feed(stream)) == found


def test_mischief_spares_what_nobody_would_tell_again() -> None:
    assert Mischief(random.Random(1), publish_lost=1.0)(1, PUBLISH_QOS1) == []
    assert Mischief(random.Random(1), publish_lost=1.0)(1, PUBLISH_QOS0) == [PUBLISH_QOS0]
    assert Mischief(random.Random(1), publish_lost=1.0)(1, PUBACK) == [PUBACK]
    assert Mischief(random.Random(1), puback_lost=1.0)(1, PUBACK) == []
    doubled = Mischief(random.Random(1), publish_twice=1.0)(1, PUBLISH_QOS1)
    assert doubled == [PUBLISH_QOS1, b"\x3a" + PUBLISH_QOS1[1:]]
