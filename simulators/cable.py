"""A network cable between two programs on this machine, which can be pulled: `network: down` of a scenario.

Each connection to it is carried on to the broker. While it is pulled, what stood is cut and nothing new gets through,
as with a switch that has lost its power; nobody is told, so either end finds out by itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from simulators.clock import SimClock

HOST: Final = "127.0.0.1"
CHUNK: Final = 65_536


class Cable:
    """Carries connections to `host`:`port` until it is pulled; `port` of its own is where to connect."""

    def __init__(self, host: str, port: int) -> None:
        """Where it leads to."""
        self._far = host, port
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.down = False

    def pull(self) -> None:
        """Cut what stands, and let nothing through."""
        self.down = True
        for end in self._ends:
            end.transport.abort()

    def plug(self) -> None:
        """Let new connections through again."""
        self.down = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end closes it or the cable is pulled."""
        if self.down:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._far)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_one_way(reader, far_writer))
                group.create_task(_one_way(far_reader, writer))
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()


async def _one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def laid_cable(host: str, port: int) -> AsyncIterator[Cable]:
    """A cable to a broker, on a free port of this machine."""
    cable = Cable(host, port)
    async with await asyncio.start_server(cable.carry, HOST, 0) as server:
        cable.port = server.sockets[0].getsockname()[1]
        try:
            yield cable
        finally:
            server.close()
            cable.pull()


async def cut(cable: Cable, outages: Iterable[tuple[int, int]], clock: SimClock) -> None:
    """Pull the cable for these spans (ms), as the clock tells them."""
    for start, end in outages:
        await clock.sleep_until(start)
        cable.pull()
        await clock.sleep_until(end)
        cable.plug()
