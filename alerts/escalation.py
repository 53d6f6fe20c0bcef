"""Telling people of alarms that no run takes care of, until one answers.

A matter of life: everybody at once, again every minute at the least. Anything else: the first of the hall's
order at once, after each `answer_s` the next one, all those told again every `repeat_s`, and so in the end
everybody, again and again. Of the lowest priority the first person hears once.

An operational alarm whose condition has cleared stays open and visible but nags nobody; if the condition returns,
it goes on where it was, so that flapping tells no more often than lasting. A matter of life goes on until answered.
"""

from dataclasses import replace
from typing import Final

from alerts.ledger import Ledger
from alerts.letter import Letter
from alerts.model import Alarm, Lane, Priority
from alerts.notes import Code, alarm_note
from alerts.outbox import Outbox
from alerts.repeats import Repeats
from alerts.routing import Routing

LIFE_REPEAT_S: Final = 60


class Escalation:
    """Tells of the alarms of one hall."""

    def __init__(self, ledger: Ledger, outbox: Outbox, routing: Routing, repeats: Repeats) -> None:
        self._ledger = ledger
        self._repeats = repeats
        self._outbox = outbox
        self._routing = routing

    def begin(self, at: int, alarm: Alarm) -> Alarm:
        """Tell of a new alarm for the first time."""
        people = self._routing.people_for(alarm)
        if not people:
            self._ledger.event(at, alarm.id, "alarm.nobody_to_tell", "", alarm.key)
            return alarm
        told = len(people) if alarm.priority is Priority.LIFE_SAFETY else 1
        alarm = self._plan_ahead(at, replace(alarm, told=told, round=1), len(people))
        self._tell(at, alarm, people[:told], Code.ALARM_RAISED)
        self._ledger.put_alarm(alarm)
        return alarm

    def worsen(self, at: int, alarm: Alarm) -> Alarm:
        """Tell anew at once of an alarm that has become worse: those told before, or all if life is at stake."""
        people = self._routing.people_for(alarm)
        if alarm.told == 0 or not people:
            return self.begin(at, alarm)
        self._outbox.call_off(at, alarm.id)
        told = len(people) if alarm.priority is Priority.LIFE_SAFETY else min(alarm.told, len(people))
        # Round 1 again: of what is worse, everybody hears once, whoever answers first.
        alarm = self._plan_ahead(at, replace(alarm, told=told, round=1), len(people))
        self._tell(at, alarm, people[:told], Code.ALARM_WORSENED)
        self._ledger.put_alarm(alarm)
        return alarm

    def resume(self, at: int, alarm: Alarm) -> Alarm:
        """The condition has returned: go on where the telling stood, what would have been due meanwhile now."""
        alarm = replace(
            alarm,
            next_told=None if alarm.next_told is None else max(at, alarm.next_told),
            repeat_at=None if alarm.repeat_at is None else max(at, alarm.repeat_at),
        )
        self._ledger.put_alarm(alarm)
        return alarm

    def hush(self, at: int, alarm: Alarm) -> Alarm:
        """A run takes care of this alarm now: its own messages stop."""
        self._outbox.call_off(at, alarm.id)
        alarm = replace(alarm, next_told=None, repeat_at=None)
        self._ledger.put_alarm(alarm)
        return alarm

    def answered(self, at: int, alarm: Alarm) -> None:
        """A person has answered: call off what has not gone out, but of a matter of life all hear once."""
        self._outbox.call_off(at, alarm.id, all_rounds=False)

    def unreached(self, at: int, alarm: Alarm, person: str) -> None:
        """Nothing gets through to this person: who would be the next is told now."""
        people = self._routing.people_for(alarm)
        if alarm.next_told is not None and people[alarm.told - 1 : alarm.told] == (person,):
            self._ledger.put_alarm(replace(alarm, next_told=min(at, alarm.next_told)))

    def fire(self, at: int, alarm: Alarm) -> None:
        """Do what is due of an alarm at `at`: tell again, tell the next person."""
        people = self._routing.people_for(alarm)
        routing = self._routing.hall.routing
        if alarm.repeat_at is not None and alarm.repeat_at <= at:
            again = self._repeats.after(at, _repeat_s(alarm, routing.repeat_s))
            alarm = replace(alarm, round=alarm.round + 1, repeat_at=again)
            self._tell(at, alarm, people[: alarm.told], Code.ALARM_REPEATED)
        if alarm.next_told is not None and alarm.next_told <= at:
            more = len(people) > alarm.told
            alarm = replace(alarm, told=alarm.told + more, updated=at)
            if more:
                self._tell(at, alarm, people[alarm.told - 1 : alarm.told], Code.ALARM_RAISED)
                self._ledger.event(at, alarm.id, "alarm.escalated", "", people[alarm.told - 1])
            everybody = alarm.told >= len(people)
            if everybody and not alarm.everybody:
                self._ledger.event(at, alarm.id, "alarm.everybody_told")
            next_told = None if everybody else at + routing.answer_s * 1000
            alarm = replace(alarm, next_told=next_told, everybody=everybody)
        self._ledger.put_alarm(alarm)

    def _plan_ahead(self, at: int, alarm: Alarm, people: int) -> Alarm:
        routing = self._routing.hall.routing
        everybody = alarm.told >= people
        once = alarm.priority is Priority.LOW
        return replace(
            alarm,
            everybody=everybody,
            next_told=None if everybody or once else at + routing.answer_s * 1000,
            repeat_at=None if once else self._repeats.after(at, _repeat_s(alarm, routing.repeat_s)),
        )

    def _tell(self, at: int, alarm: Alarm, people: tuple[str, ...], code: Code) -> None:
        urgent = alarm.priority is Priority.LIFE_SAFETY
        lane = Lane.LIFE_SAFETY if urgent else Lane.OPERATIONAL
        letter = Letter(alarm.id, alarm_note(code, alarm, self._routing.hall), lane, alarm.round)
        for person in people:
            for contact in self._routing.contacts_for(alarm, person):
                self._outbox.post(at, letter, contact)


def due(alarm: Alarm) -> int | None:
    """When something is to be told of an alarm, None if nothing is."""
    if alarm.acknowledged is not None or not (alarm.active or alarm.priority is Priority.LIFE_SAFETY):
        return None
    return min((at for at in (alarm.next_told, alarm.repeat_at) if at is not None), default=None)


def _repeat_s(alarm: Alarm, repeat_s: int) -> int:
    return min(repeat_s, LIFE_REPEAT_S) if alarm.priority is Priority.LIFE_SAFETY else repeat_s
