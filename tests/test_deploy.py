"""The shipped broker configuration does what it says: started as it is, with its folders moved into the test's."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest
import trustme

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
    own, forged = "hallwatch/v1/h1/safety/smoke-1/fire", "hallwatch/v1/h1/safety/smoke-2/fire"
    async with asyncio.timeout(10), broker.client("gateway") as gateway, broker.client("smoke-1") as device:
        await gateway.subscribe("hallwatch/v1/h1/safety/#", qos=1)
        await device.publish(forged, b"forged", qos=1)
        await device.publish(own, b"own", qos=1)
        message = await anext(aiter(gateway.messages))
    assert (str(message.topic), message.payload) == (own, b"own")


async def test_nobody_without_a_password_gets_in(broker: ShippedBroker) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authorized|[Nn]ot authorised"):
        async with aiomqtt.Client("127.0.0.1", broker.port):
            pass


async def test_a_device_hears_its_own_commands_and_no_others(broker: ShippedBroker) -> None:
    mine, others = "hallwatch/v1/h1/command/smoke-1/test", "hallwatch/v1/h1/command/smoke-2/test"
    async with asyncio.timeout(10), broker.client("smoke-1") as device, broker.client("gateway") as gateway:
        await device.subscribe("hallwatch/v1/h1/command/#", qos=1)
        await gateway.publish(others, b"2", qos=1)
        await gateway.publish(mine, b"1", qos=1)
        message = await anext(aiter(device.messages))
    assert str(message.topic) == mine
