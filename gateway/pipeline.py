"""Steps 1 to 6 of a message's way, for one hall: receive, decide, commit in one transaction, acknowledge.

Everything that can change the hall comes in by one door and in one order: messages, people's actions, senders'
reports, the link, and time. One batch is one transaction is one set of acknowledgements.

Where the store does not answer, nothing is acknowledged and telemetry waits; what is urgent is decided in memory and
in order, and written down when the store is back (docs/adr/0009-when-the-store-fails.md).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import chain

from alerts.core import Core
from alerts.model import Outcome
from gateway.batch import BatchMaker, Entry, Prepared, Siting, Waiting
from gateway.fold import take_snapshot
from gateway.history.recent import Recent
from gateway.inlet import Inlet
from gateway.link.contract import Delivery, Link, LinkNews
from gateway.mending import as_history, mended
from gateway.store.contract import Journal, QuarantineRow, Settled
from gateway.store.errors import StoreError
from gateway.taps import Taps
from gateway.turns import Turn, parts
from sensors.actions import Action, write_action
from sensors.decode.reception import Arrival
from sensors.errors import HallwatchError, RefusedError
from sensors.inputs import (
    STORE,
    Acted,
    AnyInput,
    Attempting,
    Heard,
    Lane,
    Linked,
    Raised,
    Reported,
    Resited,
    Started,
    Stepped,
)

log = logging.getLogger(__name__)

# Telemetry is decided so many messages a turn of the loop, about a millisecond: an alarm waits for no more of it.
SLICE = 32
RETRY_FIRST_S = 0.05
RETRY_LONGEST_S = 2.0
# So long a commit may take before what is urgent is decided without it, and before people are told of it.
STORE_LIMIT_S = 1.0
STORE_TOLD_S = 5.0
LOOK_S = 0.25
SNAPSHOT_EVERY = 20_000

Recover = Callable[[], Awaitable[BatchMaker]]


class ClosedError(HallwatchError):
    """The gateway is stopping and takes nothing more."""

    code = "stopping"


@dataclass(frozen=True, slots=True)
class Clockwork:
    """The gateway's time: `now` in ms since the epoch, and how many of its ms pass in a real one (a demo's speed)."""

    now: Callable[[], int]
    rate: Callable[[], float] = lambda: 1.0

    def real_seconds(self, due: int) -> float:
        """How long to wait, in real seconds, until `due`."""
        return max(0.0, (due - self.now()) / 1000 / self.rate())


class Pipeline:
    """One hall's path. `run` is its only task; every other method may be called from the event loop."""

    def __init__(
        self,
        maker: BatchMaker,
        journal: Journal,
        clock: Clockwork,
        *,
        recover: Recover,
    ) -> None:
        """Join the deciding part (`maker`), the store and the time. `recover` loads the deciding part anew."""
        self._maker = maker
        self._journal = journal
        self._clock = clock
        self._links: dict[Lane, Link] = {}
        self._recover = recover
        self._inlet = Inlet()
        self._closed = False
        self._replayed: set[int] = set()
        self._changed = asyncio.Event()
        self._snapshot_at = maker.index
        # What is decided and not committed yet: one batch, or a line of them behind a store that does not answer.
        self._line: deque[Turn] = deque()
        self._writing_since: float | None = None
        self._store_error = ""
        self._store_told = False
        self.recent = Recent()
        self.version = 0
        self.stalled_since: int | None = None

    # -- the door ---------------------------------------------------------------------------------------------

    def deliver(self, delivery: Delivery) -> None:
        """Take a message from a link. Life safety closes the batch at once."""
        if self._closed:
            return
        if delivery.packet.lane is Lane.SAFETY:
            self._inlet.put_urgent(delivery)
        else:
            self._inlet.put_ordinary(delivery)

    def linked(self, news: LinkNews) -> None:
        """Take the news that a session came up or went down."""
        self._put(Linked(self._clock.now(), news.lane, news.up, news.missed))

    def raised(self, condition: str, subject: str, *, holds: bool, detail: str = "") -> None:
        """Take the word of a part of the gateway that a condition became true or false."""
        self._put(Raised(self._clock.now(), condition, subject, holds, detail))

    def stepped(self, before: int, by: int) -> None:
        """Take the news that the clock, which said `before`, was stepped by `by` ms. Nothing may come between."""
        self._put(Stepped(before, by))

    async def act(self, actor: str, action: Action) -> Outcome:
        """Do what a person asks; returns when it is committed. Raises `RefusedError`."""
        return await self.submit(Acted(self._clock.now(), actor, write_action(action)))

    async def attempting(self, messages: tuple[str, ...]) -> None:
        """Write down that these messages are about to be sent."""
        await self.submit(Attempting(self._clock.now(), messages))

    async def report(self, message: str, outcome: str, error: str = "", retry_after_s: float = 0.0) -> None:
        """Write down what became of one attempt."""
        await self.submit(Reported(self._clock.now(), message, outcome, error, retry_after_s))

    async def submit(self, item: AnyInput) -> Outcome:
        """Take any input; returns when it is committed. Raises `RefusedError`, `ClosedError`."""
        return await self._submit(item)

    async def put_in_force(self, item: Started | Resited, siting: Siting) -> Outcome:
        """Take a version of the site file, which the store keeps already; returns when it is committed."""
        return await self._submit(item, siting=siting)

    async def replay(self, row: QuarantineRow, settled: Settled) -> Outcome:
        """Give a message of the quarantine, as it was mended, to the decoders: as history, its row settled with it.

        Raises `UndecodableError` while it cannot be read, `RefusedError` where it is no news or was cut.
        """
        if row.id in self._replayed:
            raise RefusedError("replay_duplicate")
        packet = mended(row, settled, self._clock.now())
        received = self._maker.reception.receive(packet, believed=True)
        heard = as_history(packet, received)
        # Asked twice at once, or with a list that is old: a row is released once.
        self._replayed.add(row.id)
        try:
            return await self._submit(heard, releases=settled)
        except BaseException:
            self._replayed.discard(row.id)
            raise

    async def _submit(
        self, item: AnyInput, *, releases: Settled | None = None, siting: Siting | None = None
    ) -> Outcome:
        if self._closed:
            raise ClosedError("the gateway is stopping")
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._inlet.put_urgent(Waiting(item, future, releases, siting))
        return await future

    def _put(self, item: AnyInput) -> None:
        if not self._closed:
            self._inlet.put_urgent(Waiting(item, None), hurry=False)

    # -- what others read -------------------------------------------------------------------------------------

    @property
    def core(self) -> Core:
        """The hall and its engine, to read."""
        return self._maker.core

    def reads(self, heard: Heard) -> Arrival | None:
        """Read a message of the journal, with the devices as they are known now."""
        return self._maker.reception.read(heard)

    @property
    def taps(self) -> Taps:
        """For who wants to listen in."""
        return self._maker.taps

    @property
    def index(self) -> int:
        """The index that the next input will have."""
        return self._maker.index

    @property
    def waiting(self) -> int:
        """How many entries wait for their batch."""
        return len(self._inlet)

    @property
    def in_hand(self) -> int:
        """Messages that were delivered and stand in no account yet."""
        undecided = (turn.entries for turn in self._line if turn.prepared is None)
        return sum(isinstance(entry, Delivery) for entry in chain(self._inlet, *undecided))

    def now(self) -> int:
        """The gateway's time, ms since the epoch."""
        return self._clock.now()

    async def wait_changed(self, version: int) -> int:
        """Wait until something was committed after `version`; returns the new version."""
        while self.version <= version:
            await self._changed.wait()
        return self.version

    # -- the one task -----------------------------------------------------------------------------------------

    async def run(self, links: Iterable[Link]) -> None:
        """Make batches for these links until `close`, then drain what has come in and return."""
        self._links = {link.lane: link for link in links}
        self._subscribe()
        async with asyncio.TaskGroup() as group:
            ahead = group.create_task(self._decide_ahead())
            while not (self._closed and not self.waiting):
                await self._await_work()
                await self._one_batch(self._inlet.collect())
                if self._maker.index - self._snapshot_at >= SNAPSHOT_EVERY:
                    await self.save_snapshot()
            ahead.cancel()
        await self.save_snapshot()

    def close(self) -> None:
        """Close the inlet: `run` ends when what has come in is committed."""
        self._closed = True
        self._inlet.wake()

    async def save_snapshot(self) -> None:
        """Keep the state, between two batches: what a snapshot says, the journal has."""
        self._snapshot_at = self._maker.index
        try:
            await self._journal.save_snapshot(take_snapshot(self.core.hall.state, self._maker.index))
        except StoreError as error:
            log.warning("no snapshot: %s; the next start takes longer", error)

    async def _await_work(self) -> None:
        due = self._maker.core.next_due()
        pause = None if due is None else self._clock.real_seconds(due)
        await self._inlet.wait(pause, linger=not self._closed)

    async def _one_batch(self, entries: list[Entry]) -> None:
        """Decide and commit a batch, and then what was decided while the store did not answer."""
        self._line.append(Turn(entries))
        while self._line:
            turn = self._line[0]
            try:
                prepared = turn.prepared = turn.prepared or await self._decide(turn)
                await self._commit(prepared)
            except Exception as error:  # noqa: BLE001 - whatever one message brings to light, the others go on
                await self._isolate(error)
            else:
                self._line.popleft()
                self._finish(prepared)
        if self._store_told:
            self._store_told = False
            self.raised(STORE, self._maker.hall, holds=False)

    async def _decide(self, turn: Turn) -> Prepared:
        """Decide a turn, a slice at a time; when something urgent comes, what is left of it goes back and waits."""
        entry = turn.entries[0] if turn.entries else None
        if turn.fault is not None and isinstance(entry, Delivery):
            return self._maker.set_aside(entry, turn.fault)
        making = self._maker.begin(self._clock.now())
        for begin in range(0, len(turn.entries), SLICE):
            if begin:
                await asyncio.sleep(0)
                if self._inlet.cuts:
                    self._inlet.put_back(turn.entries[begin:])
                    del turn.entries[begin:]
                    break
            self._maker.take(making, turn.entries[begin : begin + SLICE])
        return self._maker.end(making)

    async def _commit(self, prepared: Prepared) -> None:
        """Commit, and try again for as long as the store is only busy: nothing is acknowledged meanwhile."""
        if prepared.batch is None:
            return
        pause = RETRY_FIRST_S
        self._writing_since = asyncio.get_running_loop().time()
        try:
            while True:
                try:
                    await self._journal.commit(prepared.batch)
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
            self._writing_since = None
            self._store_error = ""

    # -- while the store does not answer ----------------------------------------------------------------------

    async def _decide_ahead(self) -> None:
        """Decide what is urgent while a commit hangs or is tried again; `_one_batch` writes it down in its turn."""
        while True:
            await asyncio.sleep(LOOK_S)
            while (lasts := self._stalled_for()) > STORE_LIMIT_S:
                self._stalls(self._store_error or "store_silent")
                if lasts > STORE_TOLD_S and not self._store_told:
                    self._store_told = True
                    self.raised(STORE, self._maker.hall, holds=True, detail=self._store_error)
                self._decide_urgent()
                await self._inlet.wait_more(LOOK_S)

    def _stalled_for(self) -> float:
        """Since when one commit has been waited for, in seconds."""
        return 0.0 if self._writing_since is None else asyncio.get_running_loop().time() - self._writing_since

    def _stalls(self, why: str) -> None:
        self._store_error = why
        self.stalled_since = self.stalled_since or self._clock.now()

    def _decide_urgent(self) -> None:
        """Life safety, people, senders and time; telemetry waits, and with it the broker."""
        if any(turn.prepared is None for turn in self._line):
            return  # something before it could not be decided and waits for the store
        entries = self._inlet.take_urgent()
        turn = Turn(entries)
        try:
            turn.prepared = self._maker.prepare(entries, self._clock.now())
        except Exception:
            log.exception("a batch of %d cannot be decided while the store does not answer", len(entries))
        if turn.prepared is None or turn.prepared.batch is not None or entries:
            self._line.append(turn)
            self._tell()

    def _finish(self, prepared: Prepared) -> None:
        if prepared.fresh is not None:
            self.recent.keep(prepared.fresh)
        by_lane: dict[Lane, list[Delivery]] = {}
        for delivery in prepared.deliveries:
            by_lane.setdefault(delivery.packet.lane, []).append(delivery)
        for lane, deliveries in by_lane.items():
            self._links[lane].acknowledge(deliveries)
        prepared.settle()
        if prepared.registry_changed:
            self._subscribe()
        if prepared.tapped:
            self._maker.taps.tell(prepared.tapped)
        if prepared.batch is not None:
            self._tell()

    def _tell(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _subscribe(self) -> None:
        subscriptions = self._maker.reception.subscriptions()
        for link in self._links.values():
            link.subscribe(subscriptions)

    async def _isolate(self, error: Exception) -> None:
        """A batch that fails for what is in it: forget what it did, then find the entry that fails alone.

        A deadline that fails is in no message: it ends the process, or message after message would pay for it.
        """
        turn = self._line.popleft()
        log.error("a batch of %d failed: %r", len(turn.entries), error)
        if not turn.entries or turn.fault is not None:
            raise error
        self._maker = await self._recover()
        for later in self._line:
            later.prepared = None  # it was decided on what is forgotten now
        self._line.extendleft(reversed(parts(turn, error)))
