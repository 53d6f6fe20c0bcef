"""A load in a process of its own, so that it neither waits for what measures nor is measured with it.

`python -m benchmarks.load PORT COUNT RATE`: publishes as the hall's devices, COUNT messages at RATE a second (0: as
fast as the broker takes them). It says when it is ready, begins at a line on its input,
and says when it began and ended.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hall import speakers, stream
from benchmarks.wire import IDS, Publisher, publish_packet, publisher

ROOT = Path(__file__).parent.parent
CHUNK = 50
READY_WITHIN_S = 60.0
# How often a load at a rate publishes what is due; a hall's devices do not speak in step either.
TURN_S = 0.01


@dataclass(frozen=True, slots=True)
class Sent:
    """What a load has done; times are of the machine's monotonic clock, which all processes share."""

    began: float
    ended: float
    count: int


@dataclass(frozen=True, slots=True)
class Load:
    """A load that is ready to begin."""

    process: asyncio.subprocess.Process

    def begin(self) -> None:
        """Let it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    async def ended(self) -> Sent:
        """Wait until the broker has acknowledged everything."""
        return Sent(**json.loads(await self.line()))

    async def line(self) -> bytes:
        """The next thing it says."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("the load's process ended before its time")
        return line


@asynccontextmanager
async def load(port: int, count: int, rate: int = 0) -> AsyncIterator[Load]:
    """A load of `count` messages, connected and ready; it is ended with the block."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "benchmarks.load", str(port), str(count), str(rate))
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=ROOT)
    try:
        made = Load(process)
        async with asyncio.timeout(READY_WITHIN_S):
            await made.line()
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _run(port: int, count: int, rate: int) -> None:
    async with publisher(port, "load", window=2000) as out:
        chunks = _encoded(count)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began = time.monotonic()
        if rate:
            await _paced(out, chunks, rate, began)
        else:
            for chunk in chunks:
                await out.write(chunk)
        await out.drained()
        print(json.dumps({"began": began, "ended": time.monotonic(), "count": count}), flush=True)


def _encoded(count: int) -> list[list[bytes]]:
    """The packets in chunks, written before the clock starts."""
    start = time.time_ns() // 1_000_000
    chunks: list[list[bytes]] = []
    for number, (topic, payload, _) in enumerate(stream(speakers(), count, start, 0.0)):
        if number % CHUNK == 0:
            chunks.append([])
        chunks[-1].append(publish_packet(topic, payload, number % IDS + 1))
    return chunks


async def _paced(out: Publisher, chunks: list[list[bytes]], rate: int, began: float) -> None:
    packets = [packet for chunk in chunks for packet in chunk]
    while out.published < len(packets):
        due = min(len(packets), int((time.monotonic() - began) * rate))
        await out.write(packets[out.published : due])
        await asyncio.sleep(TURN_S)


if __name__ == "__main__":
    asyncio.run(_run(*map(int, sys.argv[1:4])))
