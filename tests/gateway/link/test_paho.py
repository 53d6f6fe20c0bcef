"""The link's contract, on a real Mosquitto: acknowledged by hand, redelivered if not, read no further than a limit."""

import asyncio
import contextlib
import functools
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from gateway.link.contract import Delivery, LinkNews
from gateway.link.paho import Broker, PahoLink, opened
from sensors.decode.family import Subscription
from sensors.inputs import Lane
from tests.servers.fixtures import MosquittoMaker
from tests.servers.mosquitto import Login, Mosquitto

PATIENCE_S = 15.0
ALL = Subscription("hall/#", Lane.TELEMETRY)


@dataclass(slots=True)
class Inlet:
    """What a link handed over."""

    deliveries: list[Delivery] = field(default_factory=list)
    news: list[LinkNews] = field(default_factory=list)

    def payloads(self) -> list[bytes]:
        return [delivery.packet.payload for delivery in self.deliveries]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def linked(broker: Broker, inlet: Inlet, *, lane: Lane = Lane.TELEMETRY) -> AsyncIterator[PahoLink]:
    link = PahoLink(
        broker,
        client_id="gateway-1",
        lane=lane,
        status_topic="status/gateway-1",
        now=lambda: int(time.time() * 1000),
        deliver=inlet.deliveries.append,
        changed=inlet.news.append,
    )
    link.subscribe([ALL])
    async with asyncio.TaskGroup() as group, opened(link, group):
        await until(lambda: link.connected)
        yield link


@pytest.fixture(params=["3.1.1", "5"])
def broker(request: pytest.FixtureRequest, mosquitto: Mosquitto) -> Broker:
    return Broker(mosquitto.host, mosquitto.port, version=str(request.param))


async def publish(mosquitto: Mosquitto, *bodies: bytes, topic: str = "hall/x", retain: bool = False) -> None:
    for body in bodies:
        await asyncio.to_thread(mosquitto.publish, topic, body, retain=retain)


async def test_what_is_not_acknowledged_comes_again(broker: Broker, mosquitto: Mosquitto) -> None:
    first, second, third = Inlet(), Inlet(), Inlet()
    async with linked(broker, first) as link:
        await publish(mosquitto, b"1", b"2", b"3")
        await until(lambda: len(first.deliveries) == 3)
        link.acknowledge(first.deliveries[:1])
        await asyncio.sleep(0.2)
    async with linked(broker, second) as link:
        await until(lambda: len(second.deliveries) == 2)
        link.acknowledge(second.deliveries)
        await asyncio.sleep(0.2)
    async with linked(broker, third):
        await asyncio.sleep(0.5)
    assert second.payloads() == [b"2", b"3"]
    assert all(delivery.packet.dup for delivery in second.deliveries)
    assert third.payloads() == []


