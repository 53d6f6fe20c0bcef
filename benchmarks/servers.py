"""The real servers that are measured: Mosquitto, InfluxDB and `hallwatch run`, each a process of its own."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks.hall import HALL, INFLUX_TOKEN, Servers, site_text
from benchmarks.plan import NotMeasuredError
from dashboard.cli.stores import ENVIRONMENT
from tests.servers.find import free_port
from tests.servers.influx import InfluxBucket, Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import Process

RUN = ("-m", "dashboard.cli.main", "run")
# The broker writes its disk file whole each time, with all that is queued: after each change that is most of its work.
EACH_SECOND = "autosave_on_changes false\nautosave_interval 1"
SELDOM = "autosave_on_changes false\nautosave_interval 1800"
EACH_CHANGE = "autosave_on_changes true\nautosave_interval 1"
LINKED_WITHIN_S = 20.0
LOOK_S = 0.05
# Where a process's times stand behind its name, which may hold spaces: utime, stime, cutime, cstime of proc(5).
TIMES = slice(11, 15)
OWN = 2
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU that a process has used so far, s, with all its threads; exact to a tick of the kernel (10 ms)."""
    return sum(_ticks(Path(f"/proc/{pid}/stat"))[:OWN]) / TICKS


def _ticks(stat: Path) -> list[int]:
    """User and system time, and those of children that have ended."""
    fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return [int(field) for field in fields[TIMES]]


def loop_cpu_s(pid: int) -> float:
    """CPU of a process's first thread alone, s: a gateway's event loop, without the store's threads."""
    return sum(_ticks(Path(f"/proc/{pid}/task/{pid}/stat"))[:OWN]) / TICKS


def family_cpu_s(pid: int) -> float:
    """CPU that a process and its children have used so far, s, with those that have ended."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    used = sum(_ticks(Path(f"/proc/{pid}/stat")))
    for child in children:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            used += sum(_ticks(Path(f"/proc/{child}/stat")))
    return used / TICKS


def memory_mb(pid: int) -> float:
    """Memory that a process holds, MiB (resident set)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.contextmanager
def need_servers() -> Any:  # noqa: ANN401 - a context manager's type, told by its decorator
    """The tests' servers skip a test where a program is missing; here it is a case that cannot be measured."""
    try:
        yield
    except pytest.skip.Exception as missing:
        raise NotMeasuredError(str(missing)) from missing


def broker(folder: Path, *, config: str = EACH_SECOND) -> Mosquitto:
    """A Mosquitto that lets everybody in; a context manager. `config` stands last and wins."""
    with need_servers():
        return Mosquitto(folder / "mosquitto", config=config)


def influxd(folder: Path) -> Influxd:
    """An InfluxDB 2.7; a context manager."""
    with need_servers():
        return Influxd(folder / "influxd")


def of_bucket(bucket: InfluxBucket) -> dict[str, str]:
    """What a site file says of a bucket."""
    return {"url": bucket.url, "org": bucket.org, "bucket": bucket.name}


@dataclass(frozen=True, slots=True)
class Status:
    """What a gateway says of its one hall."""

    received: int
    stored: int
    behind: int
    linked: bool
    runs: int


class Gateway:
    """`hallwatch run` over a folder of its own; `token` is the one of InfluxDB where the site names it."""

    def __init__(
        self,
        folder: Path,
        servers: Servers | str,
        *,
        store: str,
        token: str = "",
        profile: Path | None = None,
    ) -> None:
        """`servers` are those of the bench's own hall, or a whole site file; `store` is a URL."""
        folder.mkdir(parents=True, exist_ok=True)
        self.store = store
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # A Unix socket's path has at most 107 bytes, so it does not lie beside the data.
        self._room = tempfile.TemporaryDirectory(prefix="hw-")
        self._socket = Path(self._room.name) / "s"
        site = folder / "site.yaml"
        text = servers if isinstance(servers, str) else site_text(servers)
        site.write_text(text, encoding="utf-8")
        # By the environment: the command refuses a password on its line.
        python = ["/usr/bin/env", f"{INFLUX_TOKEN}={token}", f"{ENVIRONMENT}={store}", sys.executable]
        python += ["-m", "cProfile", "-o", str(profile)] if profile else []
        places = ["--site", str(site), "--data", str(folder / "data"), "--listen", f"127.0.0.1:{self.port}"]
        places += ["--socket", str(self._socket), "--log", "warning"]
        self.process = Process([*python, *RUN, *places], folder / "gateway.log", self.answers)
        self._session: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    def answers(self) -> bool:
        """Whether it takes connections."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    @asynccontextmanager
    async def running(self, *, orderly: bool = False) -> AsyncIterator["Gateway"]:
        """Started and linked to its broker while the block runs. `orderly`: ended by SIGTERM, else killed."""
        try:
            await asyncio.to_thread(self.process.start)
        except RuntimeError as error:
            raise NotMeasuredError(str(error)) from error
        try:
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self._socket))) as session:
                self._session = session
                await self.until(lambda status: status.linked, LINKED_WITHIN_S, "linked to the broker")
                yield self
        finally:
            await asyncio.to_thread(self.process.stop if orderly else self.process.kill)
            self._session = None
            self._room.cleanup()

    async def status(self) -> Status:
        """How it stands."""
        hall = (await self._call("GET", "/api/v1/status", None))["halls"][0]
        account, links = hall["account"], hall["links"]
        linked = len(links) > 1 and all(links.values())
        return Status(account["received"], account["stored"], hall["history_behind"], linked, hall["runs"])

    async def runs(self) -> list[dict[str, Any]]:
        """The plans' runs under way."""
        found: list[dict[str, Any]] = (await self._call("GET", "/api/v1/runs?open=1", None))["items"]
        return found

    async def act(self, **action: object) -> None:
        """Do something as the person who runs it."""
        await self._call("POST", f"/api/v1/actions?hall={HALL}", action)

    async def until(self, holds: Any, within_s: float, what: str) -> float:  # noqa: ANN401
        """Look until a status holds; returns when it did, on the monotonic clock. Raises `NotMeasuredError`."""
        end = time.monotonic() + within_s
        while not holds(status := await self.status()):
            if time.monotonic() > end:
                raise NotMeasuredError(f"the gateway was not {what} within {within_s:.0f} s: {status}")
            await asyncio.sleep(LOOK_S)
        return time.monotonic()

    async def _call(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        assert self._session is not None
        try:
            async with self._session.request(method, f"http://localhost{path}", json=body) as response:
                text = await response.text()
                if not response.ok:
                    raise NotMeasuredError(f"{method} {path}: {response.status} {text[:300]}")
                return json.loads(text)
        except aiohttp.ClientError as error:
            raise NotMeasuredError(f"the gateway is gone: {error}\n{self.process.last_words()}") from error


def version_of(*command: str) -> str:
    """The first line of what a program says of its version; empty where it is missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return ""
    return (done.stdout or done.stderr).partition("\n")[0]
