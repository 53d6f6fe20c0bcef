"""The peer of `alarm`: Alertmanager, told by HTTP and calling the same webhook.

It has less to do: nothing is kept before the call, no broker and no device stand in front of it.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import aiohttp

from benchmarks.plan import NotMeasuredError
from benchmarks.servers import need_servers
from tests.servers.find import free_port, listening, program
from tests.servers.process import Process

LOST_AFTER_S = 10.0


class Called(Protocol):
    """A webhook that says when it was called about something."""

    url: str

    async def next(self, known: set[str], within_s: float) -> tuple[str, float] | None:
        """What was called about that is not `known`, and when; None if nothing comes."""
        ...


def _configuration(url: str) -> str:
    return f"""
route:
  receiver: hook
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
receivers:
  - name: hook
    webhook_configs:
      - url: {url}
        send_resolved: false
"""


def _settings(folder: Path, url: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "alertmanager.yml"
    settings.write_text(_configuration(url), encoding="utf-8")
    return settings


@asynccontextmanager
async def _running(folder: Path, url: str) -> AsyncIterator[str]:
    with need_servers():
        found = program("prometheus-alertmanager", "prometheus-alertmanager")
    settings = _settings(folder, url)
    port = free_port()
    options = [f"--config.file={settings}", f"--storage.path={folder / 'data'}"]
    options += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    process = Process([found, *options], folder / "alertmanager.log", lambda: listening(port))
    try:
        await asyncio.to_thread(process.start)
    except RuntimeError as error:
        raise NotMeasuredError(str(error)) from error
    try:
        yield f"http://127.0.0.1:{port}/api/v2/alerts"
    finally:
        await asyncio.to_thread(process.stop)


async def alerts(folder: Path, hook: Called, count: int, warm_up: int) -> list[float]:
    """Tell `count` alerts one after the other, each a group of its own.

    Returns ms from telling to the call, of those not lost. Raises `NotMeasuredError`.
    """
    dice = random.Random(count)
    taken: list[float] = []
    known: set[str] = set()
    async with _running(folder, hook.url) as url, aiohttp.ClientSession() as session:
        for number in range(warm_up + count):
            await asyncio.sleep(dice.uniform(0.02, 0.06))
            name = f"smoke-{number}"
            began = time.monotonic()
            async with session.post(url, json=[{"labels": {"alertname": "fire", "device": name}}]) as response:
                if not response.ok:
                    raise NotMeasuredError(f"Alertmanager: {response.status} {await response.text()}")
            called = await hook.next(known, LOST_AFTER_S)
            if called is not None:
                known.add(called[0])
                if number >= warm_up:
                    taken.append((called[1] - began) * 1000)
    return taken
