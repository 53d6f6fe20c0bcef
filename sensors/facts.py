"""Facts: what became true or false in a hall. They are made by `sensors.hall` and answered by `alerts`."""

from dataclasses import dataclass
from enum import StrEnum

from sensors.readings import CrowdLevel


class FactKind(StrEnum):
    """The conditions of this system; a plan or an alarm rule names one of them."""

    FIRE = "fire"
    FIRE_TEST = "fire_test"
    EQUIPMENT_FAULT = "equipment_fault"
    DEVICE_SILENT = "device_silent"
    WINDOW_UNSTAFFED = "window_unstaffed"
    CROWD = "crowd"
    QUEUE_LONG = "queue_long"
    HELP = "help"
    BROKER_LOST = "broker_lost"
    FAULT_BUTTON = "fault_button"
    TAMPER = "tamper"
    BATTERY_LOW = "battery_low"
    CLOCK_SKEW = "clock_skew"
    SEQUENCE_GAP = "sequence_gap"
    SESSION_LOST = "session_lost"
    PUNCH = "punch"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a fact is about: `type` is device, window, zone, service, person, hall or gateway."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that became true (`holds`) or false, holds and hysteresis already applied.

    `key` names the condition uniquely within its hall ("window_unstaffed/w3"): at most one alarm is open for it.
    `at` is when the fact came to hold or ceased, `since` when what it rests on began (ms since the epoch).
    `verified` is False for what only asks people to look: a retained fire, a fire of an unapproved device.
    A fact whose `edge` is True is an event without an end (a punch, a gap, a detector's test).
    `again`: it held already and its source said so once more, or its level changed.
    """

    key: str
    kind: FactKind
    subject: Subject
    holds: bool
    at: int
    since: int
    zone: str | None = None
    device: str | None = None
    level: CrowdLevel | None = None
    verified: bool = True
    edge: bool = False
    again: bool = False
    detail: str = ""
    value: float | None = None
    threshold: float | None = None
