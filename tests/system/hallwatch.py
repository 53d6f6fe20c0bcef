"""The real gateway as a child process: `hallwatch run`, its data, its API over the Unix socket."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

import aiohttp

from tests.servers.process import Process


class RefusalError(AssertionError):
    """The API answered with an error; `problem` is its body."""

    def __init__(self, status: int, problem: object) -> None:
        super().__init__(f"{status} {problem}")
        self.status = status
        self.problem = problem


class Hallwatch:
    """One gateway over a folder: started, killed and started again on the same data."""

    def __init__(
        self, folder: Path, site: str, environment: Mapping[str, str] | None = None, *, speed: float = 1.0
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.site_file = folder / "site.yaml"
        self.site_file.write_text(site, encoding="utf-8")
        # A Unix socket's path is short by law, and pytest's folders are not.
        self.socket = Path(mkdtemp(prefix="hallwatch-")) / "s"
        self.environment = dict(environment or {})
        run = ["dashboard.cli.main", "run"] if speed == 1 else ["tests.system.fast", "--speed", str(speed)]
        command = [sys.executable, "-m", *run, "--site", str(self.site_file)]
        command += ["--data", str(self.data), "--listen", "127.0.0.1:0", "--socket", str(self.socket)]
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        self.process = Process(["/usr/bin/env", *settings, *command], folder / "hallwatch.log", self._ready)

    def _ready(self) -> bool:
        if not self.socket.exists() or self.url_or_none() is None:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def url_or_none(self) -> str | None:
        """The address that the gateway printed at its last start."""
        found = re.findall(r"http://127\.0\.0\.1:\d+", self.log())
        return found[-1] if found else None

    @property
    def url(self) -> str:
        """The page's address."""
        address = self.url_or_none()
        assert address is not None, self.log()
        return address

    def log(self) -> str:
        """All that the process has said so far."""
        file = self.process.log
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""

    @property
    def store(self) -> Path:
        """The operations store's file."""
        return self.data / "hallwatch.db"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.socket.parent.mkdir(exist_ok=True)
        self.socket.unlink(missing_ok=True)
        self.process.start()

    def kill(self) -> None:
        """As a power cut would end it."""
        self.process.kill()

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        self.process.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.stop()
        self.socket.unlink(missing_ok=True)
        self.socket.parent.rmdir()

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON of many shapes
        """GET of the API, as the local user."""
        return await self._call("GET", path, None)

    async def ask(self, path: str) -> tuple[int, Any]:
        """GET of whatever answers in JSON; its status and body."""
        connector = aiohttp.UnixConnector(str(self.socket))
        async with aiohttp.ClientSession(connector=connector) as session, session.get(f"http://hall{path}") as response:
            return response.status, await response.json()

    async def linked(self) -> None:
        """Wait until both sessions are up: before the first time the broker keeps nothing for us."""
        async with asyncio.timeout(20):
            while True:
                links = (await self.get("/api/v1/status"))["halls"][0]["links"]
                if links and all(links.values()):
                    break
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)  # the SUBSCRIBE that leaves with the CONNACK

    async def account(self) -> dict[str, int]:
        """The account of the first hall: devices' messages by what became of them, without the gateway's own probes."""
        account = (await self.get("/api/v1/status"))["halls"][0]["account"]
        counts = {str(name): count for name, count in account.items() if isinstance(count, int)}
        counts["received"] -= counts.pop("probe")
        return counts

    async def act(self, **action: object) -> list[str]:
        """Do an action, as the local user; returns the ids that it made or changed."""
        answer = await self._call("POST", "/api/v1/actions", action)
        return [str(ref) for ref in answer["refs"]]

    async def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON of many shapes
        """POST to the API, as the local user."""
        return await self._call("POST", path, body)

    async def _call(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401
        connector = aiohttp.UnixConnector(str(self.socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"http://localhost{path}", json=body) as response,
        ):
            text = await response.text()
            data = json.loads(text) if text else None
            if response.status >= 400:
                raise RefusalError(response.status, data)
            return data
