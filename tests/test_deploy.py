"""The shipped broker configuration does what it says: started as it is, with its folders moved into the test's."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest
import trustme

from sensors.readings import Kind
from sensors.topics import (
    TopicClass,
    availability_topic,
    class_filter,
    device_topic,
    gateway_status_topic,
    notice_topic,
)
from tests.servers.find import free_port, listening, program
from tests.servers.process import Process

SHIPPED = Path(__file__).resolve().parent.parent / "deploy" / "mosquitto"
PASSWORD = "for a second"


class ShippedBroker:
    """Mosquitto with deploy/mosquitto, and three users: the gateway and two devices."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        moved = (SHIPPED / "hallwatch.conf").read_text("utf-8")
        for there, here in {
            "/var/lib/mosquitto/": f"{folder}/",
            "/etc/mosquitto/certs": str(folder),
            "/etc/mosquitto/hallwatch.passwd": str(folder / "passwd"),
            "/etc/mosquitto/hallwatch.acl": str(folder / "acl"),
            "listener 1883 ": f"listener {self.port} ",
            "listener 8883": f"listener {free_port()} 127.0.0.1",
        }.items():
            assert there in moved, there
            moved = moved.replace(there, here)
        moved += "user root\n" if os.geteuid() == 0 else ""
        config = folder / "mosquitto.conf"
        config.write_text(moved, "utf-8")
        (folder / "acl").write_text((SHIPPED / "hallwatch.acl").read_text("utf-8"), "utf-8")
        (folder / "acl").chmod(0o600)
        self._certificates(folder)
        self._users(folder / "passwd")
        server = program("mosquitto", "mosquitto")
        self.process = Process([server, "-c", config], folder / "log", lambda: listening(self.port))

    def _certificates(self, folder: Path) -> None:
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        server.private_key_pem.write_to_path(str(folder / "server.key"))
        server.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))

    def _users(self, file: Path) -> None:
        maker = program("mosquitto_passwd", "mosquitto")
        file.touch(0o600)
        for user in ("gateway", "smoke-1", "smoke-2"):
            subprocess.run([maker, "-b", file, user, PASSWORD], check=True)

    def client(self, user: str) -> aiomqtt.Client:
        """A client that logs in as this user."""
        return aiomqtt.Client("127.0.0.1", self.port, username=user, password=PASSWORD)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ShippedBroker]:
    """The broker, running."""
    shipped = ShippedBroker(tmp_path)
    shipped.process.start()
    yield shipped
    shipped.process.stop()


async def test_a_device_speaks_in_its_own_name_only(broker: ShippedBroker) -> None:
    own, forged = (device_topic("h1", device, Kind.FIRE) for device in ("smoke-1", "smoke-2"))
    async with asyncio.timeout(10), broker.client("gateway") as gateway, broker.client("smoke-1") as device:
        await gateway.subscribe(class_filter("h1", TopicClass.SAFETY), qos=1)
        await device.publish(forged, b"forged", qos=1)
        await gateway.publish(own, b"forged", qos=1)
        await device.publish(own, b"own", qos=1)
        message = await anext(aiter(gateway.messages))
    assert (str(message.topic), message.payload) == (own, b"own")


async def test_a_device_tells_the_gateway_that_it_is_there(broker: ShippedBroker) -> None:
    topic = availability_topic("h1", "smoke-1")
    async with asyncio.timeout(10), broker.client("smoke-1") as device:
        await device.publish(topic, b"{}", qos=1, retain=True)
    async with asyncio.timeout(10), broker.client("gateway") as gateway:
        await gateway.subscribe(class_filter("h1", TopicClass.TELEMETRY), qos=1)
        message = await anext(aiter(gateway.messages))
    assert (str(message.topic), message.retain) == (topic, True)


async def test_nobody_without_a_password_gets_in(broker: ShippedBroker) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authorized|[Nn]ot authorised"):
        async with aiomqtt.Client("127.0.0.1", broker.port):
            pass


async def test_a_sign_hears_notices_and_nothing_of_other_devices(broker: ShippedBroker) -> None:
    notice = notice_topic("h1", "zone-a")
    async with asyncio.timeout(10), broker.client("smoke-1") as sign, broker.client("gateway") as gateway:
        await sign.subscribe("hallwatch/v1/h1/#", qos=1)
        await gateway.publish(gateway_status_topic("h1", "gateway-1"), b"{}", qos=1)
        async with broker.client("smoke-2") as other:
            await other.publish(device_topic("h1", "smoke-2", Kind.BADGE), b"{}", qos=1)
        await gateway.publish(notice, b"{}", qos=1)
        message = await anext(aiter(sign.messages))
    assert str(message.topic) == notice
