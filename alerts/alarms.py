"""Alarms: a fact's way to an alarm's two axes, condition and human. Who is told of it is decided elsewhere."""

from dataclasses import replace
from enum import Enum, auto
from typing import Final

from alerts.ledger import Ledger
from alerts.model import Alarm, Priority
from alerts.rules import CERTAIN, RANKS, level_rank
from sensors.facts import Fact, FactKind

DISPOSED: Final = "alarm.was"


class Turn(Enum):
    """What a fact did to its alarm. `WORSE`: its level, priority or certainty rose. `SAME`: nothing at all."""

    NEW = auto()
    WORSE = auto()
    RETURNED = auto()
    AGAIN = auto()
    CLEARED = auto()
    SAME = auto()


class Alarms:
    """The alarms of one hall."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def take(self, at: int, fact: Fact, priority: Priority, window: str | None = None) -> tuple[Alarm | None, Turn]:
        """Let a fact change its alarm; the alarm as it is now, None where there is none.

        `window` is where the fact's device stands.
        """
        alarm = self._ledger.alarm_of(fact.key)
        if not fact.holds:
            return self._clear(at, fact, alarm)
        if alarm is None:
            return self._raise(at, fact, priority, window), Turn.NEW
        return self._repeat(at, fact, priority, alarm)

    def acknowledge(self, at: int, alarm: Alarm, actor: str, note: str = "") -> Alarm:
        """A person answers: nobody is told any more. With the condition cleared, the alarm is closed."""
        if alarm.acknowledged is not None:
            return alarm
        alarm = replace(alarm, acknowledged=at, acknowledged_by=actor, updated=at, next_told=None, repeat_at=None)
        self._ledger.event(at, alarm.id, "alarm.acknowledged", actor, note)
        # An event without an end has cleared once somebody has seen it.
        if alarm.edge and alarm.active:
            alarm = replace(alarm, active=False, cleared=at)
        return self._settle(at, alarm)

    def close(self, at: int, alarm: Alarm, actor: str) -> None:
        """A person closes what has cleared, or what nobody ever verified and so may never clear by itself."""
        if alarm.active:
            alarm = replace(alarm, active=False, cleared=at, updated=at)
            self._ledger.event(at, alarm.id, "alarm.cleared", actor, alarm.key)
        if alarm.acknowledged is None:
            self.acknowledge(at, alarm, actor)
        else:
            self._settle(at, alarm)

    def dispose(self, at: int, id: str, actor: str, disposition: str, note: str) -> None:
        """Write down what an alarm was: a line of the log, so that it can be said of one that is over as well."""
        self._ledger.event(at, id, f"{DISPOSED}.{disposition}", actor, note)

    def note(self, at: int, id: str, actor: str, note: str) -> None:
        """Write down what a person has to say about an alarm."""
        self._ledger.event(at, id, "alarm.noted", actor, note)

    def link_ticket(self, alarm: Alarm, ticket: str) -> Alarm:
        """Note the ticket by which the fault of an alarm is mended."""
        alarm = replace(alarm, ticket=ticket)
        self._ledger.put_alarm(alarm)
        return alarm

    def _raise(self, at: int, fact: Fact, priority: Priority, window: str | None) -> Alarm:
        alarm = Alarm(
            id=self._ledger.new_id("A"),
            hall=self._ledger.hall,
            key=fact.key,
            kind=fact.kind,
            subject=fact.subject,
            priority=priority,
            raised=at,
            since=fact.since,
            updated=at,
            verified=fact.verified,
            zone=fact.zone,
            window=window,
            device=fact.device,
            level=fact.level,
            detail=fact.detail,
            value=fact.value,
            threshold=fact.threshold,
            edge=fact.edge,
        )
        self._ledger.put_alarm(alarm)
        self._ledger.event(at, alarm.id, "alarm.raised", "", fact.key)
        return alarm

    def _repeat(self, at: int, fact: Fact, priority: Priority, alarm: Alarm) -> tuple[Alarm, Turn]:
        returned = not alarm.active
        verified = fact.verified and not alarm.verified
        worse = verified or _rose(alarm, fact, priority)
        if not (returned or worse or fact.again or fact.edge or fact.level is not alarm.level):
            return alarm, Turn.SAME
        changed = replace(
            alarm,
            active=True,
            cleared=None,
            count=alarm.count + 1,
            updated=at,
            verified=alarm.verified or fact.verified,
            priority=max(alarm.priority, priority, key=RANKS.index),
            level=fact.level,
            detail=alarm.detail if _certain(alarm) else fact.detail or alarm.detail,
            value=fact.value,
            threshold=fact.threshold,
            edge=alarm.edge or fact.edge,
        )
        if worse and alarm.acknowledged is not None:
            changed = replace(changed, acknowledged=None, acknowledged_by=None)
        self._ledger.put_alarm(changed)
        if worse:
            detail = "verified" if verified else changed.detail if _surer(alarm, fact) else str(fact.level or priority)
            self._ledger.event(at, alarm.id, "alarm.worsened", "", detail)
        elif returned:
            self._ledger.event(at, alarm.id, "alarm.returned", "", fact.key)
        elif fact.level is not alarm.level:
            self._ledger.event(at, alarm.id, "alarm.level", "", str(fact.level))
        turn = Turn.WORSE if worse else Turn.RETURNED if returned else Turn.AGAIN
        return changed, turn

    def _clear(self, at: int, fact: Fact, alarm: Alarm | None) -> tuple[Alarm | None, Turn]:
        if alarm is None or not alarm.active:
            return alarm, Turn.SAME
        self._ledger.event(at, alarm.id, "alarm.cleared", "", fact.key)
        return self._settle(at, replace(alarm, active=False, cleared=at, updated=at)), Turn.CLEARED

    def _settle(self, at: int, alarm: Alarm) -> Alarm:
        """Close what has cleared and was acknowledged; write it in any case."""
        if not alarm.active and alarm.acknowledged is not None:
            alarm = replace(alarm, closed=at)
            self._ledger.event(at, alarm.id, "alarm.closed")
        self._ledger.put_alarm(alarm)
        return alarm


def _rose(alarm: Alarm, fact: Fact, priority: Priority) -> bool:
    if fact.level is not None and level_rank(fact.level) > level_rank(alarm.level):
        return True
    return _surer(alarm, fact) or RANKS.index(priority) > RANKS.index(alarm.priority)


def _surer(alarm: Alarm, fact: Fact) -> bool:
    """A detector or panel that spoke of smoke speaks of heat or of a call point now: nobody need look any more."""
    return alarm.kind is FactKind.FIRE and fact.verified and fact.detail in CERTAIN and not _certain(alarm)


def _certain(alarm: Alarm) -> bool:
    return alarm.kind is FactKind.FIRE and alarm.detail in CERTAIN
