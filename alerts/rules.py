"""What each kind of fact means: its alarm's priority, and whether somebody must mend something.

A table and nothing else decides this. A kind without a priority makes no alarm; a punch makes not even a line in
the log, since attendance keeps its own record.
"""

from dataclasses import dataclass
from typing import Final

from alerts.model import Priority, Why
from sensors.facts import Fact, FactKind
from sensors.readings import CrowdLevel, Kind

LEVELS: Final = tuple(CrowdLevel)
RANKS: Final = (Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.LIFE_SAFETY)

# What is sure enough not to wait for somebody who looks: a person broke the glass, or it is hot already.
CERTAIN: Final = {"mcp": Why.CALL_POINT, "heat": Why.HEAT}


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from a fact of one kind. `ticket` is the prefix of the ticket's key, if it opens one."""

    priority: Priority | None
    ticket: str | None = None
    logged: bool = True


RULES: Final[dict[FactKind, Rule]] = {
    FactKind.FIRE: Rule(Priority.LIFE_SAFETY),
    FactKind.HELP: Rule(Priority.LIFE_SAFETY),
    FactKind.CROWD: Rule(Priority.HIGH),
    FactKind.BROKER_LOST: Rule(Priority.HIGH),
    FactKind.TAMPER: Rule(Priority.HIGH),
    FactKind.WINDOW_UNSTAFFED: Rule(Priority.MEDIUM),
    FactKind.QUEUE_LONG: Rule(Priority.MEDIUM),
    FactKind.EQUIPMENT_FAULT: Rule(Priority.MEDIUM, ticket="fault"),
    FactKind.DEVICE_SILENT: Rule(Priority.MEDIUM),
    FactKind.GATEWAY: Rule(Priority.MEDIUM),
    FactKind.BATTERY_LOW: Rule(Priority.LOW, ticket="battery"),
    FactKind.FAULT_BUTTON: Rule(None, ticket="fault"),
    FactKind.FIRE_TEST: Rule(None),
    FactKind.SEQUENCE_GAP: Rule(None),
    FactKind.SESSION_LOST: Rule(None),
    FactKind.CLOCK_SKEW: Rule(None),
    FactKind.PUNCH: Rule(None, logged=False),
}

# What the gateway says of itself and what cannot wait: alarms that do not get out, a store that takes nothing.
GRAVE: Final = frozenset(
    {
        "dead_letter",
        "channel_failing",
        "nobody_told",
        "store",
        "store_lost",
        "store_damaged",
        "disk",
        "journal",
        "account",
        "forged",
        "path",
    }
)

# The hazard of the plan that an alarm of this kind starts.
HAZARDS: Final = {FactKind.FIRE: "fire", FactKind.CROWD: "crowd"}


def priority_of(fact: Fact, kinds: tuple[Kind, ...]) -> Priority | None:
    """The priority of the alarm that a fact makes, None if it makes none. `kinds` are what its device measures."""
    rule = RULES[fact.kind]
    if fact.kind is FactKind.CROWD and fact.level is CrowdLevel.RED:
        return Priority.LIFE_SAFETY
    if fact.kind is FactKind.DEVICE_SILENT and Kind.FIRE in kinds:
        return Priority.HIGH
    if fact.kind is FactKind.GATEWAY and GRAVE & set(fact.key.split("/")):
        return Priority.HIGH
    return rule.priority


def starts_plan(fact: Fact) -> bool:
    """Whether a fact starts the plan of its hazard: nothing unverified ever does."""
    if not fact.holds or not fact.verified:
        return False
    return fact.kind is FactKind.FIRE or (fact.kind is FactKind.CROWD and fact.level is CrowdLevel.RED)


def level_rank(level: CrowdLevel | None) -> int:
    """The place of a level among the levels; no level is below all."""
    return -1 if level is None else LEVELS.index(level)
