"""Plays a recording through the path: the same decoders, the same deciding, at the recording's own clock.

Nothing is written and nobody is told: what the path would commit is looked through for what it decided. Two plays of
one recording with one site file have one outcome.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Book
from alerts.outcome import Gatherer
from gateway.batch import BatchMaker
from gateway.playback import Played, Router, play
from gateway.store.contract import Batch
from sensors.decode.family import Packet
from sensors.decode.reception import Reception
from sensors.hall.account import sum_of
from sensors.hall.hall import Hall
from sensors.hall.state import Account
from sensors.inputs import Lane, Linked, Started
from sensors.recording import Episode, Sent
from sensors.site.model import Site


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a recording: its outcome, the account of its messages, and how many no session would have heard."""

    outcome: tuple[Episode, ...]
    account: Account
    unheard: int


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when the recording was made (ms), and whether it was where messages were sent, not received."""

    begin: int
    end: int
    published: bool = False


async def replay(
    sent: Iterable[Sent],
    span: Span,
    site: Site,
    hall: str,
    progress: Callable[[int], None] | None = None,
) -> Replayed:
    """Play `sent` (in order of time) on a hall of the site that starts with it, empty; nobody answers anything.

    Devices that sign are believed: what a recording holds was believed or not when it came.
    """
    state = Hall(site, hall)
    reception = Reception(site, hall, state.state)
    maker = BatchMaker(Core(state, Engine(site, hall, Book())), reception, hall=hall, index=0)
    path = _Path(maker, span.published)
    gathered = _Gathered()
    await play(maker, gathered, path.heard(sent, span.begin), until=span.end, progress=progress)
    return Replayed(gathered.gatherer.outcome(), sum_of(maker.core.hall.state), path.unheard)


class _Path:
    """Makes packets of what was sent, as the two sessions would have heard them."""

    def __init__(self, maker: BatchMaker, published: bool) -> None:
        self._maker = maker
        self._published = published
        self._known = -1
        self._router = Router(())
        self.unheard = 0

    def heard(self, sent: Iterable[Sent], begin: int) -> Iterator[Played]:
        """All inputs, in order of time."""
        # The digest only tells versions of a site file apart in a journal; here there is one.
        yield Started(begin, "")
        for lane in Lane:
            yield Linked(begin, lane, up=True)
        for one in sent:
            if (lane_ := self._lane(one.topic)) is None:
                self.unheard += 1
            else:
                # At QoS 2 a session subscribed at 1 hears at 1; who listens live never hears `retain`.
                retained = one.retain and not self._published
                yield Packet(one.topic, one.payload, lane_, one.at, min(one.qos, 1), retained)

    def _lane(self, topic: str) -> Lane | None:
        # A bridge may have named new devices, and each has a topic of its own.
        known = len(self._maker.core.hall.state.devices)
        if known != self._known:
            self._known = known
            self._router = Router(self._maker.reception.subscriptions())
        try:
            return self._router.lane(topic)
        except LookupError:
            return None


class _Gathered:
    """Stands where the store stands, and keeps of each batch what it says of alarms and plans."""

    def __init__(self) -> None:
        self.gatherer = Gatherer()

    async def commit(self, batch: Batch) -> None:
        """Look a batch through."""
        for event in batch.changes.events:
            run = batch.changes.runs.get(event.about)
            plan = "" if run is None else run.plan.id
            self.gatherer.hear(event.at, event.about, event.what, event.detail, plan)
