"""The hall's state: what the fold of the journal yields, and what a snapshot keeps.

Plain slotted dataclasses of msgspec-friendly types, so that a snapshot is `msgspec.msgpack.encode` of the
whole. They are changed in place by the machines beside this file and by nothing else; others only read.
All instants are ms since the epoch (UTC); None means "not known", never "zero" or "normal".
"""

from dataclasses import dataclass, field
from enum import StrEnum

from sensors.facts import FactKind, Subject
from sensors.readings import Clock, CrowdLevel, EquipmentState, Kind


class Liveness(StrEnum):
    """Online: heard within its limit. Stale: silent too long. Offline: its last will, or longer."""

    ONLINE = "online"
    STALE = "stale"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Where a device's entry comes from: the site file wins over an approval."""

    SITE = "site"
    APPROVED = "approved"
    DISCOVERED = "discovered"
    RETIRED = "retired"


class Staffing(StrEnum):
    """State of a window. `closed` is outside its hours."""

    STAFFED = "staffed"
    UNSTAFFED = "unstaffed"
    PAUSED = "paused"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class Punch(StrEnum):
    """A person against a shift's session. `expected`: it has not begun, or its grace has not passed."""

    EXPECTED = "expected"
    ON_TIME = "on_time"
    LATE = "late"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class SequenceWindow:
    """The sequences heard of one boot: the highest, and a bitmap of the 1024 up to it (bit 0 is the highest).

    `first` is the lowest ever heard: what is missing between it and the highest is a gap, what is below is not.
    `newest` is the highest of each kind: what comes below it says what was, and not what is. `told` is the latest
    time (ms) that the device has claimed in it.
    """

    boot: int
    highest: int
    seen: bytes = b"\x01"
    first: int = 0
    newest: dict[Kind, int] = field(default_factory=dict)
    told: int | None = None


@dataclass(slots=True)
class Account:
    """Messages of one device by what became of them; `received` is their sum.

    `reasons` counts what was quarantined or refused by the codes of `sensors.decode.reasons`.
    """

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    awaiting: int = 0
    probe: int = 0
    gaps: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class DeviceState:
    """What is known of one device.

    `lanes` is the set of sessions it was heard on, as bits of `Lane`; `patience` (ms) is what was left of its
    limit of silence when we ceased to listen; `fire` and `equipment` are last-known, with their `_at`. `past_boots` are
    the boots before those in `boots`, eight bytes each.
    """

    id: str
    family: str
    address: str
    origin: Origin
    kinds: tuple[Kind, ...]
    zone: str | None = None
    window: str | None = None
    service: str | None = None
    power: str = "mains"
    model: str = ""
    liveness: Liveness = Liveness.UNKNOWN
    liveness_since: int = 0
    last_seen: int | None = None
    first_seen: int | None = None
    said_offline: bool = False
    clock: Clock = Clock.NONE
    skew_ms: int | None = None
    battery_pct: float | None = None
    battery_low: bool | None = None
    boots: list[SequenceWindow] = field(default_factory=list)
    past_boots: bytes = b""
    last_unnumbered: bytes = b""
    account: Account = field(default_factory=Account)
    sample: bytes = b""
    equipment: EquipmentState | None = None
    equipment_code: str | None = None
    equipment_at: int | None = None
    fire: bool | None = None
    fire_at: int | None = None
    fire_sensor: str | None = None
    shadowed: bool = False
    lanes: int = 0
    patience: int | None = None


@dataclass(slots=True)
class Pause:
    """A person said that a window is paused: until when, or covered by whom."""

    by: str
    since: int
    until: int | None = None
    covered_by: str | None = None
    reason: str = ""


@dataclass(slots=True)
class WindowState:
    """A window: `people` are the ids of the persons whose badge says they are there, and since when.

    `present` is last-known and for showing; `seats` holds what each presence sensor said live. `sure` is False
    where the state rests on one of two kinds of evidence. `leaving`: when the evidence for `staffed` went away.
    """

    id: str
    staffing: Staffing = Staffing.UNKNOWN
    since: int = 0
    open: bool = False
    people: dict[str, int] = field(default_factory=dict)
    present: bool | None = None
    present_at: int | None = None
    pause: Pause | None = None
    seats: dict[str, bool] = field(default_factory=dict)
    sure: bool = True
    leaving: int | None = None
    leaving_down: bool = False


@dataclass(slots=True)
class SessionState:
    """A person's session of a shift on one day. `key` is person/window/start."""

    key: str
    person: str
    window: str
    start: int
    end: int
    punch: Punch = Punch.EXPECTED
    first_in: int | None = None
    minutes_late: int | None = None
    reader_down: bool = False


@dataclass(slots=True)
class ServiceState:
    """A queue: `wait_s` is (length + 1) · service time / open windows (QL, Ibrahim & Whitt 2009) or the sensor's own.

    `stale`: its sensor is silent, so the figures are last-known. `own_wait_s` and `length` are live or last-known.
    `live`: the figures come from a live message and not from a retained one.
    """

    id: str
    length: int | None = None
    wait_s: float | None = None
    at: int | None = None
    open_windows: int = 0
    own_wait_s: float | None = None
    stale: bool = True
    live: bool = False


@dataclass(slots=True)
class ZoneState:
    """People in a zone; `level` has its hold times applied, None while nobody can say. `counts` are per sensor.

    `unsure` names sensors of which only a retained count is known.
    """

    id: str
    occupancy: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    level: CrowdLevel | None = None
    level_since: int = 0
    at: int | None = None
    device_levels: dict[str, CrowdLevel] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Condition:
    """A condition with its holds: pending since, active since, clearing since (None where it is not).

    `kind` None is an inner step that is told to nobody; `told` is when it was told of last.
    """

    key: str
    pending: int | None = None
    active: int | None = None
    clearing: int | None = None
    due: int | None = None
    level: CrowdLevel | None = None
    detail: str = ""
    value: float | None = None
    threshold: float | None = None
    kind: FactKind | None = None
    subject: Subject | None = None
    zone: str | None = None
    device: str | None = None
    verified: bool = True
    told: int | None = None


@dataclass(slots=True)
class ProbeState:
    """The newest synthetic message that came back by a session: its id, when it was sent and when it was heard."""

    id: str
    sent: int
    at: int


@dataclass(slots=True)
class HallState:
    """Everything that the fold of one hall's journal yields."""

    hall: str
    site: str = ""
    now: int = 0
    index: int = 0
    links: dict[str, bool] = field(default_factory=dict)
    link_since: dict[str, int] = field(default_factory=dict)
    devices: dict[str, DeviceState] = field(default_factory=dict)
    windows: dict[str, WindowState] = field(default_factory=dict)
    services: dict[str, ServiceState] = field(default_factory=dict)
    zones: dict[str, ZoneState] = field(default_factory=dict)
    sessions: dict[str, SessionState] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    stray: Account = field(default_factory=Account)
    probes: dict[str, ProbeState] = field(default_factory=dict)
