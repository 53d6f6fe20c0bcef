"""The shipped broker configuration does what it says: started as it is, and tried from both sides of each rule."""

import asyncio
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from sensors.inputs import Lane
from sensors.readings import Kind
from sensors.topics import (
    TopicClass,
    availability_topic,
    class_filter,
    device_topic,
    gateway_status_topic,
    notice_topic,
    probe_topic,
)
from tests.servers.shipped import OBSERVER, PASSWORD, ShippedBroker
from tests.system.hallwatch import Hallwatch
from tests.system.scene import page
from tests.system.small_site import Parts, small_site

DEVICES = ("smoke-1", "smoke-2", "queue-1")
PATIENCE_S = 30.0
OWN = device_topic("h1", "smoke-1", Kind.FIRE)
LAST_WORD = "end"
# MQTT 3.1.1, clean session, keep-alive 60 s, client id "x".
CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"

# Who may publish where: everything else below is refused.
MAY_SAY = {
    ("smoke-1", OWN),
    ("smoke-1", availability_topic("h1", "smoke-1")),
    ("smoke-2", device_topic("h1", "smoke-2", Kind.FIRE)),
    ("gateway", gateway_status_topic("h1", "gateway-1")),
    *{("gateway", probe_topic("h1", lane.name.lower())) for lane in Lane},
    ("gateway", notice_topic("h1")),
    ("gateway", notice_topic("h1", "zone-a")),
    ("zigbee2mqtt", "zigbee2mqtt/lobby/smoke"),
    ("zigbee2mqtt", "zigbee2mqtt/bridge/state"),
}
PLACES = {topic for _, topic in MAY_SAY} | {
    "hallwatch/v1/h1/telemetry/smoke-1/a/b",
    "hallwatch/v1/h1/safety",
    "hallwatch/v1/h1",
    "hallwatch/v2/h1/safety/smoke-1/fire",
    "smoke-1",
    "$SYS/broker/uptime",
}
# Who hears what of it. Notices are for everybody who has come in.
NATIVE = {topic for topic in PLACES if topic.startswith("hallwatch/v1/")}
ZIGBEE = {topic for topic in PLACES if topic.startswith("zigbee2mqtt/")}
NOTICES = {topic for topic in NATIVE if topic.startswith("hallwatch/v1/h1/notice")}
MAY_HEAR = {
    "smoke-1": NOTICES,
    "gateway": NATIVE | ZIGBEE,
    "zigbee2mqtt": ZIGBEE | NOTICES,
}
EARS = {
    "smoke-1": notice_topic("h1", LAST_WORD),
    "gateway": f"hallwatch/v1/{LAST_WORD}",
    "zigbee2mqtt": f"zigbee2mqtt/{LAST_WORD}",
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ShippedBroker]:
    """The broker, running."""
    with ShippedBroker(tmp_path / "broker", DEVICES) as shipped:
        yield shipped


def as_(broker: ShippedBroker, user: str) -> aiomqtt.Client:
    return broker.device(user) if user in DEVICES else broker.program(user)


async def heard_until(client: aiomqtt.Client, last: str) -> list[tuple[str, bytes]]:
    heard: list[tuple[str, bytes]] = []
    async with asyncio.timeout(PATIENCE_S):
        async for message in client.messages:
            if message.topic.value == last:
                break
            heard.append((message.topic.value, bytes(message.payload)))
    return heard


async def test_each_says_what_is_its_own_and_nothing_else(broker: ShippedBroker) -> None:
    users = ("smoke-1", "smoke-2", "gateway", "zigbee2mqtt")
    async with broker.program(OBSERVER) as observer:
        await observer.subscribe("#", qos=1)
        for user in users:
            async with as_(broker, user) as speaker:
                for topic in sorted(PLACES):
                    await speaker.publish(topic, user.encode(), qos=1)
        await observer.publish(LAST_WORD, b"", qos=1)
        heard = await heard_until(observer, LAST_WORD)
    assert {(payload.decode(), topic) for topic, payload in heard} == MAY_SAY