async def test_messages_wait_while_we_are_away(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(broker, Inlet()):
        pass
    await publish(mosquitto, b"while away")
    async with linked(broker, inlet):
        await until(lambda: bool(inlet.deliveries))
    assert inlet.payloads() == [b"while away"]
    assert inlet.news[0] == LinkNews(Lane.TELEMETRY, up=True, missed=False)


async def test_a_lost_session_is_said(broker: Broker) -> None:
    inlet = Inlet()
    async with linked(broker, inlet):
        pass
    assert inlet.news[0].missed


async def test_reading_stops_at_the_limit_and_goes_on(mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    broker = Broker(mosquitto.host, mosquitto.port, max_unacknowledged=10)
    async with linked(broker, inlet) as link:
        await publish(mosquitto, *(b"%d" % number for number in range(30)))
        await until(lambda: len(inlet.deliveries) >= 10)
        await asyncio.sleep(0.5)
        assert len(inlet.deliveries) == 10
        for taken in range(30):
            await until(functools.partial(lambda place: len(inlet.deliveries) > place, taken))
            link.acknowledge(inlet.deliveries[taken : taken + 1])
    assert inlet.payloads() == [b"%d" % number for number in range(30)]


async def test_a_pause_longer_than_the_keepalive_loses_nothing(mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    broker = Broker(mosquitto.host, mosquitto.port, max_unacknowledged=2, keepalive_s=5)
    async with linked(broker, inlet) as link:
        await publish(mosquitto, b"a", b"b", b"c")
        await until(lambda: len(inlet.deliveries) == 2)
        await asyncio.sleep(9)
        link.acknowledge(inlet.deliveries[:2])
        await until(lambda: b"c" in inlet.payloads())
    assert set(inlet.payloads()) == {b"a", b"b", b"c"}


async def test_an_acknowledgement_of_an_older_connection_is_dropped(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(broker, inlet) as link:
        await publish(mosquitto, b"old")
        await until(lambda: bool(inlet.deliveries))
        await asyncio.to_thread(mosquitto.restart)
        await until(lambda: len(inlet.deliveries) == 2)
        link.acknowledge(inlet.deliveries[:1])
        await asyncio.sleep(0.2)
    again = Inlet()
    async with linked(broker, again):
        await until(lambda: bool(again.deliveries))
    assert again.payloads() == [b"old"]


async def test_reconnects_and_resubscribes_when_the_broker_comes_back(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(broker, inlet) as link:
        await asyncio.to_thread(mosquitto.stop)
        await until(lambda: not link.connected)
        for file in mosquitto.folder.glob("mosquitto.db*"):
            file.unlink()
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: link.connected)
        await publish(mosquitto, b"after")
        await until(lambda: bool(inlet.deliveries))
    assert [(news.up, news.missed) for news in inlet.news] == [(True, True), (False, False), (True, True)]


async def test_own_status_is_birth_and_last_will(broker: Broker, mosquitto: Mosquitto) -> None:
    watcher = Inlet()
    watch = PahoLink(
        broker,
        client_id="watcher",
        lane=Lane.SAFETY,
        status_topic="status/watcher",
        now=lambda: 0,
        deliver=watcher.deliveries.append,
        changed=watcher.news.append,
    )
    watch.subscribe([Subscription("status/gateway-1", Lane.SAFETY)])
    async with asyncio.TaskGroup() as group, opened(watch, group):
        async with linked(broker, Inlet()):
            await until(lambda: b'{"online":true}' in watcher.payloads())
        await until(lambda: watcher.payloads()[-1] == b'{"online":false}')
    assert mosquitto.process.running


async def test_retained_is_marked_and_other_lanes_are_not_subscribed(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    await publish(mosquitto, b"kept", retain=True)
    async with linked(broker, inlet) as link:
        await until(lambda: bool(inlet.deliveries))
        assert inlet.deliveries[0].packet.retained
        link.subscribe([Subscription("other/#", Lane.TELEMETRY), Subscription("hall/#", Lane.SAFETY)])
        await asyncio.sleep(0.2)
        await publish(mosquitto, b"not ours")
        await publish(mosquitto, b"ours", topic="other/y")
        await until(lambda: len(inlet.deliveries) == 2)
    assert inlet.payloads() == [b"kept", b"ours"]


async def test_password_and_tls(make_mosquitto: MosquittoMaker) -> None:
    server = make_mosquitto(login=Login("gateway", "s3cret"), tls=True)
    assert server.tls_port is not None
    inlet = Inlet()
    context = ssl.create_default_context(cafile=str(server.ca_file))
    broker = Broker(server.host, server.tls_port, username="gateway", password="s3cret", tls=context)
    async with linked(broker, inlet):
        await publish(server, b"sealed")
        await until(lambda: bool(inlet.deliveries))
    assert inlet.payloads() == [b"sealed"]


async def test_a_wrong_password_is_tried_again_and_never_linked(make_mosquitto: MosquittoMaker) -> None:
    server = make_mosquitto(login=Login("gateway", "right"))
    inlet = Inlet()
    link = PahoLink(
        Broker(server.host, server.port, username="gateway", password="wrong"),
        client_id="gateway-1",
        lane=Lane.SAFETY,
        status_topic="status/gateway-1",
        now=lambda: 0,
        deliver=inlet.deliveries.append,
        changed=inlet.news.append,
    )
    async with asyncio.TaskGroup() as group, opened(link, group):
        await asyncio.sleep(2)
        assert not link.connected
    assert inlet.news == []
