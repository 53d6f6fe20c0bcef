"""What goes to the page: entities, sent whole in a snapshot and then as deltas, 2 to 4 messages a second.

`GET /api/v1/live` (WebSocket): the server sends `Snapshot`, then `Delta`s with consecutive `seq`. A client that
sees a gap, or a new `build`, starts again. Codes and parameters only, never text (names come in both languages).
All instants are ms since the epoch on the server's clock; `now` lets a client show ages without its own clock.
The front end's types in `dashboard/web/src/lib/wire.ts` mirror this file; a test compares the two.
"""

import msgspec


class Name(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name in both languages.

    Who did something (`…_by`, `actor`) is a person of the site by name, else a word: a user, a device, `engine`.
    """

    zh: str
    en: str


class Entity(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """The root of entities; `id` is unique within its type, the wire's key is `type/id`."""

    id: str


class ProbeEntity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session's synthetic messages: when the newest that came back was sent, and how long it took (ms).

    `late`: none has come back for three periods, so the path is not known to work.
    """

    lane: str
    at: int | None = None
    took_ms: float | None = None
    late: bool = False


class HallEntity(Entity, frozen=True, tag="hall", omit_defaults=True):
    """The hall: its plan's size in metres, whether it is open now and until / from when, and its links.

    The account: `received` is the sum of what became of messages, `probe` those of our own among them, `reasons` what
    was quarantined or refused by code. `unexplained` were received and are in no account, `lost` were so when cut.
    """

    name: Name
    timezone: str
    size: tuple[float, float]
    open: bool
    changes_at: int | None = None
    links: dict[str, bool] = {}
    demo: bool = False
    clock_rate: float = 1.0
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    awaiting: int = 0
    probe: int = 0
    gaps: int = 0
    unexplained: int = 0
    lost: int = 0
    reasons: dict[str, int] = {}
    probes: tuple[ProbeEntity, ...] = ()
    history_behind: int = 0
    history_store: str = "sqlite"
    stalled_since: int | None = None


class ZoneEntity(Entity, frozen=True, tag="zone", omit_defaults=True):
    """A zone with its outline in metres. `level` is None while unknown; `stale` when its sensors are silent.

    Where nothing counts people (`counted` False) there is nothing to know, and so nothing unknown.
    """

    name: Name
    outline: tuple[tuple[float, float], ...]
    area_m2: float
    capacity: int
    occupancy: int | None = None
    level: str | None = None
    at: int | None = None
    stale: bool = False
    counted: bool = True


class WindowEntity(Entity, frozen=True, tag="window", omit_defaults=True):
    """A window: staffing is staffed / unstaffed / paused / unknown / closed, since when. `people` by name."""

    number: int
    name: Name
    zone: str
    services: tuple[str, ...]
    staffing: str
    since: int
    xy: tuple[float, float] | None = None
    people: tuple[Name, ...] = ()
    pause_until: int | None = None
    pause_by: Name | str | None = None
    covered_by: Name | None = None
    pause_reason: str = ""
    at: int | None = None


class ServiceEntity(Entity, frozen=True, tag="service", omit_defaults=True):
    """A queue: length and estimated wait (s)."""

    name: Name
    length: int | None = None
    wait_s: float | None = None
    at: int | None = None
    open_windows: int = 0
    threshold: int = 20
    stale: bool = False


class PersonEntity(Entity, frozen=True, tag="person", omit_defaults=True):
    """A person's session of today: punch is expected / on_time / late / absent / unknown."""

    name: Name
    window: str
    start: int
    end: int
    punch: str
    first_in: int | None = None
    minutes_late: int | None = None


class DeviceEntity(Entity, frozen=True, tag="device", omit_defaults=True):
    """A device: liveness online / stale / offline / unknown; origin site / approved / discovered / retired.

    `state` is its most telling state now: ok, degraded, fault, off, alarm, or None where it has none.
    """

    family: str
    origin: str
    kinds: tuple[str, ...]
    liveness: str
    liveness_since: int = 0
    name: Name | None = None
    zone: str | None = None
    window: str | None = None
    service: str | None = None
    xy: tuple[float, float] | None = None
    asset: str | None = None
    power: str = "mains"
    model: str = ""
    last_seen: int | None = None
    state: str | None = None
    code: str | None = None
    battery_pct: float | None = None
    battery_low: bool = False
    skew_ms: int | None = None
    gaps: int = 0
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    awaiting: int = 0
    shadowed: bool = False


class AlarmEntity(Entity, frozen=True, tag="alarm", omit_defaults=True):
    """An open alarm: condition (active) and human (acknowledged) axes, priority, and what it is about."""

    kind: str
    subject_type: str
    subject: str
    priority: str
    raised: int
    since: int
    active: bool
    cleared: int | None = None
    acknowledged: int | None = None
    acknowledged_by: Name | str | None = None
    closed: int | None = None
    verified: bool = True
    count: int = 1
    zone: str | None = None
    device: str | None = None
    level: str | None = None
    detail: str = ""
    value: float | None = None
    threshold: float | None = None
    run: str | None = None
    ticket: str | None = None
    told: int = 0
    next_told: int | None = None


class RoleEntity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A role of a run: who was told (names in order) and who answered."""

    id: str
    name: Name
    told: tuple[Name, ...] = ()
    answered_by: Name | str | None = None
    answered: int | None = None
    next_at: int | None = None


class StepEntity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of a run."""

    id: str
    role: str
    text: Name
    stage: str
    due: int | None = None
    done: int | None = None
    done_by: Name | str | None = None
    overdue: bool = False


class MessageEntity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message of a run or alarm: to whom, by which channel, and its state."""

    id: str
    to: Name | None
    channel: str
    state: str
    attempts: int = 0
    updated: int = 0
    error: str = ""
    duplicate: bool = False


class RunEntity(Entity, frozen=True, tag="run", omit_defaults=True):
    """A plan's run: stage verify / active / ended; a drill says so on every surface."""

    plan: str
    name: Name
    hazard: str
    stage: str
    drill: bool
    started: int
    started_by: Name | str
    why: str
    stage_since: int
    verify_until: int | None = None
    roles: tuple[RoleEntity, ...] = ()
    steps: tuple[StepEntity, ...] = ()
    messages: tuple[MessageEntity, ...] = ()
    alarms: tuple[str, ...] = ()
    zone: str | None = None
    ended: int | None = None
    ended_by: Name | str | None = None
    end_reason: str | None = None


class PlanEntity(Entity, frozen=True, tag="plan", omit_defaults=True):
    """A plan that a person may start."""

    name: Name
    hazard: str
    version: int


class TicketEntity(Entity, frozen=True, tag="ticket", omit_defaults=True):
    """A maintenance ticket: open, accepted, done."""

    state: str
    subject_type: str
    subject: str
    text: str
    opened: int
    opened_by: Name | str
    updated: int
    count: int = 1
    accepted: int | None = None
    accepted_by: Name | str | None = None
    done: int | None = None
    done_by: Name | str | None = None
    note: str = ""
    alarm: str | None = None
    zone: str | None = None
    window: str | None = None


class EventEntity(Entity, frozen=True, tag="event", omit_defaults=True):
    """One of the last events, newest first by `at`.

    `about` is an id. What it stands for goes with it, since that may be over: an alarm's kind and subject, a ticket's
    subject, the name of a run's plan, and of a message what it tells of.
    """

    at: int
    what: str
    about: str
    actor: Name | str = ""
    detail: str = ""
    kind: str = ""
    subject_type: str = ""
    subject: str = ""
    plan: Name | None = None


AnyEntity = (
    HallEntity
    | ZoneEntity
    | WindowEntity
    | ServiceEntity
    | PersonEntity
    | DeviceEntity
    | AlarmEntity
    | RunEntity
    | PlanEntity
    | TicketEntity
    | EventEntity
)


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", tag_field="t"):
    """All entities, keyed `type/id`; who looks, and what that one may do: rights, and actions by their `do`."""

    seq: int
    now: int
    build: str
    user: str | None
    csrf: str | None
    role: str | None
    rights: tuple[str, ...]
    actions: tuple[str, ...]
    entities: dict[str, AnyEntity]


class Delta(msgspec.Struct, frozen=True, tag="delta", tag_field="t", omit_defaults=True):
    """What changed: entities set whole, and keys gone. Sent at least each 2 s, empty or not (a heartbeat)."""

    seq: int
    now: int
    set: dict[str, AnyEntity]
    gone: tuple[str, ...] = ()
