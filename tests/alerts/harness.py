"""Speaks the domain to the alert engine: "smoke here", "forward three minutes", "who was told", "kill and restart".

Rows are kept as the store keeps them, and a restart makes the book from nothing but them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from alerts.engine import Engine
from alerts.model import (
    Alarm,
    Book,
    Changes,
    Event,
    Message,
    MessageState,
    Outcome,
    Priority,
    Run,
    Stage,
    Ticket,
    TicketState,
)
from sensors.actions import Action, StartPlan, write_action
from sensors.facts import Fact, FactKind, Subject
from sensors.hall.state import DeviceState, HallState, Origin
from sensors.inputs import Acted, AnyInput, Attempting, Reported, Started
from sensors.readings import CrowdLevel, Kind
from sensors.site.model import Site

START = 1_760_000_000_000
ON_ITS_WAY = {MessageState.QUEUED, MessageState.ATTEMPTING, MessageState.RETRY}
TOLD = {MessageState.SENT, MessageState.UNKNOWN, MessageState.DEAD}


def words(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def person(id: str, *channels: str) -> dict[str, object]:
    return {"id": id, "name": words(id), "contacts": {channel: f"{id}@{channel}" for channel in channels}}


def role(id: str, *holders: str, answer_s: int = 30) -> dict[str, object]:
    return {"id": id, "name": words(id), "holders": holders, "answer_s": answer_s}


FIRE_PLAN: dict[str, object] = {
    "id": "fire",
    "name": words("fire plan"),
    "hazard": "fire",
    "verify_s": 180,
    "repeat_s": 60,
    "roles": [role("lead", "ann", "bob"), role("guide", "cat", "dan", "eve")],
    "steps": [
        {"id": "look", "role": "lead", "stage": "verify", "due_s": 60, "text": words("look")},
        {"id": "call", "role": "lead", "due_s": 60, "text": words("call 119")},
        {"id": "count", "role": "guide", "due_s": 300, "text": words("count")},
    ],
    "messages": [
        {"stage": "verify", "audience": "holders", "text": words("go and look")},
        {"stage": "active", "audience": "roles", "text": words("do your part")},
        {"stage": "active", "audience": "public", "text": words("leave the hall")},
    ],
}
CROWD_PLAN: dict[str, object] = {
    "id": "crowd",
    "name": words("crowd plan"),
    "hazard": "crowd",
    "repeat_s": 60,
    "roles": [role("entrance", "bob", "cat")],
    "messages": [{"audience": "roles", "text": words("hold the entrance")}],
}
HALL: dict[str, object] = {
    "id": "h",
    "name": words("hall"),
    "hours": {"mon": ["08:00-17:00"]},
    "zones": [{"id": "z1", "name": words("zone one"), "area_m2": 50, "capacity": 80}],
    "plans": [FIRE_PLAN, CROWD_PLAN],
    "routing": {"people": ["ann", "bob", "cat"], "channels": ["mail"], "answer_s": 300, "repeat_s": 300},
}
SITE: dict[str, object] = {
    "site": "s",
    "name": words("site"),
    "channels": [
        {"id": "mail", "type": "email", "host": "127.0.0.1", "sender": "hall@example.org"},
        {"id": "hook", "type": "webhook", "url": "https://example.org/"},
        {"id": "board", "type": "mqtt"},
        {"id": "log", "type": "log"},
    ],
    "people": [
        person("ann", "mail", "hook"),
        person("bob", "mail"),
        person("cat", "mail"),
        person("dan", "mail"),
        person("eve", "mail"),
        person("fay"),
        person("gus", "mail"),
    ],
    "halls": [HALL],
}


def site(**hall: object) -> Site:
    """The site of these tests, its hall changed by what is given."""
    return Site.model_validate({**SITE, "halls": [{**HALL, **hall}]})


def plan(base: dict[str, object], **changed: object) -> dict[str, object]:
    return {**base, **changed}


@dataclass(slots=True)
class Rows:
    """What a store holds."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    def write(self, changes: Changes) -> None:
        self.alarms |= changes.alarms
        self.runs |= changes.runs
        self.tickets |= changes.tickets
        self.messages |= changes.messages
        self.events += changes.events
        self.counters |= changes.counters
        keys = [alarm.key for alarm in self.alarms.values() if alarm.closed is None]
        assert len(keys) == len(set(keys)), "two open alarms of one key"
        open_tickets = [ticket.key for ticket in self.tickets.values() if ticket.state is not TicketState.DONE]
        assert len(open_tickets) == len(set(open_tickets)), "two open tickets of one key"
        live = [run.plan.id for run in self.runs.values() if run.stage is not Stage.ENDED]
        assert len(live) == len(set(live)), "two live runs of one plan"

    def book(self) -> Book:
        """What a start loads, as the store selects it."""
        alarms = {one.id: one for one in self.alarms.values() if one.closed is None}
        runs = {one.id: one for one in self.runs.values() if one.ended is None}
        return Book(
            alarms=alarms,
            runs=runs,
            tickets={one.id: one for one in self.tickets.values() if one.state is not TicketState.DONE},
            messages={
                one.id: one
                for one in self.messages.values()
                if one.state in ON_ITS_WAY
                or (
                    one.state in TOLD
                    and one.answerable
                    and one.answered is None
                    and (one.about in alarms or one.about in runs)
                )
            },
            counters=dict(self.counters),
        )


