"""A storm of alarms: a hall of machines that all fail, what they say, and what became of every alarm in the end.

Each machine has three alarms in it: a fault, a low battery, an opened case. Buttons call for help, detectors cry fire.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from gateway.store.engines import make_engine
from gateway.store.sql import sqlite_url
from sensors.inputs import Attempting, unpack

PREFIX = "hallwatch/v1/main"
ALL_DAY = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
MACHINE: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("equipment", "equipment_fault", {"state": "fault", "code": "jam"}),
    ("contact", "tamper", {"open": False, "tamper": True}),
    ("battery", "battery_low", {"low": True}),
)
FIRE = "fire/smoke-1"


@dataclass(frozen=True, slots=True)
class Said:
    """What a device publishes, and the key of the alarm that it raises."""

    topic: str
    payload: bytes
    key: str


def storm_site(port: int, hook: str, *, machines: int, buttons: int = 0) -> str:
    """The site file. JSON is YAML."""
    devices: list[dict[str, object]] = [{"id": "smoke-1", "kinds": ["fire"], "zone": "floor"}]
    kinds = [kind for kind, _, _ in MACHINE]
    devices += [{"id": f"m-{number}", "kinds": kinds, "zone": "floor"} for number in range(machines)]
    devices += [{"id": f"help-{number}", "kinds": ["button"], "zone": "floor"} for number in range(buttons)]
    role = {"id": "commander", "name": {"zh": "总指挥"}, "holders": ["wang"], "answer_s": 3600}
    plan = {
        "id": "fire", "name": {"zh": "火灾应急预案"}, "hazard": "fire", "verify_s": 3600, "repeat_s": 3600,
        "roles": [role], "messages": [{"stage": "verify", "audience": "holders", "text": {"zh": "请立即核实火情"}}],
    }  # fmt: skip
    hall = {
        "id": "main", "name": {"zh": "测试大厅"}, "hours": ALL_DAY, "devices": devices, "plans": [plan],
        "zones": [{"id": "floor", "name": {"zh": "大厅"}, "area_m2": 2000, "capacity": 2000}],
        "routing": {"people": ["wang", "li"], "answer_s": 3600, "repeat_s": 3600},
        "thresholds": {"equipment_raise_s": 0, "start_grace_s": 3600},
    }  # fmt: skip
    people = [
        {"id": name, "name": {"zh": name}, "contacts": {"hook": name, "log": name} if name == "wang" else {"log": name}}
        for name in ("wang", "li")
    ]
    site = {
        "site": "storm", "name": {"zh": "测试站点"}, "mqtt": {"host": "127.0.0.1", "port": port},
        "channels": [
            {"id": "log", "type": "log"},
            {"id": "hook", "type": "webhook", "url": hook, "allow_private": True, "timeout_s": 5},
        ],
        "people": people, "halls": [hall], "limits": {"devices": 100_000},
    }  # fmt: skip
    return json.dumps(site, ensure_ascii=False, indent=1)


def failures(machines: int) -> Iterator[Said]:
    """All that fails, machine after machine."""
    for sequence, (kind, fact, value) in enumerate(MACHINE, 1):
        for number in range(machines):
            yield _said("telemetry", f"m-{number}", kind, fact, value, sequence)


def calls(buttons: int) -> Iterator[Said]:
    """Every button is pressed once."""
    for number in range(buttons):
        yield _said("safety", f"help-{number}", "button", "help", {"action": "help"})


def fire() -> Said:
    """It burns."""
    return _said("safety", "smoke-1", "fire", "fire", {"alarm": True, "sensor": "smoke"})


def _said(topic_class: str, device: str, kind: str, fact: str, value: dict[str, object], sequence: int = 1) -> Said:
    body = json.dumps({"device": device, "boot": 1, "seq": sequence, "value": value}).encode()
    return Said(f"{PREFIX}/{topic_class}/{device}/{kind}", body, f"{fact}/{device}")


@dataclass(frozen=True, slots=True)
class Told:
    """One row of the outbox."""

    id: str
    about: str
    lane: str
    channel: str
    person: str
    code: str
    created: int
    state: str


@dataclass(slots=True)
class Aftermath:
    """What the store says of a storm: alarms by key, messages, where each alarm was told, attempts in order."""

    alarms: dict[str, str] = field(default_factory=dict)
    messages: dict[str, Told] = field(default_factory=dict)
    gathered: dict[str, set[str]] = field(default_factory=dict)
    attempts: list[tuple[int, str]] = field(default_factory=list)

    def told_by(self, channel: str) -> dict[str, set[str]]:
        """By which messages of a channel each alarm was told of, by alarm; a run's alarm is told of by the run's."""
        found: dict[str, set[str]] = {}
        for message in self.messages.values():
            if message.channel == channel:
                found.setdefault(message.about, set()).add(message.id)
        for alarm, summaries in self.gathered.items():
            found.setdefault(alarm, set()).update(one for one in summaries if self.messages[one].channel == channel)
        return found


def _reading(store: Path | str) -> Connection:
    """A connection of our own to a file or to a URL; it cannot write."""
    return make_engine(sqlite_url(store) if isinstance(store, Path) else store, writing=False).connect()


def unsettled(store: Path | str, alarms: int) -> int:
    """How many of so many alarms are not raised yet, and how many messages are still on their way."""
    with _reading(store) as rows:
        raised, waiting = rows.exec_driver_sql(
            "SELECT (SELECT count(*) FROM alarms),"
            " (SELECT count(*) FROM messages WHERE state IN ('queued', 'retry', 'attempting'))"
        ).one()
    return max(0, alarms - int(raised)) + int(waiting)


def aftermath(store: Path | str) -> Aftermath:
    """Read it, by a connection of our own."""
    made = Aftermath()
    with _reading(store) as rows:
        for (body,) in rows.exec_driver_sql("SELECT body FROM alarms"):
            alarm = json.loads(body)
            made.alarms[alarm["key"]] = alarm["run"] or alarm["id"]
        for (body,) in rows.exec_driver_sql("SELECT body FROM messages"):
            row = json.loads(body)
            names = ("id", "about", "lane", "channel", "person", "created", "state")
            message = Told(**{name: row.get(name, "") for name in names}, code=row["note"]["code"])
            made.messages[message.id] = message
        for about, summary in rows.exec_driver_sql("SELECT about, detail FROM events WHERE what = 'message.gathered'"):
            made.gathered.setdefault(about, set()).add(summary)
        for (blob,) in rows.exec_driver_sql('SELECT blob FROM journal ORDER BY "index"'):
            for item in unpack(blob):
                if isinstance(item, Attempting):
                    made.attempts += [(item.at, id_) for id_ in item.messages]
    return made
