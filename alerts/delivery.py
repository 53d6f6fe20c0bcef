"""What the outcome of an attempt means: who is told instead, and what is wrong with our own channels.

A channel that does not get messages out is an alarm of its own, told by the others. Of such an alarm no further one
is made, or each dead letter would make the next.
"""

from typing import Final

from alerts.escalation import Escalation
from alerts.ledger import Ledger
from alerts.model import Lane, Message, MessageState
from alerts.outbox import FAILING_AFTER, Outbox
from alerts.plans.runs import Runs
from alerts.routing import CHANNEL_ALARMS, NOBODY_TOLD, Routing
from sensors.facts import Fact, FactKind, Subject
from sensors.inputs import Reported

DEAD_LETTER, CHANNEL_FAILING = CHANNEL_ALARMS
OWN_ALARMS: Final = (*CHANNEL_ALARMS, NOBODY_TOLD)
# So many attempts a service may fail before nobody outside counts as told: some seconds.
NOBODY_AFTER: Final = 3


class Delivery:
    """Takes the senders' reports of one hall."""

    def __init__(self, ledger: Ledger, outbox: Outbox, routing: Routing, escalation: Escalation, runs: Runs) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._routing = routing
        self._escalation = escalation
        self._runs = runs

    def report(self, item: Reported) -> list[Fact]:
        """Write down what came of an attempt; returns the facts that follow about our own channels."""
        message = self._outbox.report(item.at, item)
        if message is None:
            return []
        if message.state is MessageState.SENT:
            return self._works(item.at, message.channel)
        if _fails(message):
            self._turn_to_next(item.at, message)
        about = self._ledger.book.alarms.get(message.about)
        if about is not None and about.key.startswith(OWN_ALARMS):
            return []
        facts: list[Fact] = []
        if message.state is MessageState.DEAD:
            facts.append(self._channel_fact(DEAD_LETTER, message, item.at))
        elif message.lane is Lane.LIFE_SAFETY and message.attempts == FAILING_AFTER:
            facts.append(self._channel_fact(CHANNEL_FAILING, message, item.at))
        if self._nobody_told(message):
            facts.append(self._nobody(item.at, holds=True))
        return facts

    def begin(self, at: int) -> list[Fact]:
        """What a start knows: a channel that the site file gives no more has nothing to wait for."""
        facts: list[Fact] = []
        for alarm in self._ledger.book.alarms.values():
            for prefix in CHANNEL_ALARMS:
                channel = alarm.key.removeprefix(prefix)
                if alarm.key.startswith(prefix) and not self._routing.has_channel(channel):
                    facts.append(_channel_over(prefix, channel, at))
        if self._ledger.alarm_of(self._nobody_key) is not None and not self._routing.has_outside():
            facts.append(self._nobody(at, holds=False))
        return facts

    @property
    def _nobody_key(self) -> str:
        return NOBODY_TOLD + self._ledger.hall

    def _works(self, at: int, channel: str) -> list[Fact]:
        facts = [
            _channel_over(prefix, channel, at)
            for prefix in CHANNEL_ALARMS
            if self._ledger.alarm_of(prefix + channel) is not None
        ]
        if self._routing.is_outside(channel) and self._ledger.alarm_of(self._nobody_key) is not None:
            facts.append(self._nobody(at, holds=False))
        return facts

    def _turn_to_next(self, at: int, message: Message) -> None:
        """Whoever can be reached by no channel is not waited for."""
        run = self._ledger.book.runs.get(message.about)
        alarm = self._ledger.book.alarms.get(message.about)
        mine = [
            one
            for one in self._ledger.about(message.about)
            # In a run each stage asks anew: who got the news before may not get this.
            if one.person == message.person and (run is None or one.note.code == message.note.code)
        ]
        if message.person is None or not all(map(_fails, mine)):
            return
        if run is not None:
            self._runs.unreached(at, run, message.person)
        elif alarm is not None:
            self._escalation.unreached(at, alarm, message.person)

    def _nobody_told(self, message: Message) -> bool:
        """Whether of a matter of life nobody outside the house has been told, by any channel."""
        if message.lane is not Lane.LIFE_SAFETY or message.drill or not self._routing.is_outside(message.channel):
            return False
        if message.attempts < NOBODY_AFTER and not _fails(message):
            return False
        outside = [one for one in self._ledger.about(message.about) if self._routing.is_outside(one.channel)]
        return all(one.error and one.state is not MessageState.SENT for one in outside)

    def _nobody(self, at: int, *, holds: bool) -> Fact:
        subject = Subject("hall", self._ledger.hall)
        detail = NOBODY_TOLD.rstrip("/")
        return Fact(self._nobody_key, FactKind.GATEWAY, subject, holds=holds, at=at, since=at, detail=detail)

    def _channel_fact(self, prefix: str, message: Message, at: int) -> Fact:
        return Fact(
            key=prefix + message.channel,
            kind=FactKind.GATEWAY,
            subject=Subject("gateway", message.channel),
            holds=True,
            at=at,
            since=at,
            again=True,
            # The last letter to a channel that is gone: nothing can clear it but that somebody has seen it.
            edge=not self._routing.has_channel(message.channel),
            detail=f"{prefix.rstrip('/')} {message.error}".strip(),
        )


def _fails(message: Message) -> bool:
    """Whether a message is refused, dead, or has been tried in vain for a while."""
    if message.state is MessageState.DEAD:
        return True
    return message.state is MessageState.RETRY and (message.refused > 0 or message.attempts >= FAILING_AFTER)


def _channel_over(prefix: str, channel: str, at: int) -> Fact:
    return Fact(prefix + channel, FactKind.GATEWAY, Subject("gateway", channel), holds=False, at=at, since=at)
