"""Feeds one history from the journal of one hall: a cursor that waits for as long as the history is away.

What was decoded a moment ago is taken from memory (`recent`); the journal is read where that is not enough. Nothing
here stands before an alarm: the journal is read on the reader's thread, and messages are turned into points a few
at a time, so that the event loop is never held. What the history refuses is searched out, put aside with its
reason, and the rest goes on.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from gateway.history.contract import HistoryDownError, HistorySink, PointsRefusedError
from gateway.history.points import Point, Read, points, read_row
from gateway.history.recent import Recent, Said
from gateway.store.contract import Journal
from gateway.store.cursors import Cursors, Refused
from gateway.store.errors import StoreError

log = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 8
# The cursor is moved once for so many: that is a transaction of its own.
TAKEN_AT_ONCE: Final = 2000
READ_AT_ONCE: Final = 32
POINTED_AT_ONCE: Final = 100
IDLE_S: Final = 0.2
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0


class Shipping(StrEnum):
    """Idle: everything is shipped. Shipping: something is on its way. Down: the history does not answer."""

    IDLE = "idle"
    SHIPPING = "shipping"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Lag:
    """How a history stands: `behind` counts inputs of the journal, `refused` points put aside since the start."""

    name: str
    state: Shipping
    behind: int
    shipped: int
    refused: int
    error: str


async def _yield() -> None:
    """Let whatever waits for the event loop go first."""
    await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Feed:
    """What feeds a history: the hall, the cursor's `name`, how a message is decoded, and the site's `salt`.

    `recent` is what was decoded a moment ago, nothing where nobody fills it. `give_way` returns when nothing urgent is
    on its way, after a moment in any case.
    `batch` points go in one write. The readings table shares its writer with the journal and wants short ones: of a
    hundred each point costs 15 µs, of three hundred 9 (a page of a series is written once for several), of six
    hundred 8, and a commit behind three hundred waits some 3 ms. InfluxDB, a request away, wants thousands.
    """

    hall: str
    name: str
    read: Read
    salt: bytes
    batch: int = 300
    recent: Recent = field(default_factory=Recent)
    give_way: Callable[[], Awaitable[None]] = _yield


# Told when the history falls behind by more than its limit, and when it has caught up again, with the reason.
Tell = Callable[[bool, str], None]


class Shipper:
    """One history of one hall. `run` it in a TaskGroup; cancelling it loses nothing."""

    def __init__(
        self,
        journal: Journal,
        cursors: Cursors,
        sink: HistorySink,
        feed: Feed,
        *,
        tell: Tell | None = None,
        tell_behind: int = 100_000,
        told: bool = False,
    ) -> None:
        """Beyond `tell_behind` inputs somebody is told. `told`: as a process before this one did."""
        self._journal = journal
        self._cursors = cursors
        self._sink = sink
        self._feed = feed
        self._hall = feed.hall
        self._name = feed.name
        self._tell = tell
        self._tell_behind = tell_behind
        self._told = told
        self._index = 0
        self._end = 0
        self._shipped = 0
        self._refused = 0
        self._state = Shipping.IDLE
        self._error = ""

    def lag(self) -> Lag:
        """How it stands, as of the last look at the journal (a second ago at most)."""
        behind = max(self._end - self._index, 0)
        return Lag(self._name, self._state, behind, self._shipped, self._refused, self._error)

    async def run(self) -> None:
        """Ship for ever."""
        pause = FIRST_PAUSE_S
        known = False
        while True:
            try:
                if not known:
                    self._index = await self._cursors.get(self._hall, self._name)
                    known = True
                await self._look()
                if self._index < self._end:
                    self._state = Shipping.SHIPPING if self._state != Shipping.DOWN else self._state
                    await self._ship()
                self._up()
                pause = FIRST_PAUSE_S
            except (HistoryDownError, StoreError) as error:
                self._down(error)
                wanted = error.retry_after_s if isinstance(error, HistoryDownError) else 0.0
                await self._wait(min(max(pause, wanted), LONGEST_PAUSE_S))
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            if self._index >= self._end:
                self._state = Shipping.IDLE
                await asyncio.sleep(IDLE_S)

    async def catch_up(self, progress: Callable[[int], None]) -> None:
        """Ship what the journal holds and return; `progress` is told the index that is reached.

        Raises `HistoryDownError`, `StoreError`: for a start that cannot go on without its history.
        """
        self._index = await self._cursors.get(self._hall, self._name)
        await self._look()
        while self._index < self._end:
            await self._ship()
            progress(self._index)

    def _up(self) -> None:
        if self._state == Shipping.DOWN:
            log.info("history %s of %s is back, %d inputs behind", self._name, self._hall, self.lag().behind)
            self._state = Shipping.SHIPPING
        self._error = ""

    def _down(self, error: HistoryDownError | StoreError) -> None:
        if self._state != Shipping.DOWN:
            log.warning("history %s of %s is down: %s", self._name, self._hall, error)
        self._state = Shipping.DOWN
        self._error = str(error)

    async def _wait(self, seconds: float) -> None:
        """Wait with jitter, looking at the journal meanwhile: the lag grows although nothing is shipped."""
        rest = seconds * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
        while rest > 0:
            await asyncio.sleep(min(rest, 1.0))
            rest -= 1.0
            with suppress(StoreError):
                await self._look()

    async def _look(self) -> None:
        self._end = await self._journal.end(self._hall)
        behind = self.lag().behind
        # Told once, and taken back only when half of it is made up, so that it does not flutter.
        late = behind > (self._tell_behind // 2 if self._told else self._tell_behind)
        if self._tell is not None and late != self._told:
            self._tell(late, self._error or f"{behind} inputs behind")
        self._told = late

    async def _ship(self) -> None:
        """Ship the next batches of the journal and move the cursor past them."""
        said, after = self._feed.recent.take(self._index, max(self._feed.batch, TAKEN_AT_ONCE))
        if after == self._index:
            said, after = await self._read()
        refused: list[Refused] = []
        waiting: list[Point] = []
        for number, one in enumerate(said, 1):
            waiting += points(one, self._feed.salt)
            if number % POINTED_AT_ONCE == 0:
                # Whatever waits for the event loop goes first: it may be an alarm.
                await self._feed.give_way()
            while len(waiting) >= self._feed.batch:
                refused += await self._write(waiting[: self._feed.batch])
                del waiting[: self._feed.batch]
        if waiting:
            refused += await self._write(waiting)
        await self._cursors.advance(self._hall, self._name, after, refused)
        self._index = after
        self._refused += len(refused)
        for one_refused in refused[:3]:
            point, reason = one_refused.point, one_refused.reason
            log.warning("history %s refused a %s of %s: %s", self._name, point.kind, point.device, reason)

    async def _read(self) -> tuple[list[Said], int]:
        """What some rows of the journal said, and the index after them."""
        rows = await self._journal.read(self._hall, self._index, ROWS_AT_ONCE)
        said: list[Said] = []
        for row in rows:
            try:
                for number, one in enumerate(read_row(row, self._feed.read), 1):
                    said.append(one)
                    if number % READ_AT_ONCE == 0:
                        await asyncio.sleep(0)
            except msgspec.DecodeError as error:
                # A row that the disk has damaged is lost for every history; the rest of the journal is not.
                log.error("the journal's row %d of %s cannot be read: %s", row.index, self._hall, error)  # noqa: TRY400
        return said, rows[-1].index + rows[-1].count if rows else self._end

    async def _write(self, batch: Sequence[Point]) -> list[Refused]:
        """Write a batch; one that is refused is halved until what cannot be stored stands alone."""
        await self._feed.give_way()
        try:
            await self._sink.write(batch)
        except PointsRefusedError as error:
            if len(batch) == 1:
                return [Refused(batch[0], str(error))]
            middle = len(batch) // 2
            return [*await self._write(batch[:middle]), *await self._write(batch[middle:])]
        self._shipped += len(batch)
        return []
