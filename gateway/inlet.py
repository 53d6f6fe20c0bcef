"""What waits for its batch, and what goes into the next one: life safety and our own inputs before telemetry.

Between steps 1 and 2 of a message's way. What is urgent shares its commit with no telemetry, and cuts short a batch of
telemetry that is being decided; but only a few times in a row while telemetry waits.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Final

from gateway.batch import Entry
from gateway.link.contract import Delivery

# Fewer commits cost less; an alarm waits for one slice of a batch and one commit (see `Pipeline._decide`).
BATCH_LIMIT: Final = 500
BATCH_BYTES: Final = 2**20
LINGER_S: Final = 0.005
# An alarm, its attempt and its report are three commits of its own.
ALONE_IN_ROW: Final = 4
# Then one batch is short and not cut, so that telemetry goes on whatever else comes in.
OWED: Final = 100


class Inlet:
    """Two queues of one hall."""

    def __init__(self) -> None:
        """Begin empty."""
        self._urgent: deque[Entry] = deque()
        self._ordinary: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._alone = 0
        self._may_cut = True

    def __len__(self) -> int:
        return len(self._urgent) + len(self._ordinary)

    def __iter__(self) -> Iterator[Entry]:
        return chain(self._urgent, self._ordinary)

    def put_urgent(self, entry: Entry, *, hurry: bool = True) -> None:
        """Take what goes before telemetry; `hurry` closes the batch at once."""
        self._urgent.append(entry)
        if hurry:
            self._hurry.set()
        self._wake.set()

    def put_ordinary(self, entry: Entry) -> None:
        """Take telemetry; it waits a little for company."""
        self._ordinary.append(entry)
        if len(self._ordinary) >= BATCH_LIMIT:
            self._hurry.set()
        self._wake.set()

    def wake(self) -> None:
        """Let whoever waits look."""
        self._wake.set()
        self._hurry.set()

    @property
    def urgent(self) -> bool:
        """Whether something urgent waits."""
        return bool(self._urgent)

    @property
    def ordinary(self) -> bool:
        """Whether telemetry waits."""
        return bool(self._ordinary)

    async def news(self, pause_s: float | None) -> bool:
        """Wait for something to look at, `pause_s` at most; whether it came."""
        self._wake.clear()
        try:
            async with asyncio.timeout(pause_s):
                return await self._wake.wait()
        except TimeoutError:
            return False

    async def linger(self) -> None:
        """Where telemetry alone waits: a little longer, for more of it."""
        if not self._urgent and len(self._ordinary) < BATCH_LIMIT:
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await self._hurry.wait()

    @property
    def owes(self) -> bool:
        """Whether telemetry has stood back so often in a row that it is its turn."""
        return self._alone >= ALONE_IN_ROW and bool(self._ordinary)

    def collect(self, *, telemetry: bool = True) -> list[Entry]:
        """The entries of the next batch; without `telemetry` only what is urgent."""
        owed = telemetry and self.owes
        alone = bool(self._urgent) and not owed
        if alone or telemetry:
            self._alone = self._alone + 1 if alone else 0
        self._may_cut = not owed and not alone
        entries = _take(self._urgent, BATCH_LIMIT)
        if telemetry and not alone:
            # Whatever is urgent beside it, what is owed is given.
            entries += _take(self._ordinary, OWED if owed else BATCH_LIMIT)
        return entries

    def take_urgent(self) -> list[Entry]:
        """What is urgent alone, whatever waits."""
        return [self._urgent.popleft() for _ in range(min(len(self._urgent), BATCH_LIMIT))]

    @property
    def cuts(self) -> bool:
        """Whether something urgent came in that the batch under way must not keep waiting."""
        return self._may_cut and bool(self._urgent)

    def put_back(self, entries: list[Entry]) -> None:
        """Take back the telemetry of a batch that was cut short, before all that came in after it."""
        self._ordinary.extendleft(reversed(entries))


def _take(source: deque[Entry], limit: int) -> list[Entry]:
    """Entries from the front, bounded by their number and by their bytes."""
    taken: list[Entry] = []
    room = BATCH_BYTES
    while source and len(taken) < limit and room > 0:
        entry = source.popleft()
        taken.append(entry)
        room -= len(entry.packet.payload) if isinstance(entry, Delivery) else 0
    return taken
