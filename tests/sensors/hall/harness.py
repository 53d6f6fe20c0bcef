"""A hall that speaks the domain: "badge in", "forward 7 minutes", "expect unstaffed". No broker, no decoder."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sensors.actions import Action, write_action
from sensors.decode.family import Decoded
from sensors.decode.reception import Arrival
from sensors.facts import Fact, FactKind
from sensors.hall.hall import Hall
from sensors.hall.state import HallState, Staffing
from sensors.inputs import Acted, AnyInput, Heard, Lane, Linked, Started, Ticked
from sensors.readings import (
    VALUES,
    Availability,
    Badge,
    BadgeResult,
    Clock,
    Direction,
    Flag,
    Kind,
    Place,
    Presence,
    Reading,
    Value,
)
from sensors.site.model import Site

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = "2026-03-02"
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-12:00", "13:30-17:00"))
KINDS = {
    "r": Kind.BADGE,
    "s": Kind.PRESENCE,
    "q": Kind.QUEUE,
    "c": Kind.PEOPLE_COUNT,
    "p": Kind.EQUIPMENT,
    "f": Kind.FIRE,
    "b": Kind.BUTTON,
    "x": Kind.CROWD,
}


def ms(clock: str, day: str = MONDAY) -> int:
    """The instant at which the hall's clock shows "HH:MM" or "HH:MM:SS"."""
    return int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE).timestamp() * 1000)


def site(**changes: object) -> Site:
    """Three windows, each with a reader and a seat sensor; a queue, a printer, two detectors, buttons, counters."""
    windows = [
        {"id": f"w{n}", "number": n, "name": {"zh": f"{n}号窗口"}, "zone": "a", "services": ["card"]} for n in (1, 2, 3)
    ]
    devices: list[dict[str, object]] = []
    for n in (1, 2, 3):
        devices.append({"id": f"r{n}", "kinds": ["badge"], "window": f"w{n}"})
        devices.append({"id": f"s{n}", "kinds": ["presence"], "window": f"w{n}"})
    devices += [
        {"id": "q1", "kinds": ["queue"], "zone": "a", "service": "card"},
        {"id": "p1", "kinds": ["equipment"], "zone": "a", "asset": "printer"},
        {"id": "f1", "kinds": ["fire"], "zone": "a"},
        {"id": "f2", "kinds": ["fire"], "zone": "a", "power": "sleeping"},
        {"id": "b1", "kinds": ["button"], "window": "w1"},
        {"id": "c1", "kinds": ["people_count"], "zone": "a"},
        {"id": "c2", "kinds": ["people_count"], "zone": "a"},
    ]
    hall: dict[str, object] = {
        "id": "main",
        "name": {"zh": "大厅"},
        "hours": WEEK,
        "zones": [{"id": "a", "name": {"zh": "甲区"}, "area_m2": 100, "capacity": 300}],
        "services": [{"id": "card", "name": {"zh": "办卡"}, "service_time_s": 300}],
        "windows": windows,
        "devices": devices,
        "shifts": [{"person": "p-wang", "window": "w3"}, {"person": "p-li", "window": "w1"}],
    }
    return Site.model_validate(
        {
            "site": "school",
            "name": {"zh": "学校"},
            "people": [
                {"id": "p-wang", "name": {"zh": "王"}, "badges": ["04A1B2"]},
                {"id": "p-li", "name": {"zh": "李"}, "badges": ["04C3D4"]},
            ],
            "halls": [{**hall, **changes}],
        }
    )


TOKENS = {"p-wang": "04A1B2", "p-li": "04C3D4"}


