"""Mosquitto as `deploy/mosquitto` ships it: only its folders and ports are moved into the test's."""

import os
import ssl
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import aiomqtt
import trustme

from tests.servers.find import free_port, listening, program
from tests.servers.process import Process

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
PASSWORD = "a word for a second"
# For tests alone: hears and says everything, what nobody else may too.
OBSERVER = "observer"
_OBSERVED = f"\nuser {OBSERVER}\ntopic readwrite #\ntopic read $SYS/#\n"


class ShippedBroker:
    """The broker with its three doors: programs on this machine, programs by TLS, devices by TLS."""

    def __init__(self, folder: Path, devices: Iterable[str], changed: dict[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.programs, self.programs_tls, self.devices = free_port(), free_port(), free_port()
        self.ca_file = folder / "ca.pem"
        self.disk_file = folder / "mosquitto.db"
        moved = (SHIPPED / "hallwatch.conf").read_text("utf-8")
        for there, here in {
            "/var/lib/mosquitto/": f"{folder}/",
            "/etc/mosquitto/certs": str(folder),
            "/etc/mosquitto/": f"{folder}/",
            "listener 1883 ": f"listener {self.programs} ",
            "listener 8884": f"listener {self.programs_tls} 127.0.0.1",
            "listener 8883": f"listener {self.devices} 127.0.0.1",
            **(changed or {}),
        }.items():
            assert there in moved, there
            moved = moved.replace(there, here)
        moved += "user root\n" if os.geteuid() == 0 else ""
        config, rules = folder / "mosquitto.conf", folder / "hallwatch.acl"
        config.write_text(moved, "utf-8")
        rules.write_text((SHIPPED / "hallwatch.acl").read_text("utf-8") + _OBSERVED, "utf-8")
        rules.chmod(0o600)
        self._certificates(folder)
        _users(folder / "hallwatch.programs.passwd", ("gateway", "zigbee2mqtt", OBSERVER))
        _users(folder / "hallwatch.devices.passwd", devices)
        server = program("mosquitto", "mosquitto")
        self.process = Process([server, "-c", config], folder / "log", lambda: listening(self.devices))

    def _certificates(self, folder: Path) -> None:
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(self.ca_file))
        server.private_key_pem.write_to_path(str(folder / "server.key"))
        server.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))

    @property
    def trust(self) -> ssl.SSLContext:
        """TLS that trusts the broker's authority and no other."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def program(self, user: str, client_id: str | None = None, *, persistent: bool = False) -> aiomqtt.Client:
        """A program on this machine that logs in as this user."""
        return self.client(self.programs, user, client_id, persistent=persistent)

    def device(self, user: str, client_id: str | None = None) -> aiomqtt.Client:
        """A device that logs in as this user, by TLS."""
        return self.client(self.devices, user, client_id, tls=self.trust)

    def client(
        self,
        port: int,
        user: str | None,
        client_id: str | None = None,
        *,
        password: str = PASSWORD,
        tls: ssl.SSLContext | None = None,
        persistent: bool = False,
    ) -> aiomqtt.Client:
        """A client at one of the doors."""
        return aiomqtt.Client(
            "127.0.0.1",
            port,
            username=user,
            password=None if user is None else password,
            identifier=client_id,
            clean_session=not persistent,
            tls_context=tls,
            max_queued_outgoing_messages=0,
        )

    def __enter__(self) -> Self:
        self.process.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.stop()


def _users(file: Path, names: Iterable[str]) -> None:
    maker = program("mosquitto_passwd", "mosquitto")
    file.touch(0o600)
    for user in names:
        subprocess.run([maker, "-b", file, user, PASSWORD], check=True)