@pytest.mark.parametrize("user", MAY_HEAR)
async def test_each_hears_what_is_meant_for_it_and_nothing_else(broker: ShippedBroker, user: str) -> None:
    async with broker.program(OBSERVER) as observer, as_(broker, user) as listener:
        # The broker lets everybody subscribe, and delivers what may be read.
        for wide in ("#", "$SYS/#", "hallwatch/v1/+/safety/+/fire"):
            await listener.subscribe(wide, qos=1)
        for topic in sorted(PLACES):
            if not topic.startswith("$"):
                await observer.publish(topic, b"x", qos=1)
        await observer.publish(EARS[user], b"", qos=1)
        heard = await heard_until(listener, EARS[user])
        await observer.subscribe("$SYS/broker/version", qos=1)
        async with asyncio.timeout(PATIENCE_S):
            assert (await anext(aiter(observer.messages))).topic.value == "$SYS/broker/version"
    assert {topic for topic, _ in heard} == MAY_HEAR[user]


async def test_nobody_comes_in_without_his_word_or_by_another_door(broker: ShippedBroker) -> None:
    for port, tls, user, password in (
        (broker.programs, None, None, PASSWORD),
        (broker.programs, None, "gateway", "another word"),
        (broker.programs, None, "smoke-1", PASSWORD),
        (broker.programs_tls, broker.trust, "smoke-1", PASSWORD),
        (broker.devices, broker.trust, None, PASSWORD),
        (broker.devices, broker.trust, "smoke-1", "another word"),
        (broker.devices, broker.trust, "gateway", PASSWORD),
    ):
        with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori[sz]ed"):
            async with broker.client(port, user, tls=tls, password=password):
                pass


async def test_the_doors_to_the_outside_speak_tls_of_today_only(broker: ShippedBroker) -> None:
    for port, user in ((broker.devices, "smoke-1"), (broker.programs_tls, "gateway")):
        async with broker.client(port, user, tls=broker.trust):
            pass
        with pytest.raises(ssl.SSLCertVerificationError):
            await handshake(port, ssl.create_default_context())
        assert await answer_to(broker.programs, CONNECT) == b"\x20\x02\x00\x05", (
            "where TLS is not asked for it is heard"
        )
        assert await answer_to(port, CONNECT) == b"", "whoever speaks in clear is cut off"
        assert await handshake(port, only(broker.trust, ssl.TLSVersion.TLSv1_2)) == "TLSv1.2"
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
            await handshake(port, only(broker.trust, ssl.TLSVersion.TLSv1_1))


async def answer_to(port: int, said: bytes) -> bytes:
    """What the broker answers without TLS, until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read(100)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def only(trust: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    """TLS of just this version; level 0 lets our own side offer what is out of date."""
    trust.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        trust.minimum_version = trust.maximum_version = version
    return trust


async def handshake(port: int, trust: ssl.SSLContext) -> str:
    """Shake hands; returns the version that both speak."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname="127.0.0.1")
    try:
        return str(writer.get_extra_info("ssl_object").version())
    finally:
        writer.close()


async def test_a_device_cannot_take_the_gateways_session(broker: ShippedBroker) -> None:
    """A second client of one id ends the first and its session; a device's id is its login, whatever it says."""
    name = "hallwatch-site-h1-safety"
    async with broker.program("gateway", name, persistent=True) as gateway:
        await gateway.subscribe(class_filter("h1", TopicClass.SAFETY), qos=1)
    async with broker.device("smoke-1", name) as device:
        await device.publish(OWN, b"held", qos=1)
    async with asyncio.timeout(PATIENCE_S), broker.program("gateway", name, persistent=True) as gateway:
        assert (await anext(aiter(gateway.messages))).payload == b"held"
        async with broker.device("smoke-2", name) as device:
            await device.publish(device_topic("h1", "smoke-2", Kind.FIRE), b"beside", qos=1)
        assert (await anext(aiter(gateway.messages))).payload == b"beside"


