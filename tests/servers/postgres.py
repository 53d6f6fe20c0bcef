"""A real PostgreSQL: one server for the whole test run, a database of its own for each test."""

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

import psycopg
from psycopg import sql

from tests.servers.find import free_port, postgres_program
from tests.servers.process import Process

USER = "hallwatch"
# PostgreSQL refuses to run as root; the Debian package brings this user.
ACCOUNT = "postgres"


@dataclass(frozen=True, slots=True)
class Database:
    """One empty database, and the server behind it for tests that take it away."""

    server: "Postgres"
    name: str

    @property
    def url(self) -> str:
        """What `open_store` and `hallwatch run --store` take, password included."""
        return self.server.url(self.name)

    def connect(self) -> psycopg.Connection:
        """A connection of the test's own, each statement its own transaction."""
        return psycopg.connect(self.url, autocommit=True)


class Postgres:
    """One server with its own folder and loopback port; everything it has promised is on its disk."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        # Not below pytest's folder, into which nobody but the test's own user may look.
        self.folder = Path(mkdtemp(prefix="hallwatch-postgres-"))
        self.port = free_port()
        self.password = secrets.token_hex(16)
        self._own: list[str | Path] = []
        self.own(self.folder)
        if os.geteuid() == 0:
            entry = pwd.getpwnam(ACCOUNT)
            self._own = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--"]
        self._make_cluster()
        command: list[str | Path] = [
            *self._own,
            postgres_program("postgres"),
            "-D",
            self.folder / "data",
            "-p",
            str(self.port),
        ]
        command += ["-h", self.host, "-k", self.folder, "-c", "fsync=on", "-c", "max_connections=100"]
        log = self.folder / "postgres.log"
        self.process = Process(command, log, self._answers, stop_signal=signal.SIGINT)

    def own(self, folder: Path) -> None:
        """Give a folder to the account that the server runs by."""
        if os.geteuid() == 0:
            entry = pwd.getpwnam(ACCOUNT)
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    def _make_cluster(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password, encoding="ascii")
        secret.chmod(0o644)
        basics = [*self._own, postgres_program("initdb"), "-D", self.folder / "data", "--no-sync", "--no-instructions"]
        words = ["--encoding=UTF8", "--locale=C.UTF-8", f"--username={USER}", "--auth=scram-sha-256"]
        made = subprocess.run(
            [*basics, *words, f"--pwfile={secret}"], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            raise RuntimeError(made.stderr)

    def url(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://{USER}:{self.password}@{self.host}:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        """Start, or start again on the same port and folder; returns when it answers."""
        self.process.start()

    def stop(self) -> None:
        """Cut every client off, write everything down and end."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a power cut would: the server and the process of each connection."""
        family = self._family()
        for pid in family:
            _signal(pid, signal.SIGKILL)
        self.process.kill()

    def pause(self) -> None:
        """The server still holds its port and its connections, and answers nobody."""
        for pid in self._family():
            _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        for pid in self._family():
            _signal(pid, signal.SIGCONT)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def _family(self) -> list[int]:
        if not self.process.running:
            return []
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [pid, *map(int, children.split())]

    def create_database(self, name: str, *, template: str = "template0") -> Database:
        """A new database: empty, or a copy of another that nobody is connected to."""
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._tell(made.format(sql.Identifier(name), sql.Identifier(template)))
        return Database(self, name)

    def drop_database(self, database: Database) -> None:
        """Remove a database, whoever is still connected to it."""
        self._tell(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name)))

    def _tell(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def revive(self) -> None:
        """Running, whatever a test did to it."""
        if self.process.running:
            self.resume()
        else:
            self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.revive()
        self.stop()
        shutil.rmtree(self.folder)


def database_name(nodeid: str) -> str:
    """A name for the database of a test: PostgreSQL keeps 63 bytes of it."""
    return re.sub(r"\W+", "_", nodeid)[-40:] + "_" + secrets.token_hex(4)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
