"""What the server asks of the rest of the house, hall by hall: small protocols, declared where they are needed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from alerts.model import Book, Outcome
from dashboard.server.turned_away import TurnedAway
from gateway.batch import Siting
from gateway.history.contract import HistoryQuery
from gateway.raw import RawPage
from gateway.store.audit import Audit
from gateway.store.contract import QuarantineRow, Settled
from gateway.store.past import Past
from gateway.store.quarantine import Quarantine
from gateway.store.records import Records
from gateway.store.tokens import Tokens
from gateway.taps import Taps
from gateway.watch.meters import Meters
from gateway.watch.watched import Watched
from sensors.actions import Action
from sensors.hall.state import HallState
from sensors.site.difference import Difference
from sensors.site.index import SiteIndex
from sensors.site.limits import Limits


class Path(Protocol):
    """A hall's path, as people act on it."""

    version: int

    @property
    def stalled_since(self) -> int | None:
        """Since when the store takes nothing, ms since the epoch; None while it does."""
        ...

    def now(self) -> int:
        """The gateway's time, ms since the epoch."""
        ...

    async def act(self, actor: str, action: Action) -> Outcome:
        """Do what a person asks; returns when it is committed. Raises `RefusedError`."""
        ...

    async def wait_changed(self, version: int) -> int:
        """Wait until something was committed after `version`; returns the new version."""
        ...


class View(Protocol):
    """What stands in the hall now; only read, and only between two awaits."""

    @property
    def state(self) -> HallState:
        """The hall's state."""
        ...

    @property
    def site(self) -> SiteIndex:
        """The site file that is in force: it may be another one after the next await."""
        ...

    @property
    def book(self) -> Book:
        """What is open."""
        ...


class Replay(Protocol):
    """Gives a message of the quarantine, as it was mended, to the decoders once more."""

    async def __call__(self, row: QuarantineRow, settled: Settled) -> None:
        """Returns when it is committed as history. Raises `UndecodableError` while it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class HistoryHealth:
    """Where the history is kept, how many inputs of the journal it has not got yet, how many points it refused."""

    store: str = "sqlite"
    behind: int = 0
    refused: int = 0


class Health(Protocol):
    """Asks the shipper how far it is."""

    def __call__(self) -> HistoryHealth:
        """The state of the history now; answers at once."""
        ...


class Watch(Protocol):
    """Asks how the path itself is, and tells people of what is wrong with the watch."""

    def __call__(self) -> Watched:
        """As of now; answers at once."""
        ...

    @property
    def works(self) -> bool:
        """True while every session's last probe is fresh and the store takes what comes."""
        ...

    def tell(self, condition: str, wrong: str) -> None:
        """Raise a condition of the gateway's own with what is wrong, or clear it ("")."""
        ...

    def stands(self, condition: str) -> bool:
        """Whether such a condition stands."""
        ...


class RawLook(Protocol):
    """Looks for what a device sent last, as it came."""

    async def of(self, device: str, limit: int) -> RawPage:
        """The newest messages of a device. Raises `StoreError`."""
        ...


class Resite(Protocol):
    """Puts a new version of the site file in force."""

    async def __call__(self, siting: Siting, by: str, detail: str) -> None:
        """Returns when it is committed."""
        ...


class Reload(Protocol):
    """Reads the site file again."""

    async def __call__(self, by: str) -> Difference:
        """Put in force what stands there now; returns what changed, nothing if it is the one in force.

        Raises `HallwatchError` with the reasons, in both languages, if it cannot be; the old one goes on.
        """
        ...


@dataclass(frozen=True, slots=True)
class HallDesk:
    """One hall, with all that the server needs of it."""

    path: Path
    view: View
    records: Records
    past: Past
    quarantine: Quarantine
    replay: Replay
    history: HistoryQuery
    health: Health
    watch: Watch
    resite: Resite
    raw: RawLook
    taps: Taps

    @property
    def site(self) -> SiteIndex:
        """The site file that is in force."""
        return self.view.site

    @property
    def id(self) -> str:
        """The hall's id."""
        return self.site.hall.id


@dataclass(frozen=True, slots=True)
class House:
    """The whole site: its halls in the site file's order, what programs come in by, and the audit of all that."""

    halls: Mapping[str, HallDesk]
    tokens: Tokens
    audit: Audit
    meters: Meters = field(default_factory=Meters)
    reload: Reload | None = None
    turned_away: TurnedAway = field(default_factory=TurnedAway)

    @property
    def limits(self) -> Limits:
        """The bounds of the site file."""
        return next(iter(self.halls.values())).site.site.limits

    def hall(self, id: str | None) -> HallDesk | None:
        """A hall by its id; without one, the first."""
        if id is None:
            return next(iter(self.halls.values()))
        return self.halls.get(id)


HOUSE = web.AppKey("house", House)
