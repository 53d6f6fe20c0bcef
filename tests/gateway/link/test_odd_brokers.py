"""Brokers that Mosquitto is not: several packets in one TLS record, a refused subscription, a handshake that hangs."""

import asyncio
import contextlib
import gc
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from gateway.link.contract import Delivery, LinkNews
from gateway.link.paho import Broker, PahoLink, opened
from sensors.decode.family import Subscription
from sensors.inputs import Lane

CONNACK = bytes.fromhex("20020000")
PINGRESP = bytes.fromhex("d000")
SUBSCRIBE = 0x82


def published(mid: int, payload: bytes) -> bytes:
    body = b"\x00\x06hall/x" + mid.to_bytes(2, "big") + payload
    return bytes([0x32, len(body)]) + body


@dataclass(slots=True)
class OddBroker:
    """Speaks just enough MQTT 3.1.1: answers a SUBSCRIBE with `granted`, then writes `burst` in one go."""

    granted: bytes = b"\x01"
    burst: bytes = b""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(2)
                body = await reader.readexactly(head[1])
                if head[0] >> 4 == 1:
                    writer.write(CONNACK)
                elif head[0] == SUBSCRIBE:
                    writer.write(bytes([0x90, 3]) + body[:2] + self.granted)
                    await asyncio.sleep(0.2)
                    writer.write(self.burst)
                await writer.drain()


@dataclass(slots=True)
class Inlet:
    deliveries: list[Delivery] = field(default_factory=list)
    news: list[LinkNews] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def payloads(self) -> list[bytes]:
        return [delivery.packet.payload for delivery in self.deliveries]


@contextlib.asynccontextmanager
async def linked(
    odd: OddBroker, inlet: Inlet, folder: Path, *, tls: bool = True, limit: int = 100
) -> AsyncIterator[PahoLink]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(secured)
    server = await asyncio.start_server(odd.serve, "127.0.0.1", 0, ssl=secured if tls else None)
    port = server.sockets[0].getsockname()[1]
    context = ssl.create_default_context(cafile=str(folder / "ca.pem")) if tls else None
    link = PahoLink(
        Broker("127.0.0.1", port, version="3.1.1", tls=context, max_unacknowledged=limit),
        client_id="gateway-1",
        lane=Lane.SAFETY,
        status_topic="s",
        now=lambda: 0,
        deliver=inlet.deliveries.append,
        changed=inlet.news.append,
        refused=inlet.refused.append,
    )
    link.subscribe([Subscription("hall/#", Lane.SAFETY)])
    try:
        async with asyncio.TaskGroup() as group, opened(link, group):
            yield link
    finally:
        for writer in odd.writers:
            writer.transport.abort()
        server.close()


async def count(inlet: Inlet, wanted: int) -> None:
    async with asyncio.timeout(5):
        while len(inlet.deliveries) < wanted:
            await asyncio.sleep(0.01)


async def test_what_shares_a_tls_record_with_another_packet_does_not_wait(tmp_path: Path) -> None:
    inlet, odd = Inlet(), OddBroker(burst=PINGRESP + b"".join(published(n, b"%d" % n) for n in range(1, 101)))
    async with linked(odd, inlet, tmp_path):
        await count(inlet, 100)
    assert inlet.payloads() == [b"%d" % n for n in range(1, 101)]


async def test_what_tls_held_during_a_pause_comes_after_it(tmp_path: Path) -> None:
    inlet, odd = Inlet(), OddBroker(burst=b"".join(published(n, b"%d" % n) for n in range(1, 6)))
    async with linked(odd, inlet, tmp_path, limit=2) as link:
        await count(inlet, 2)
        await asyncio.sleep(0.1)
        assert len(inlet.deliveries) == 2
        for place in range(5):
            await count(inlet, place + 1)
            link.acknowledge(inlet.deliveries[place : place + 1])


@pytest.mark.parametrize("tls", [False, True])
async def test_a_refused_subscription_is_said_and_taken_back(tmp_path: Path, *, tls: bool) -> None:
    inlet, odd = Inlet(), OddBroker(granted=b"\x80", burst=published(1, b"now"))
    async with linked(odd, inlet, tmp_path, tls=tls):
        await count(inlet, 1)
        assert inlet.refused == ["hall/#"]
        odd.granted = b"\x01"
        odd.writers[-1].transport.abort()
        await count(inlet, 2)
        assert inlet.refused == ["hall/#", ""]


# paho drops the socket of a handshake that failed without closing it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_handshake_that_hangs_holds_up_no_stop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        link = PahoLink(
            Broker("127.0.0.1", silent.getsockname()[1], tls=ssl.create_default_context()),
            client_id="gateway-1",
            lane=Lane.SAFETY,
            status_topic="s",
            now=lambda: 0,
            deliver=lambda _: None,
            changed=lambda _: None,
        )
        async with asyncio.TaskGroup() as group:
            async with opened(link, group):
                await asyncio.sleep(0.3)
                began = time.monotonic()
            assert time.monotonic() - began < 1
    for thread in threading.enumerate():
        if thread.name == "mqtt-connect":
            await asyncio.to_thread(thread.join, 10)
    gc.collect()
