"""How much memory a process has, sampled while something happens to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

EVERY_S = 0.05


@dataclass(slots=True)
class Memory:
    """Samples of a process's resident memory, in MiB."""

    pid: int
    samples: list[float] = field(default_factory=list)

    def look(self) -> float:
        """Take a sample."""
        for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmRSS:"):
                self.samples.append(int(line.split()[1]) / 1024)
                return self.samples[-1]
        raise AssertionError(f"process {self.pid} is gone")

    @property
    def peak(self) -> float:
        """The most that was seen."""
        return max(self.samples)


@asynccontextmanager
async def watched(pid: int) -> AsyncIterator[Memory]:
    """Sample while the block runs."""
    memory = Memory(pid)
    memory.look()

    async def run() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            memory.look()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run())
        yield memory
        memory.look()
        task.cancel()
