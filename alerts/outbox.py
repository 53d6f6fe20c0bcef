"""The outbox without its senders: rows that say what must be told to whom, their states and when to try again.

A row is written in the transaction of the decision behind it and sent afterwards. Nothing here sends: the sending
loop asks what is ready, has the attempt written down, and reports what came of it.
"""

import heapq
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from alerts.ledger import ON_ITS_WAY, Ledger, by_number
from alerts.letter import Contact, Letter
from alerts.model import Lane, Message, MessageState, Note
from alerts.notes import LAST_WORDS, Code
from alerts.queue import WAITING, Room, turn
from alerts.summary import Gathering
from sensors.inputs import Reported


@dataclass(frozen=True, slots=True)
class Policy:
    """When to try again: back-off doubles from `first_s` to `longest_s`; after `attempts` the message is dead.

    What a service asks for by Retry-After is obeyed up to `asked_s`.
    """

    first_s: float
    longest_s: float
    attempts: int
    asked_s: float


# Life safety: about half an hour of trying, each half minute in the end. Routine: about ten minutes.
POLICIES: Final = {
    Lane.LIFE_SAFETY: Policy(first_s=1, longest_s=30, attempts=60, asked_s=60),
    Lane.OPERATIONAL: Policy(first_s=5, longest_s=300, attempts=8, asked_s=3600),
}
# So often a service may refuse a matter of life before it is dead: a wrong answer passes, a wrong address does not.
REFUSALS: Final = 4
# From this attempt on, a life-safety message that does not get out is itself an alarm.
FAILING_AFTER: Final = 5
# So many unanswered copies of one message to one address stay answerable.
COPIES_KEPT: Final = 5


