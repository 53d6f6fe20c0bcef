"""What the alert engine decides: alarms, plan runs, tickets, messages. Each is a row; a start loads them.

Frozen values inside `Book` are replaced, never changed, so a change is a new row and a rollback is the old one.
All instants are ms since the epoch (UTC).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from sensors.facts import FactKind, Subject
from sensors.readings import CrowdLevel
from sensors.site.model import Plan


class Priority(StrEnum):
    """Alarm priority (ISA-18.2 asks for few). `life_safety` is never grouped, silenced, throttled or delayed."""

    LIFE_SAFETY = "life_safety"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Lane(StrEnum):
    """Which workers send a message."""

    LIFE_SAFETY = "life_safety"
    OPERATIONAL = "operational"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A fact that someone must answer. Two axes: condition (active / cleared) and human (acknowledged or not).

    `closed` is set when the condition has cleared and a person has acknowledged; only an open alarm holds its key.
    `told` counts the people told so far, in the order of the routing; `next_told` is when the next one is told,
    `repeat_at` when those told are told again, `round` how often that was. `edge`: an event without an end raised it.
    `window` is where its device stands.
    """

    id: str
    hall: str
    key: str
    kind: FactKind
    subject: Subject
    priority: Priority
    raised: int
    since: int
    updated: int
    active: bool = True
    cleared: int | None = None
    acknowledged: int | None = None
    acknowledged_by: str | None = None
    closed: int | None = None
    verified: bool = True
    count: int = 1
    zone: str | None = None
    window: str | None = None
    device: str | None = None
    level: CrowdLevel | None = None
    detail: str = ""
    value: float | None = None
    threshold: float | None = None
    run: str | None = None
    ticket: str | None = None
    told: int = 0
    next_told: int | None = None
    everybody: bool = False
    repeat_at: int | None = None
    round: int = 0
    edge: bool = False


class Stage(StrEnum):
    """Stage of a run: verify (somebody looks, the clock runs), active (the plan's steps run), ended."""

    VERIFY = "verify"
    ACTIVE = "active"
    ENDED = "ended"


class Why(StrEnum):
    """How a run came to its stage. `call_point`, `heat`: an alarm that needs no second look. `person`: started or
    confirmed by one. `not_confirmed`: answered, but neither confirmed nor stood down in time
    (docs/adr/0005-fire-verify-clock.md).
    """

    ALARM = "alarm"
    SECOND_SIGNAL = "second_signal"
    CALL_POINT = "call_point"
    HEAT = "heat"
    PERSON = "person"
    NO_ANSWER = "no_answer"
    NOT_CONFIRMED = "not_confirmed"


class EndReason(StrEnum):
    """Why a run has ended: what a person says, or for a drill that it became real (an alarm, a start by a person)."""

    FALSE_ALARM = "false_alarm"
    ALL_CLEAR = "all_clear"
    DRILL_OVER = "drill_over"
    REAL_ALARM = "real_alarm"
    REAL_START = "real_start"


@dataclass(frozen=True, slots=True)
class RoleState:
    """Who has a role in a run: `told` counts the holders told so far, in order; `next_at` tells the next one."""

    role: str
    told: int = 0
    next_at: int | None = None
    answered_by: str | None = None
    answered: int | None = None
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of a run: done by whom and when; overdue when `due` has passed."""

    step: str
    due: int | None = None
    done: int | None = None
    done_by: str | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One activation of a plan, on a frozen copy of it.

    `answered` are the people who have answered in this stage, `told` those told so far. `extended`: an answer has
    set the verify clock anew, which happens once. `signals` are the devices whose alarms belong to the run.
    """

    id: str
    hall: str
    plan: Plan
    stage: Stage
    drill: bool
    started: int
    started_by: str
    why: Why
    stage_since: int
    verify_until: int | None = None
    repeat_at: int | None = None
    roles: tuple[RoleState, ...] = ()
    steps: tuple[StepState, ...] = ()
    alarms: tuple[str, ...] = ()
    zone: str | None = None
    ended: int | None = None
    ended_by: str | None = None
    end_reason: EndReason | None = None
    round: int = 0
    told: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    extended: bool = False
    signals: tuple[str, ...] = ()


class TicketState(StrEnum):
    """A ticket's way (工单): open, accepted, done."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A maintenance ticket, one per open fault; repeats are counted and noted on it.

    `cleared`: since when the device says that it is well again; the ticket still waits for a person.
    """

    id: str
    hall: str
    key: str
    subject: Subject
    state: TicketState
    opened: int
    opened_by: str
    text: str
    updated: int
    count: int = 1
    accepted: int | None = None
    accepted_by: str | None = None
    done: int | None = None
    done_by: str | None = None
    note: str = ""
    alarm: str | None = None
    zone: str | None = None
    window: str | None = None
    cleared: int | None = None


class MessageState(StrEnum):
    """A message's way out. `unknown`: a routine message that left and was not answered; a person can see it."""

    QUEUED = "queued"
    ATTEMPTING = "attempting"
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"
    UNKNOWN = "unknown"
    ANSWERED = "answered"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Note:
    """What a message says, as codes and parameters; the senders put it into words of both languages."""

    code: str
    params: tuple[tuple[str, str], ...] = ()
    text_zh: str = ""
    text_en: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the outbox: what must be told to whom by which channel. Written with the alarm, sent afterwards.

    `about` is the id of the alarm or run (a summary is about itself); `attempts` counts sends begun, `refused` those
    that the service refused; `duplicate` marks a possible second copy.
    `unwritten` marks a copy that leaves before its row could be written; the row itself never says so.
    """

    id: str
    hall: str
    lane: Lane
    about: str
    person: str | None
    channel: str
    address: str
    note: Note
    created: int
    not_before: int
    state: MessageState = MessageState.QUEUED
    attempts: int = 0
    updated: int = 0
    error: str = ""
    duplicate: bool = False
    unwritten: bool = False
    drill: bool = False
    answerable: bool = True
    answered: int | None = None
    round: int = 1
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the log that is never changed: what happened to which thing, by whom."""

    hall: str
    at: int
    about: str
    what: str
    actor: str = ""
    detail: str = ""


@dataclass(slots=True)
class Changes:
    """The rows that one batch changed, to be written in its transaction. The last one of an id wins."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """True when there is anything to write."""
        return bool(self.alarms or self.runs or self.tickets or self.messages or self.events or self.counters)


@dataclass(slots=True)
class Book:
    """What is open in one hall, by id; loaded from rows at start. `counters` number the next ids (A, R, T, M).

    `messages` holds only what is not at its end (queued, attempting, retry) or still may be answered.
    """

    alarms: dict[str, Alarm] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did: `refs` are the ids of what it made or changed."""

    refs: tuple[str, ...] = ()