@dataclass
class Speaking:
    """A hall, its inputs so far and the facts that it told."""

    site: Site = field(default_factory=site)
    now: int = ms("08:00")
    digest: str = "site-1"
    tick_ms: int | None = None
    state: HallState | None = None
    facts: list[Fact] = field(default_factory=list)
    inputs: list[tuple[AnyInput, Arrival | None]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hall = Hall(self.site, "main", self.state)

    # -- inputs -----------------------------------------------------------------------------------------------

    def take(self, item: AnyInput, arrival: Arrival | None = None) -> list[Fact]:
        self.inputs.append((item, arrival))
        self.now = max(self.now, item.at)
        told = fold(self.hall, item, arrival)
        self.facts += told
        return told

    def start(self) -> "Speaking":
        self.take(Started(self.now, self.digest))
        for lane in Lane:
            self.take(Linked(self.now, lane, up=True))
        self.beat()
        return self

    def open(self) -> "Speaking":
        """A hall that has started at 08:00 and stands at 09:00, all devices heard."""
        self.start()
        return self.until("09:00")

    def says(
        self,
        device: str,
        *values: Value,
        retained: bool = False,
        flags: Flag = Flag.NONE,
        replayed: bool = False,
        clock: Clock = Clock.NONE,
        device_time: int | None = None,
        boot: int | None = None,
        sequence: int | None = None,
        lane: Lane = Lane.TELEMETRY,
    ) -> list[Fact]:
        known = self.hall.state.devices.get(device)
        approved = known is not None and self.hall._floor.counts(known)
        place = Place() if known is None else Place(known.zone, known.window)
        kinds = {type_: kind for kind, type_ in VALUES.items()}
        pairs = tuple((kinds[type(value)], value) for value in values)
        readings = tuple(
            Reading(
                "main",
                device,
                place,
                kind,
                value,
                self.now,
                device_time,
                clock,
                boot,
                sequence,
                retained,
                flags,
                approved,
            )
            for kind, value in pairs
        )
        decoded = Decoded(device, pairs, device_time, clock, boot, sequence, flags)
        arrival = Arrival("native", device, decoded, readings, approved)
        topic, payload = f"t/{device}", repr((values, len(self.inputs))).encode()
        item = Heard(self.now, topic, payload, lane, retained, replayed, awaiting=not approved)
        return self.take(item, arrival)

    def beat(self) -> None:
        """Every device that is not silent says that it is there."""
        for device in sorted(self.hall.state.devices):
            if device not in self.silent and self.hall._floor.counts(self.hall.state.devices[device]):
                self.says(device, Availability(online=True))

    def forward(self, *, minutes: float = 0, seconds: float = 0) -> "Speaking":
        """Let time pass; devices speak every minute."""
        end = self.now + int(minutes * 60_000 + seconds * 1000)
        step = self.tick_ms or 60_000
        while self.now < end:
            beat = (self.now // 60_000 + 1) * 60_000
            self.take(Ticked(min(end, self.now // step * step + step, beat)))
            if self.now == beat:
                self.beat()
        return self

    def until(self, clock: str, day: str = MONDAY) -> "Speaking":
        return self.forward(seconds=(ms(clock, day) - self.now) / 1000)

    def badge_in(self, window: str, person: str, **more: object) -> list[Fact]:
        return self.says(f"r{window[1:]}", Badge(TOKENS[person], BadgeResult.GRANTED), **more)  # type: ignore[arg-type]

    def badge_out(self, window: str, person: str) -> list[Fact]:
        return self.says(f"r{window[1:]}", Badge(TOKENS[person], BadgeResult.GRANTED, Direction.OUT))

    def sits(self, window: str, present: bool = True) -> list[Fact]:
        return self.says(f"s{window[1:]}", Presence(present))

    def serve(self, window: str = "w3", person: str = "p-wang") -> "Speaking":
        self.badge_in(window, person)
        self.sits(window)
        return self

    def silence(self, *devices: str) -> "Speaking":
        self.silent.update(devices)
        return self

    def act(self, action: Action, actor: str = "manager") -> list[Fact]:
        self.hall.check(action, self.now)
        return self.take(Acted(self.now, actor, write_action(action)))

    # -- questions --------------------------------------------------------------------------------------------

    def staffing(self, window: str = "w3") -> Staffing:
        return self.hall.state.windows[window].staffing

    def told(self, kind: FactKind, id: str | None = None) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind is kind and id in {None, fact.subject.id}]

    def expect(self, kind: FactKind, id: str | None = None, *, holds: bool = True) -> Fact:
        """The last fact of this kind (and about this thing); it must hold, or have ceased."""
        told = self.told(kind, id)
        assert told, f"nothing was told of {kind} {id}; told: {[(f.key, f.holds) for f in self.facts]}"
        assert told[-1].holds is holds, told[-1]
        return told[-1]

    def expect_none(self, *kinds: FactKind) -> None:
        wanted = kinds or tuple(FactKind)
        assert [fact for fact in self.facts if fact.kind in wanted] == []


def fold(hall: Hall, item: AnyInput, arrival: Arrival | None) -> list[Fact]:
    """One input as the gateway takes it: deadlines first."""
    hall.lapse(item)
    facts: list[Fact] = []
    while (due := hall.next_due()) is not None and due <= item.at:
        facts += hall.fire_due(due)
    return facts + hall.step(item, arrival)


def replay(site: Site, inputs: Iterable[tuple[AnyInput, Arrival | None]], state: HallState | None = None) -> Hall:
    """The fold of recorded inputs."""
    hall = Hall(site, "main", state)
    for item, arrival in inputs:
        fold(hall, item, arrival)
    return hall