class Outbox:
    """The messages of one hall."""

    def __init__(self, ledger: Ledger, limit: int) -> None:
        """`limit` is how many routine messages may wait one by one; see `summary`."""
        self._ledger = ledger
        self._gathering = Gathering(ledger, limit)

    def post(self, at: int, letter: Letter, contact: Contact) -> None:
        """Queue one message. A contact who still waits for the same news of the same matter gets no second copy:
        the one that waits will say it, and a channel that stays shut kills it in the end and is told of. In a storm
        what is routine goes into a summary.
        """
        same = [
            message
            for message in self._ledger.about(letter.about)
            if (message.person, message.channel, message.address) == (contact.person, contact.channel, contact.address)
        ]
        if any(message.state in ON_ITS_WAY and _news(message.note) == _news(letter.note) for message in same):
            return
        if self._gathering.takes(at, letter, contact):
            self._gathering.add(at, letter, contact)
            return
        for old in same[: max(0, len(same) + 1 - COPIES_KEPT)]:
            if old.state not in ON_ITS_WAY:
                self._ledger.put_message(replace(old, answerable=False, updated=at))
        message = Message(
            id=self._ledger.new_id("M"),
            hall=self._ledger.hall,
            lane=letter.lane,
            about=letter.about,
            person=contact.person,
            channel=contact.channel,
            address=contact.address,
            note=letter.note,
            created=at,
            not_before=at,
            updated=at,
            drill=letter.drill,
            answerable=letter.answerable and contact.person is not None,
            round=letter.round,
        )
        self._ledger.put_message(message)
        self._gathering.note(message)

    def call_off(self, at: int, about: str, *, codes: frozenset[str] | None = None, all_rounds: bool = True) -> None:
        """Call off what is about something and not yet being sent: `codes` only, if given.

        Without `all_rounds` everybody is still told once of what is a matter of life: only its repeats are called off.
        """
        for message in self._ledger.about(about):
            if message.state not in WAITING or (codes is not None and message.note.code not in codes):
                continue
            if all_rounds or not first_word(message):
                self._end(at, message, MessageState.SUPERSEDED)

    def answer(self, at: int, message: Message) -> None:
        """A person has answered this message."""
        self._ledger.put_message(replace(message, state=MessageState.ANSWERED, answered=at, updated=at))
        self._ledger.event(at, message.id, "message.answered", message.person or "", message.about)

    def attempt(self, at: int, ids: tuple[str, ...]) -> None:
        """Senders begin to send these; what was called off or answered meanwhile stays as it is."""
        for sending in ids:
            message = self._ledger.book.messages.get(sending)
            if message is not None and message.state in WAITING:
                attempts = message.attempts + 1
                state = MessageState.ATTEMPTING
                self._ledger.put_message(replace(message, state=state, attempts=attempts, updated=at))

    def report(self, at: int, item: Reported) -> Message | None:
        """Write down what came of an attempt; returns the message as it is now, None for one that is over."""
        message = self._ledger.book.messages.get(item.message)
        if message is None or message.state not in ON_ITS_WAY:
            return None
        if item.outcome == "never":
            message = replace(message, refused=message.refused + 1)
        end = self._final(message, item.outcome)
        if end is not None:
            return self._end(at, message, end, item.error)
        duplicate = message.duplicate or item.outcome == "unknown"
        due = at + wait_ms(message, item.retry_after_s)
        again = replace(
            message, state=MessageState.RETRY, not_before=due, updated=at, error=item.error, duplicate=duplicate
        )
        self._ledger.put_message(again)
        return again

    def recover(self, at: int) -> None:
        """What was being sent at a crash may have arrived. Life safety goes out again, marked; routine is shown."""
        for message in sorted(self._ledger.book.messages.values(), key=lambda one: by_number(one.id)):
            if message.state is not MessageState.ATTEMPTING:
                continue
            if message.lane is Lane.LIFE_SAFETY and not self._is_over(message):
                again = replace(message, state=MessageState.QUEUED, duplicate=True, not_before=at, updated=at)
                self._ledger.put_message(again)
                self._ledger.event(at, message.id, "message.again", "", message.channel)
            else:
                self._end(at, message, MessageState.UNKNOWN, "crash")
                self._ledger.event(at, message.id, "message.unknown", "", message.channel)

    def ready(self, now: int, limit: int) -> list[Message]:
        """Up to `limit` messages that may be sent: life safety first, then by their turn."""
        due = (message for message in self._ledger.waiting() if message.not_before <= now)
        return heapq.nsmallest(limit, due, key=lambda one: (one.lane is not Lane.LIFE_SAFETY, turn(one)))

    def next(self, now: int, room: Room) -> list[Message]:
        """As many of the messages that may be sent as there is room for; life safety first."""
        return self._ledger.queue.ready(now, room)

    def next_send(self) -> int | None:
        """When the next message may be sent, None if none waits."""
        return min((message.not_before for message in self._ledger.waiting()), default=None)

    def _final(self, message: Message, outcome: str) -> MessageState | None:
        """The state in which an attempt's outcome ends a message, None if it is to be tried again."""
        if outcome == "sent":
            return MessageState.SENT
        over, life = self._is_over(message), message.lane is Lane.LIFE_SAFETY
        if outcome == "unknown" and (over or not life):
            return MessageState.UNKNOWN
        if outcome == "never" and not (life and message.refused < REFUSALS):
            return MessageState.DEAD
        if over:
            return MessageState.SUPERSEDED
        return MessageState.DEAD if message.attempts >= POLICIES[message.lane].attempts else None

    def _is_over(self, message: Message) -> bool:
        """Whether nobody needs a message any more that has not got out."""
        book = self._ledger.book
        if message.about in book.runs or message.note.code in {*LAST_WORDS, Code.SUMMARY}:
            return False
        alarm = book.alarms.get(message.about)
        if alarm is not None and alarm.acknowledged is None:
            return False
        return message.about.startswith("R") or not first_word(message)

    def _end(self, at: int, message: Message, state: MessageState, error: str = "") -> Message:
        ended = replace(message, state=state, updated=at, error=error)
        self._ledger.put_message(ended)
        if state is MessageState.DEAD:
            self._ledger.event(at, message.id, "message.dead", "", f"{message.channel} {error}".strip())
        return ended


def first_word(message: Message) -> bool:
    """Whether this is the first that a person hears of a matter of life: an answer by another does not call it off."""
    return message.lane is Lane.LIFE_SAFETY and message.round <= 1


def wait_ms(message: Message, asked_s: float) -> int:
    """How long to wait before the next attempt (ms): exponential, jittered by the message's own id and attempt.

    The jitter (half to the whole of the back-off) spreads a crowd of messages, and is the same at every replay.
    """
    policy = POLICIES[message.lane]
    if asked_s > 0:
        return round(min(asked_s, policy.asked_s) * 1000)
    backoff_s = min(policy.first_s * 2.0 ** min(max(message.attempts, 1) - 1, 20), policy.longest_s)
    seed = sha256(f"{message.hall}/{message.id}/{message.attempts}".encode()).digest()
    share = int.from_bytes(seed[:4]) / 2**32
    return round(backoff_s * 1000 * (0.5 + share / 2))


def _news(note: Note) -> tuple[str, str, str, str]:
    """By what two messages about the same matter are told apart: a repeat is no news."""
    code = Code.ALARM_RAISED.value if note.code == Code.ALARM_REPEATED else note.code
    params = dict(note.params)
    return code, note.text_zh, params.get("role", ""), params.get("alarm", "")
