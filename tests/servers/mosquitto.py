"""A real Mosquitto for a test: own port, own folder, and a disk file that keeps what it has promised."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import trustme

from tests.servers.find import free_port, listening, program
from tests.servers.process import Process


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the broker."""

    username: str
    password: str


class Mosquitto:
    """One broker. With `login` nobody else gets in; `acl` is an access file's text; `tls` adds a TLS port.

    `config` is appended to the configuration as it is, for the settings that only one test wants.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        folder: Path,
        *,
        login: Login | None = None,
        acl: str | None = None,
        tls: bool = False,
        config: str = "",
    ) -> None:
        binary = program("mosquitto", "mosquitto")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.login = login
        self.port = free_port()
        self.tls_port = free_port() if tls else None
        self.ca_file = folder / "ca.pem"
        lines = [
            *self._basics(),
            *self._access(acl),
            f"listener {self.port} {self.host}",
            *self._tls(),
            config,
            "",
        ]
        file = folder / "mosquitto.conf"
        file.write_text("\n".join(lines), encoding="utf-8")
        self.process = Process([binary, "-c", file], folder / "mosquitto.log", lambda: listening(self.port))

    def _basics(self) -> Iterator[str]:
        # Without these three a crash of the broker forgets sessions and what it holds for them.
        yield from ("persistence true", f"persistence_location {self.folder}/", "autosave_on_changes true")
        yield from ("autosave_interval 1", "max_queued_messages 1000000", "max_inflight_messages 1000")
        yield from ("set_tcp_nodelay true", "log_dest stdout", "connection_messages true", "sys_interval 1")
        if os.geteuid() == 0:
            yield "user root"

    def _access(self, acl: str | None) -> Iterator[str]:
        yield f"allow_anonymous {'false' if self.login else 'true'}"
        if self.login:
            users = self.folder / "users"
            maker = program("mosquitto_passwd", "mosquitto")
            subprocess.run([maker, "-c", "-b", users, self.login.username, self.login.password], check=True)
            yield f"password_file {users}"
        if acl is not None:
            rules = self.folder / "acl"
            rules.write_text(acl + "\n", encoding="utf-8")
            rules.chmod(0o600)
            yield f"acl_file {rules}"

    def _tls(self) -> Iterator[str]:
        if self.tls_port is None:
            return
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1", "localhost")
        authority.cert_pem.write_to_path(str(self.ca_file))
        server.private_key_pem.write_to_path(str(self.folder / "key.pem"))
        server.cert_chain_pems[0].write_to_path(str(self.folder / "cert.pem"))
        yield f"listener {self.tls_port} {self.host}"
        yield f"certfile {self.folder / 'cert.pem'}"
        yield f"keyfile {self.folder / 'key.pem'}"

    def start(self) -> None:
        """Start, or start again on the same port with what the disk file kept."""
        self.process.start()

    def stop(self) -> None:
        """An orderly end: the broker writes everything down first."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a power cut would.

        It acknowledges before it writes: what came in its loop's last turn is lost, what came before is kept.
        """
        self.process.kill()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def publish(self, topic: str, payload: str | bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish with `mosquitto_pub`, a program that shares no code with ours."""
        client = program("mosquitto_pub", "mosquitto-clients")
        command = [str(client), "-h", self.host, "-p", str(self.port), "-q", str(qos), "-t", topic, "-s"]
        if self.login:
            command += ["-u", self.login.username, "-P", self.login.password]
        body = payload.encode() if isinstance(payload, str) else payload
        subprocess.run([*command, "-r"] if retain else command, input=body, check=True, timeout=10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