async def test_a_message_of_more_than_a_mebibyte_is_not_taken(broker: ShippedBroker) -> None:
    async with broker.program("gateway") as gateway:
        await gateway.subscribe(class_filter("h1", TopicClass.SAFETY), qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with broker.device("smoke-1") as device:
                await device.publish(OWN, bytes(2**20), qos=1, timeout=1)
        async with broker.device("smoke-1") as device:
            await device.publish(OWN, bytes(2**20 - 100), qos=1)
        async with asyncio.timeout(PATIENCE_S):
            assert len(bytes((await anext(aiter(gateway.messages))).payload)) == 2**20 - 100


async def test_what_is_held_for_the_gateway_survives_a_crash_of_the_broker(tmp_path: Path) -> None:
    """More than the thousand that Mosquitto would hold by default. It saves each second here, so that nobody waits."""
    sooner = {"autosave_interval 5": "autosave_interval 1"}
    count, there = 1500, availability_topic("h1", "smoke-1")
    with ShippedBroker(tmp_path / "broker", DEVICES, sooner) as broker:
        async with broker.program("gateway", "hall", persistent=True) as gateway:
            await gateway.subscribe("hallwatch/v1/h1/safety/#", qos=1)
        async with broker.device("smoke-1") as device:
            await device.publish(there, b"{}", qos=1, retain=True)
            for start in range(0, count, 100):
                await asyncio.gather(*(device.publish(OWN, b"%d" % n, qos=1) for n in range(start, start + 100)))
        said = broker.disk_file.stat().st_mtime_ns if broker.disk_file.exists() else 0
        async with asyncio.timeout(PATIENCE_S):
            while not broker.disk_file.exists() or broker.disk_file.stat().st_mtime_ns == said:
                await asyncio.sleep(0.05)
        await asyncio.to_thread(broker.process.kill)
        await asyncio.to_thread(broker.process.start)
        async with asyncio.timeout(PATIENCE_S), broker.program("gateway", "hall", persistent=True) as gateway:
            messages = aiter(gateway.messages)
            held = [bytes((await anext(messages)).payload) for _ in range(count)]
            await gateway.subscribe(there, qos=1)
            kept = await anext(messages)
    assert held == [b"%d" % n for n in range(count)]
    assert (kept.topic.value, kept.retain) == (there, True)


async def test_the_gateway_runs_on_it_by_tls_with_its_password_from_a_file(tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text(f"{PASSWORD}\n", "utf-8")
    with ShippedBroker(tmp_path / "broker", DEVICES) as broker:
        login = f"tls: {{ca: {broker.ca_file}}}, username: gateway, password: {{file: {word}}}"
        site = small_site(Parts(broker.programs_tls, watch="{probe_s: 1}")).replace("keepalive_s: 10", login)
        with Hallwatch(tmp_path / "gateway", site) as gateway:
            await gateway.linked()
            async with broker.device("queue-1") as device:
                topic = device_topic("main", "queue-1", Kind.QUEUE)
                await device.publish(topic, b'{"boot":1,"seq":1,"value":{"length":4}}', qos=1)
                await device.publish(topic.replace("queue-1", "smoke-1"), b"forged", qos=1)
            async with broker.program("zigbee2mqtt") as bridge:
                await bridge.publish("zigbee2mqtt/lobby/smoke", b'{"smoke":false,"battery":90}', qos=1)
            async with asyncio.timeout(PATIENCE_S):
                while (account := await gateway.account())["stored"] < 2:
                    await asyncio.sleep(0.05)
            assert account["received"] == 2
            assert (await page(gateway))["service/cards"]["length"] == 4
            async with asyncio.timeout(PATIENCE_S):
                while (await gateway.get("/api/v1/status"))["halls"][0]["account"]["probe"] < 2:
                    await asyncio.sleep(0.1)
            status, ready = await gateway.ask("/readyz")
            assert (status, ready["ready"]) == (200, True)
        assert PASSWORD not in gateway.log()
