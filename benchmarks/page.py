"""Case `page`: what open pages cost the gateway, in an ordinary hall (2 messages/s) and in a busy one (10)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product

import aiohttp

from benchmarks.figures import Table
from benchmarks.hall import Servers
from benchmarks.load import load
from benchmarks.plan import NotMeasuredError, Plan, Say
from benchmarks.servers import Gateway, broker, cpu_s
from benchmarks.stores import grounds, turns
from tests.servers.mosquitto import Mosquitto

# The example hall of 61 devices says 2.06 messages a second at ten in the morning.
RATES = {"ordinary": 2, "busy": 10}
PAGES = (0, 1, 50, 200, 1000)
SETTLE_S = 1.5
# A thousand pages take their time to open.
OPENING_S = 60
# A gateway that has just started still has things of its own to do.
STARTED_S = 4.0


@dataclass(slots=True)
class Seen:
    """What all pages have been sent."""

    frames: int = 0
    size: int = 0


async def run(plan: Plan, say: Say) -> Table:
    """Each number of pages in every round, by turns, at one gateway of the round."""
    seconds = 4.0 if plan.quick else 8.0
    said = ", ".join(f"{name}: {rate} messages/s" for name, rate in RATES.items())
    table = Table("page", f"Open pages (WebSocket) of a hall ({said}), {seconds:.0f} s each", "gateway")
    with grounds(plan, table) as stores:
        for number in range(plan.rounds):
            for ground in turns(stores, number):
                folder = plan.folder / f"page-{number}-{ground.name}"
                with broker(folder) as mosquitto:
                    made = Gateway(folder, Servers(mosquitto.port), store=ground.fresh(folder / "data"))
                    async with made.running() as gateway:
                        await asyncio.sleep(STARTED_S)
                        for name, pages in product(RATES, PAGES):
                            label = ground.row(f"{name}, {pages} pages" if pages != 1 else f"{name}, 1 page")
                            say(f"round {number + 1}: {label}")
                            await _pages(table, label, mosquitto, gateway, Open(pages, RATES[name], seconds))
    table.notes.append(
        "The pages are opened by this process, whose CPU is not counted. A page is sent at most 3.3 deltas a second."
    )
    return table


@dataclass(frozen=True, slots=True)
class Open:
    """So many pages, at so many messages a second, for so long."""

    pages: int
    rate: int
    seconds: float


async def _pages(table: Table, label: str, mosquitto: Mosquitto, gateway: Gateway, asked: Open) -> None:
    pages, seconds = asked.pages, asked.seconds
    count = int((SETTLE_S + seconds + OPENING_S) * asked.rate)
    async with (
        load(mosquitto.port, count, asked.rate) as running,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        running.begin()
        seen = Seen()
        async with _opened(session, gateway, pages, seen):
            await asyncio.sleep(SETTLE_S)
            used, before, began = cpu_s(gateway.pid), Seen(seen.frames, seen.size), time.monotonic()
            await asyncio.sleep(seconds)
            took, used = time.monotonic() - began, cpu_s(gateway.pid) - used
            frames, size = seen.frames - before.frames, seen.size - before.size
    table.add(label, "gateway", "% of a core", used / took * 100)
    if not pages:
        return
    if frames == 0:
        raise NotMeasuredError(f"{pages} open pages were sent nothing")
    table.add(label, "deltas", "a page and second", frames / took / pages)
    table.add(label, "delta", "bytes", size / frames)
    table.add(label, "CPU", "µs a delta", used / frames * 1e6)


@asynccontextmanager
async def _opened(session: aiohttp.ClientSession, gateway: Gateway, pages: int, seen: Seen) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        readers: list[asyncio.Task[None]] = []
        for _ in range(pages):
            socket = await stack.enter_async_context(
                session.ws_connect(f"{gateway.url}/api/v1/live", origin=gateway.url)
            )
            await socket.receive()  # the snapshot
            readers.append(group.create_task(_read(socket, seen)))
        yield
        for reader in readers:
            reader.cancel()


async def _read(socket: aiohttp.ClientWebSocketResponse, seen: Seen) -> None:
    async for frame in socket:
        if frame.type is aiohttp.WSMsgType.TEXT:
            seen.frames += 1
            seen.size += len(frame.data)