class Scene:
    """A hall with an engine, a clock and a store. Messages arrive at once unless `mute`."""

    def __init__(self, site_: Site | None = None, *, mute: bool = False) -> None:
        self.site = site_ or site()
        self.now = START
        self.rows = Rows()
        self.state = HallState("h")
        self.mute = mute
        self.engine = Engine(self.site, "h", Book())
        self._marked = 0

    # -- what happens ---------------------------------------------------------------------------------------

    def device(self, id: str, *kinds: Kind, zone: str | None = "z1") -> None:
        self.state.devices[id] = DeviceState(id, "native", id, Origin.SITE, kinds, zone=zone)

    def fact(self, kind: FactKind, id: str, **more: object) -> Fact:
        """A fact about a device (or what `subject` says) that came to hold now."""
        plain = Fact(
            key=f"{kind.value}/{id}",
            kind=kind,
            subject=Subject("device", id),
            holds=True,
            at=self.now,
            since=self.now,
            zone="z1",
            device=id,
        )
        return replace(plain, **more)  # type: ignore[arg-type]

    def tell(self, *facts: Fact) -> None:
        """Let facts come in with an input."""
        self.advance(self.now)
        self.engine.decide(self.now, facts, self.state)
        self._settle()

    def raised(self, kind: FactKind, id: str = "d1", **more: object) -> Alarm:
        self.tell(self.fact(kind, id, **more))
        return self.alarm(kind, id)

    def cleared(self, kind: FactKind, id: str = "d1") -> None:
        self.tell(self.fact(kind, id, holds=False))

    def smoke(self, id: str = "s1", **more: object) -> Alarm:
        return self.raised(FactKind.FIRE, id, **{"detail": "smoke", **more})

    def crowd(self, level: CrowdLevel, **more: object) -> Alarm:
        subject = {"subject": Subject("zone", "z1"), "device": None, "level": level}
        return self.raised(FactKind.CROWD, "z1", **{**subject, **more})

    def forward(self, *, minutes: float = 0, seconds: float = 0, steps: int = 1) -> None:
        """Let time pass, looking `steps` times."""
        begin, end = self.now, self.now + round((minutes * 60 + seconds) * 1000)
        for step in range(1, steps + 1):
            self.advance(begin + (end - begin) * step // steps)
        self.now = end

    def advance(self, now: int) -> None:
        """Fire what is due by `now`; every message is sent as soon as it is written."""
        while (due := self.engine.next_due()) is not None and due <= now:
            self.now = due
            self.engine.fire_due(due, self.state)
            self._settle()
        self.now = max(self.now, now)

    def do(self, action: Action, by: str = "ann") -> Outcome:
        """A person acts."""
        self.advance(self.now)
        self.engine.check(action, self.state)
        outcome = self.step(Acted(self.now, by, write_action(action)))
        self._settle()
        return outcome

    def step(self, item: AnyInput) -> Outcome:
        outcome = self.engine.step(item, (), self.state)
        self.rows.write(self.engine.take())
        return outcome

    def attempt(self, *ids: str) -> None:
        self.step(Attempting(self.now, ids))

    def report(self, id: str, outcome: str, error: str = "", retry_after_s: float = 0) -> Message:
        self.step(Reported(self.now, id, outcome, error, retry_after_s))
        return self.rows.messages[id]

    def restart(self) -> None:
        """Kill the process: only rows are left."""
        self.engine = Engine(self.site, "h", self.rows.book())
        self.step(Started(self.now, "digest"))
        self._settle()

    def _settle(self) -> None:
        self.rows.write(self.engine.take())
        if not self.mute:
            self.send()

    def send(self) -> None:
        """All that is ready goes out and arrives."""
        ready = [message.id for message in self.engine.ready(self.now)]
        if ready:
            self.attempt(*ready)
            for message in ready:
                self.report(message, "sent")

    # -- what is to be seen ---------------------------------------------------------------------------------

    def alarm(self, kind: FactKind, id: str = "d1") -> Alarm:
        """The newest alarm of a condition, open or closed."""
        found = [one for one in self.rows.alarms.values() if one.key == f"{kind.value}/{id}"]
        assert found, f"no alarm {kind.value}/{id}"
        return found[-1]

    def expect_alarm(self, kind: FactKind, id: str = "d1", **expected: object) -> Alarm:
        alarm = self.alarm(kind, id)
        for name, value in expected.items():
            assert getattr(alarm, name) == value, f"{name}: {getattr(alarm, name)!r}, not {value!r}"
        return alarm

    def run(self) -> Run:
        """The newest run."""
        return list(self.rows.runs.values())[-1]

    def ticket(self) -> Ticket:
        """The newest ticket."""
        return list(self.rows.tickets.values())[-1]

    def mark(self) -> None:
        """Look only at messages from here on."""
        self._marked = len(self.rows.messages)

    def posted(self) -> list[Message]:
        """The messages since the mark, in the order in which they were written; then mark."""
        new = list(self.rows.messages.values())[self._marked :]
        self.mark()
        return new

    def told(self) -> list[tuple[str | None, str]]:
        """Who was told what since the mark, each once, sorted; then mark."""
        return sorted({(one.person, one.note.code) for one in self.posted()}, key=str)

    def people(self) -> list[str]:
        """Who was told anything since the mark; then mark."""
        return sorted({one.person for one in self.posted() if one.person is not None})

    def logged(self, prefix: str = "") -> list[str]:
        return [event.what for event in self.rows.events if event.what.startswith(prefix)]

    def message_to(self, who: str, about: str | None = None) -> Message:
        """The newest message to a person."""
        mine: Iterable[Message] = self.rows.messages.values()
        return [one for one in mine if one.person == who and about in (None, one.about)][-1]


HOLDERS = ["ann", "bob", "cat", "dan", "eve"]


def active(scene: Scene) -> bool:
    return scene.run().stage is Stage.ACTIVE


def start(scene: Scene, *, drill: bool = False, confirm: str = "fire") -> str:
    """Ann starts the fire plan by hand; the run's id."""
    return scene.do(StartPlan("fire", confirm, drill=drill), by="ann").refs[0]


__all__ = [
    "CROWD_PLAN",
    "FIRE_PLAN",
    "HOLDERS",
    "START",
    "Priority",
    "Rows",
    "Scene",
    "active",
    "plan",
    "role",
    "site",
    "start",
    "words",
]
