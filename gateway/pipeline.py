"""Steps 1 to 6 of a message's way, for one hall: receive, decide, commit in one transaction, acknowledge.

Everything that can change the hall comes in by one door and in one order: messages, people's actions, senders'
reports, the link, and time. One batch is one transaction is one set of acknowledgements.

The path decides ahead of its store: while one batch is written (`gateway.writing`) the next is decided. Telemetry
waits where the store lags behind; what is urgent is decided at once, in its order, and written in its turn.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain

from alerts.core import Core
from alerts.model import Outcome
from gateway.batch import BatchMaker, Prepared, Siting, Waiting
from gateway.clockwork import Clockwork
from gateway.fold import take_snapshot
from gateway.history.recent import Recent
from gateway.inlet import Inlet
from gateway.link.contract import Delivery, Link, LinkNews
from gateway.mending import as_history, mended
from gateway.store.contract import Journal, QuarantineRow, Settled, Snapshot
from gateway.taps import Taps
from gateway.turns import AHEAD, Line, Turn, parts
from gateway.writing import Writing, save_snapshot
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
# So long telemetry stands back after something urgent was written: for the senders, who have the event loop then.
REST_S = 0.004
# So often in a row the history gives way for as long: a storm of alarms does not stop it.
WAYS_GIVEN = 10
SNAPSHOT_EVERY = 20_000

Recover = Callable[[], Awaitable[BatchMaker]]


class ClosedError(HallwatchError):
    """The gateway is stopping and takes nothing more."""

    code = "stopping"


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
        self._line = Line()
        self._writing = Writing(
            self._line,
            journal,
            now=clock.now,
            written=self._written,
            isolate=self._isolate,
            tell=self._store_told,
        )
        # Held while a turn is decided, and while the hall is loaded anew.
        self._deciding = asyncio.Lock()
        self._rest_until = 0.0
        self.recent = Recent()
        self.version = 0

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
    def stalled_since(self) -> int | None:
        """Since when the store has not answered, ms since the epoch; None while it does."""
        return self._writing.stalled_since

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

    async def give_way(self) -> None:
        """For who can wait: return when nothing urgent is on its way, after a moment in any case."""
        await asyncio.sleep(0)
        for _ in range(WAYS_GIVEN):
            if not self._something_urgent():
                return
            await asyncio.sleep(REST_S)

    def now(self) -> int:
        """The gateway's time, ms since the epoch."""
        return self._clock.now()

    async def wait_changed(self, version: int) -> int:
        """Wait until something was committed after `version`; returns the new version."""
        while self.version <= version:
            await self._changed.wait()
        return self.version

    # -- the task ---------------------------------------------------------------------------------------------

    async def run(self, links: Iterable[Link]) -> None:
        """Make batches for these links until `close`, then drain what has come in and return."""
        self._links = {link.lane: link for link in links}
        self._subscribe()
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(self._writing.run())
            while await self._work_comes():
                async with self._deciding:
                    await self._one_turn()
            writer.cancel()
        await save_snapshot(self._journal, self._snapshot())

    def close(self) -> None:
        """Close the inlet: `run` ends when what has come in is committed."""
        self._closed = True
        self._inlet.wake()

    async def _work_comes(self) -> bool:
        """Wait until there is something to decide; False when the path is closed and everything is written."""
        while not self._has_work():
            if self._closed and not self._inlet and not self._line:
                return False
            if not await self._inlet.news(self._pause()):
                return True  # a deadline is due
        if not self._closed and self._line.undecided is None:
            await self._inlet.linger()
        return True

    def _has_work(self) -> bool:
        if self._line.broken:
            return False
        if self._line.undecided is not None:
            return True
        return self._inlet.urgent or (self._inlet.ordinary and self._telemetry_may())

    def _pause(self) -> float | None:
        """How long until the next deadline, s; None for none.

        A path that is closed waits for none: where a demo's days pass like seconds there is always one more.
        """
        due = None if self._closed or self._line.broken else self._maker.core.next_due()
        return None if due is None else self._clock.real_seconds(due)

    def _telemetry_may(self) -> bool:
        """Whether telemetry may be decided: it stands back while the store lags behind, and for what is urgent.

        What is urgent is written first, and then what follows from it has a moment of the event loop for itself.
        """
        if self._line.telemetry >= AHEAD:
            return False
        return self._inlet.owes or not self._something_urgent()

    def _something_urgent(self) -> bool:
        """Whether something urgent waits or was written just now, so that what follows from it is still to come."""
        urgent = self._inlet.urgent or self._line.urgent
        return urgent or asyncio.get_running_loop().time() < self._rest_until

    async def _one_turn(self) -> None:
        """Decide the next turn. One that cannot be decided stops the others until the writer has come to it."""
        if self._line.broken:
            return
        turn = self._line.undecided
        if turn is None:
            turn = Turn(self._inlet.collect(telemetry=self._telemetry_may()))
            self._line.put(turn)
        try:
            turn.prepared = await self._decide(turn)
        except Exception as error:  # noqa: BLE001 - whatever one message brings to light, the others go on
            turn.broken = error
        else:
            self._decided(turn, turn.prepared)
        self._writing.wake()

    def _decided(self, turn: Turn, prepared: Prepared) -> None:
        if prepared.batch is None and self._line.is_last(turn):
            self._line.withdraw()
            return
        if self._maker.index - self._snapshot_at >= SNAPSHOT_EVERY:
            prepared.snapshot = self._snapshot()
        if turn.urgent or not turn.entries:
            self._tell()  # who sends begins to write its attempt down; in the journal it stands behind this

    async def _decide(self, turn: Turn) -> Prepared:
        """Decide a turn, a slice at a time; when something urgent comes it is taken in, and what is left waits.

        Only telemetry is left to wait so: what is urgent keeps its order, also where it is decided anew.
        """
        entry = turn.entries[0] if turn.entries else None
        if turn.fault is not None and isinstance(entry, Delivery):
            return self._maker.set_aside(entry, turn.fault)
        making = self._maker.begin(self._clock.now())
        for begin in range(0, len(turn.entries), SLICE):
            if begin:
                await asyncio.sleep(0)
                if self._inlet.cuts and not turn.urgent and self._line.is_last(turn):
                    self._inlet.put_back(turn.take_in(begin, self._inlet.take_urgent()))
                    self._maker.take(making, turn.entries[begin:])
                    break
            self._maker.take(making, turn.entries[begin : begin + SLICE])
        return self._maker.end(making)

    # -- what the writer tells --------------------------------------------------------------------------------

    def _written(self, turn: Turn, prepared: Prepared) -> None:
        """A turn is committed: acknowledge its messages and answer who waits."""
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
        if turn.urgent:
            loop = asyncio.get_running_loop()
            self._rest_until = loop.time() + REST_S
            loop.call_later(REST_S, self._inlet.wake)
        self._inlet.wake()

    def _store_told(self, *, holds: bool, why: str = "") -> None:
        self.raised(STORE, self._maker.hall, holds=holds, detail=why)

    async def _isolate(self, turn: Turn, error: Exception) -> None:
        """The turn at the head fails for what is in it: forget what it did, then find the entry that fails alone.

        A deadline that fails is in no message: it ends the process, or message after message would pay for it.
        """
        async with self._deciding:
            log.error("a batch of %d failed: %r", len(turn.entries), error)
            if not turn.entries or turn.fault is not None:
                raise error
            # The turn stays in the line meanwhile: in no account it is missing, and no end goes past it.
            self._maker = await self._recover()
            self._line.divide(parts(turn, error))
        self._inlet.wake()

    def _snapshot(self) -> Snapshot:
        self._snapshot_at = self._maker.index
        return take_snapshot(self.core.hall.state, self._maker.index)

    def _tell(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _subscribe(self) -> None:
        subscriptions = self._maker.reception.subscriptions()
        for link in self._links.values():
            link.subscribe(subscriptions)
