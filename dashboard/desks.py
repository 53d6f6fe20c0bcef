"""Joins a hall's path to what the server and the sending loop ask of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.model import Book, Message
from alerts.queue import Room
from dashboard.server.desk import HistoryHealth
from gateway.batch import Siting
from gateway.history.shipper import Shipper
from gateway.pipeline import Pipeline
from gateway.store.contract import QuarantineRow, Settled
from sensors.hall.state import HallState
from sensors.inputs import Resited
from sensors.site.index import SiteIndex


@dataclass(frozen=True, slots=True)
class LiveView:
    """What stands in the hall now. A failed batch makes the path load it anew, so it is asked each time."""

    path: Pipeline

    @property
    def state(self) -> HallState:
        """The hall's state."""
        return self.path.core.hall.state

    @property
    def site(self) -> SiteIndex:
        """The site file that is in force."""
        return self.path.core.hall.index

    @property
    def book(self) -> Book:
        """What is open."""
        return self.path.core.engine.book


@dataclass(frozen=True, slots=True)
class EngineOutbox:
    """The outbox as the sending loop sees it."""

    path: Pipeline

    def next(self, now: int, room: Room) -> Sequence[Message]:
        """As many messages that may be sent at `now` as there is room for on each lane and channel."""
        return self.path.core.engine.next(now, room)

    def message(self, id: str) -> Message | None:
        """A message as it stands now."""
        return self.path.core.engine.book.messages.get(id)


@dataclass(frozen=True, slots=True)
class ReplayFromQuarantine:
    """Gives a message of the quarantine to the decoders once more."""

    path: Pipeline

    async def __call__(self, row: QuarantineRow, settled: Settled) -> None:
        """Returns when it is committed."""
        await self.path.replay(row, settled)


@dataclass(frozen=True, slots=True)
class PutInForce:
    """Puts a version of the site file in force in one hall; `sitings` are those that a failed batch goes back to."""

    path: Pipeline
    sitings: dict[str, Siting]

    async def __call__(self, siting: Siting, by: str, detail: str) -> None:
        """Returns when it is committed."""
        self.sitings[siting.digest] = siting
        await self.path.put_in_force(Resited(self.path.now(), siting.digest, by, detail), siting)


@dataclass(frozen=True, slots=True)
class HealthOfHistory:
    """How far the history is."""

    store: str
    shipper: Shipper

    def __call__(self) -> HistoryHealth:
        """The shipper's last look."""
        lag = self.shipper.lag()
        return HistoryHealth(self.store, lag.behind, lag.refused)
