"""Steps 5 and 6 of a message's way: the line's head is committed, then acknowledged, and who waits is answered.

Turns that were decided while a transaction was under way share the next one. A store that is only busy is tried again
for as long as it takes: nothing is acknowledged meanwhile, and what is urgent is decided all the same
(docs/adr/0009-when-the-store-fails.md).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from gateway.batch import Prepared
from gateway.store.contract import Journal, Snapshot
from gateway.store.errors import StoreError
from gateway.turns import Line, Turn

log = logging.getLogger(__name__)

RETRY_FIRST_S: Final = 0.05
RETRY_LONGEST_S: Final = 2.0
# So long a commit may take before it is called a stall, and before people are told of it.
STORE_LIMIT_S: Final = 1.0
STORE_TOLD_S: Final = 5.0

Written = Callable[[Turn, Prepared], None]
# What to do with the turn at the head, which failed for what is in it. Raises what ends the path.
Isolate = Callable[[Turn, Exception], Awaitable[None]]


class Tell(Protocol):
    """Told when the store has not answered for long, with the reason, and when it does again."""

    def __call__(self, *, holds: bool, why: str = "") -> None:
        """Take the news."""
        ...


class Writing:
    """Writes one line, in its order. `run` is its task."""

    def __init__(
        self,
        line: Line,
        journal: Journal,
        *,
        now: Callable[[], int],
        written: Written,
        isolate: Isolate,
        tell: Tell,
    ) -> None:
        """`written` is called for each turn that is committed. `now`: ms since the epoch."""
        self._line = line
        self._journal = journal
        self._now = now
        self._written = written
        self._isolate = isolate
        self._tell = tell
        self._more = asyncio.Event()
        self._error = ""
        self._told = False
        self.stalled_since: int | None = None

    def wake(self) -> None:
        """Look at the line: something was decided, or could not be."""
        self._more.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            self._more.clear()
            head = self._line.head
            if head is not None and head.broken is not None:
                await self._isolate(head, head.broken)
            elif turns := self._line.ready():
                await self._write(turns)
            else:
                await self._more.wait()

    async def _write(self, turns: Sequence[tuple[Turn, Prepared]]) -> None:
        try:
            await self._commit([prepared for _, prepared in turns])
        except Exception as error:  # noqa: BLE001 - whatever one message brings to light, the others go on
            if len(turns) > 1:
                self._line.write_singly(len(turns))
            else:
                await self._isolate(turns[0][0], error)
            return
        self._line.written(len(turns))
        for turn, prepared in turns:
            self._written(turn, prepared)
        if self._told:
            self._told = False
            self._tell(holds=False)
        for snapshot in [prepared.snapshot for _, prepared in turns if prepared.snapshot is not None][-1:]:
            await save_snapshot(self._journal, snapshot)

    async def _commit(self, decided: Sequence[Prepared]) -> None:
        """Commit, and try again for as long as the store is only busy; one that is silent for long is said to be."""
        batches = [prepared.batch for prepared in decided if prepared.batch is not None]
        if not batches:
            return
        pause = RETRY_FIRST_S
        loop = asyncio.get_running_loop()
        # No later than a message that waits as long for this commit leaves unwritten.
        timers = loop.call_later(STORE_LIMIT_S, self._silent), loop.call_later(STORE_TOLD_S, self._tell_people)
        try:
            while True:
                try:
                    await self._journal.commit(*batches)
                except StoreError as error:
                    if not error.transient:
                        raise
                    self._stalls(error.code)
                    log.error("store: %s; nothing is acknowledged until it answers", error)  # noqa: TRY400
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, RETRY_LONGEST_S)
                else:
                    self.stalled_since = None
                    return
        finally:
            for timer in timers:
                timer.cancel()
            self._error = ""

    def _silent(self) -> None:
        self._stalls(self._error or "store_silent")

    def _tell_people(self) -> None:
        if not self._told:
            self._told = True
            self._tell(holds=True, why=self._error)

    def _stalls(self, why: str) -> None:
        self._error = why
        self.stalled_since = self.stalled_since or self._now()


async def save_snapshot(journal: Journal, snapshot: Snapshot) -> None:
    """Keep a snapshot of what the journal has; without it the next start takes longer, and that is all."""
    try:
        await journal.save_snapshot(snapshot)
    except StoreError as error:
        log.warning("no snapshot: %s; the next start takes longer", error)
