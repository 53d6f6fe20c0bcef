"""The link's contract, kept by both links on a real Mosquitto: acknowledged by hand, redelivered if not, and so on."""

import asyncio
import functools
import ssl
from dataclasses import replace

import pytest

from gateway.link.contract import Broker, LinkNews
from gateway.link.session import opened
from sensors.decode.family import Subscription
from sensors.inputs import Lane
from tests.gateway.link.sessions import Inlet, link_to, linked, until
from tests.servers.fixtures import MosquittoMaker
from tests.servers.mosquitto import Login, Mosquitto


@pytest.fixture(params=["3.1.1", "5"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def broker(version: str, mosquitto: Mosquitto) -> Broker:
    return Broker(mosquitto.host, mosquitto.port, version=version)


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


async def test_reading_stops_at_the_limit_and_goes_on(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(replace(broker, max_unacknowledged=10), inlet) as link:
        await publish(mosquitto, *(b"%d" % number for number in range(30)))
        await until(lambda: len(inlet.deliveries) >= 10)
        await asyncio.sleep(0.5)
        assert len(inlet.deliveries) == 10
        for taken in range(30):
            await until(functools.partial(lambda place: len(inlet.deliveries) > place, taken))
            link.acknowledge(inlet.deliveries[taken : taken + 1])
    assert inlet.payloads() == [b"%d" % number for number in range(30)]


async def test_a_pause_longer_than_the_keepalive_loses_nothing(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(replace(broker, max_unacknowledged=2, keepalive_s=5), inlet) as link:
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
    watcher, own = Inlet(), Subscription("status/gateway-1", Lane.SAFETY)
    async with linked(broker, watcher, subscription=own, client_id="watcher"):
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


async def test_password_and_tls(make_mosquitto: MosquittoMaker, version: str) -> None:
    server = make_mosquitto(login=Login("gateway", "s3cret"), tls=True)
    assert server.tls_port is not None
    inlet = Inlet()
    context = ssl.create_default_context(cafile=str(server.ca_file))
    broker = Broker(server.host, server.tls_port, version, username="gateway", password="s3cret", tls=context)
    async with linked(broker, inlet):
        await publish(server, b"sealed")
        await until(lambda: bool(inlet.deliveries))
    assert inlet.payloads() == [b"sealed"]


async def test_a_wrong_password_is_tried_again_and_never_linked(make_mosquitto: MosquittoMaker, version: str) -> None:
    server = make_mosquitto(login=Login("gateway", "right"))
    inlet = Inlet()
    broker = Broker(server.host, server.port, version, username="gateway", password="wrong")
    link = link_to(broker, inlet, lane=Lane.SAFETY)
    async with asyncio.TaskGroup() as group, opened(link, group):
        await asyncio.sleep(2)
        assert not link.connected
    assert inlet.news == []


async def test_reading_stops_at_so_many_bytes_and_goes_on(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(replace(broker, max_unacknowledged_bytes=25_000), inlet) as link:
        await publish(mosquitto, *(b"%d" % number * 10_000 for number in range(6)))
        await inlet.count(3)
        await asyncio.sleep(0.5)
        assert len(inlet.deliveries) == 3
        link.acknowledge(inlet.deliveries[:3])
        await inlet.count(6)
    assert inlet.payloads() == [b"%d" % number * 10_000 for number in range(6)]


async def test_every_publish_is_counted_once_where_it_is_parsed(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(broker, inlet) as link:
        await publish(mosquitto, b"1", b"2")
        await inlet.count(2)
        assert link.received == 2
        await asyncio.to_thread(mosquitto.restart)
        await inlet.count(4)
        assert link.received == 4


async def test_a_life_publication_is_not_marked_as_retained(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(broker, inlet) as link:
        await until(link.subscribed.is_set)
        await publish(mosquitto, b"now", retain=True)
        await inlet.count(1)
        assert not inlet.deliveries[0].packet.retained


async def test_an_announcement_returns_when_the_broker_has_it(broker: Broker) -> None:
    watcher, signs = Inlet(), Subscription("signs/#", Lane.SAFETY)
    async with (
        linked(broker, watcher, subscription=signs, client_id="watcher") as watch,
        linked(broker, Inlet()) as link,
    ):
        await until(watch.subscribed.is_set)
        await asyncio.gather(*(link.announce("signs/1", b"%d" % number) for number in range(200)))
        await watcher.count(200)
    assert watcher.payloads() == [b"%d" % number for number in range(200)]


async def test_an_announcement_without_a_broker_fails(broker: Broker, mosquitto: Mosquitto) -> None:
    async with linked(broker, Inlet()) as link:
        await asyncio.to_thread(mosquitto.stop)
        await until(lambda: not link.connected)
        with pytest.raises(OSError, match="not linked"):
            await link.announce("signs/1", b"x")


async def test_what_is_published_while_the_broker_is_away_comes_when_it_is_back(
    broker: Broker, mosquitto: Mosquitto
) -> None:
    async with linked(broker, Inlet()) as link:
        await asyncio.to_thread(mosquitto.stop)
        await until(lambda: not link.connected)
        link.publish("signs/1", b"kept for it", retain=True)
        await asyncio.to_thread(mosquitto.start)
        watcher, signs = Inlet(), Subscription("signs/#", Lane.SAFETY)
        async with linked(broker, watcher, subscription=signs, client_id="watcher"):
            await watcher.count(1)
    assert watcher.payloads() == [b"kept for it"]


async def test_many_filters_are_all_held(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    link = link_to(broker, inlet)
    link.subscribe([Subscription(f"hall/{number}", Lane.TELEMETRY) for number in range(350)])
    async with asyncio.TaskGroup() as group, opened(link, group):
        await until(link.subscribed.is_set)
        for number in (0, 99, 100, 349):
            await publish(mosquitto, b"%d" % number, topic=f"hall/{number}")
        await inlet.count(4)
    assert inlet.refused == []


async def test_a_message_of_a_megabyte_is_delivered_whole(broker: Broker, mosquitto: Mosquitto) -> None:
    inlet = Inlet()
    async with linked(broker, inlet):
        await publish(mosquitto, b"x" * 2**20, b"behind it")
        await inlet.count(2)
    assert inlet.payloads() == [b"x" * 2**20, b"behind it"]


async def test_another_who_takes_our_name_is_not_fought_at_full_speed(broker: Broker) -> None:
    inlet = Inlet()
    async with linked(broker, inlet) as link, linked(broker, Inlet()):
        await until(lambda: not link.connected)
        await asyncio.sleep(3)
    # Each of the two throws the other out; without a growing pause this is at least eight times in three seconds.
    assert len([news for news in inlet.news if news.up]) < 8
