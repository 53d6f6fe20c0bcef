"""What the machines of one hall share: the site's words, the state that they fold, and the facts of this instant.

A machine that changes something marks what must be judged anew (`marks`); `hall.py` settles that once, after
everything that happens at the same instant has been taken in.
"""

from dataclasses import dataclass, field

from sensors.facts import Fact, FactKind, Subject
from sensors.hall.conditions import Conditions
from sensors.hall.state import DeviceState, HallState, Liveness, Origin, Staffing
from sensors.hall.timers import Timers
from sensors.readings import Kind
from sensors.site.index import SiteIndex

COUNTING = (Origin.SITE, Origin.APPROVED)


@dataclass(slots=True)
class Marks:
    """Ids of what must be judged anew: devices whose liveness changed, windows, services, zones."""

    devices: set[str] = field(default_factory=set)
    windows: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        """True when there is something to settle."""
        return bool(self.devices or self.windows or self.services or self.zones)


@dataclass(frozen=True, slots=True)
class Turned:
    """A window's staffing became another one (`at`, ms): for the history of windows, nobody need answer it."""

    window: str
    staffing: Staffing
    at: int


@dataclass(slots=True)
class Wiring:
    """Which devices watch what; worked out from the devices that count, and thrown away when they change."""

    readers: dict[str, list[str]] = field(default_factory=dict)
    entrances: list[str] = field(default_factory=list)
    seats: dict[str, list[str]] = field(default_factory=dict)
    counters: dict[str, list[str]] = field(default_factory=dict)
    queues: dict[str, list[str]] = field(default_factory=dict)
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)
    discovered: int = 0


class Floor:
    """One hall's common ground. Holds nothing of its own that is not in `state` or follows from it."""

    __slots__ = ("conditions", "facts", "index", "limits", "marks", "state", "timers", "turns", "wiring")

    def __init__(self, index: SiteIndex, state: HallState) -> None:
        self.index = index
        self.limits = index.hall.thresholds
        self.state = state
        self.facts: list[Fact] = []
        self.turns: list[Turned] = []
        self.timers = Timers(state.timers)
        self.conditions = Conditions(state.conditions, self.timers, self.facts)
        self.marks = Marks()
        self.wiring = Wiring()
        self.rewire()

    def take_facts(self) -> list[Fact]:
        """The facts told since the last call."""
        if not self.facts:
            return []
        facts = self.facts.copy()
        self.facts.clear()
        return facts

    def counts(self, device: DeviceState) -> bool:
        """Whether what a device says counts: it is of the site, or approved, and not retired."""
        return device.origin in COUNTING

    def online(self, id: str) -> bool:
        """Whether a device counts and is heard within its limit."""
        device = self.state.devices.get(id)
        return device is not None and device.liveness is Liveness.ONLINE and device.origin in COUNTING

    def edge(
        self,
        kind: FactKind,
        device: DeviceState,
        now: int,
        detail: str = "",
        value: float | None = None,
        *,
        verified: bool = True,
    ) -> None:
        """Tell of an event without an end about a device."""
        self.facts.append(
            Fact(
                key=f"{kind.value}/{device.id}",
                kind=kind,
                subject=Subject("device", device.id),
                holds=True,
                at=now,
                since=now,
                zone=device.zone,
                device=device.id,
                verified=verified,
                edge=True,
                detail=detail,
                value=value,
            )
        )

    def rewire(self) -> None:
        """Work out anew which devices watch what."""
        wiring = Wiring()
        for name in sorted(self.state.devices):
            device = self.state.devices[name]
            wiring.discovered += device.origin is Origin.DISCOVERED
            if self.counts(device):
                limits = self.index.silence(device.power, name)
                wiring.limits[name] = (limits.stale_s * 1000, limits.offline_s * 1000)
                _wire(wiring, device)
        self.wiring = wiring


def _wire(wiring: Wiring, device: DeviceState) -> None:
    kinds, name = device.kinds, device.id
    if Kind.BADGE in kinds:
        if device.window is None:
            wiring.entrances.append(name)
        else:
            wiring.readers.setdefault(device.window, []).append(name)
    if Kind.PRESENCE in kinds and device.window is not None:
        wiring.seats.setdefault(device.window, []).append(name)
    if device.zone is not None and (Kind.PEOPLE_COUNT in kinds or Kind.CROWD in kinds):
        wiring.counters.setdefault(device.zone, []).append(name)
    if Kind.QUEUE in kinds and device.service is not None:
        wiring.queues.setdefault(device.service, []).append(name)
