"""Routine news to one person in a storm: after some single messages, what follows is gathered into summaries.

Two hundred faults a second are twelve thousand mails a minute, which nobody reads and no service takes. A summary
leaves a second after its first alarm, so nobody waits long; if its channel is slow or refuses for now, it goes on
growing until it leaves. So what waits is bounded by the number of contacts, whatever happens. A matter of life is
never gathered.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from alerts.ledger import Ledger
from alerts.letter import Contact, Letter
from alerts.model import Lane, Message, Note
from alerts.notes import Code
from alerts.queue import WAITING

# So many single messages in so long, or so many unsent, are news; what follows is a storm.
BURST: Final = 20
WITHIN_MS: Final = 10_000
GATHER_MS: Final = 1000
# So many are named in a summary; the rest is counted.
NAMED: Final = 5
KIND: Final = "kind."


class Gathering:
    """Decides what is gathered, and holds the summary that is open for each contact."""

    def __init__(self, ledger: Ledger, limit: int) -> None:
        """`limit` is how many routine messages of the hall may wait; what comes above is gathered."""
        self._ledger = ledger
        self._limit = limit
        # Of the moment only: after a start everybody gets some single messages again.
        self._recent: dict[Contact, deque[int]] = {}
        self._singles: dict[Contact, set[str]] = {}
        self._summaries: dict[Contact, set[str]] = {}
        for message in ledger.waiting():
            self.note(message)

    def note(self, message: Message) -> None:
        """Remember a message that waits now."""
        if message.lane is Lane.OPERATIONAL:
            kept = self._summaries if message.note.code == Code.SUMMARY else self._singles
            kept.setdefault(_contact(message), set()).add(message.id)

    def takes(self, at: int, letter: Letter, contact: Contact) -> bool:
        """Whether a letter goes into a summary; asked once for each letter."""
        if letter.lane is not Lane.OPERATIONAL or contact.person is None:
            return False
        recent = self._recent.setdefault(contact, deque(maxlen=BURST + 1))
        while recent and recent[0] <= at - WITHIN_MS:
            recent.popleft()
        recent.append(at)
        crowded = self._ledger.routine_waiting >= self._limit
        return len(recent) > BURST or crowded or len(self._waiting(self._singles, contact)) >= BURST

    def add(self, at: int, letter: Letter, contact: Contact) -> None:
        """Put a letter into the contact's summary; the log says of the alarm where it went."""
        summary = self._open(contact)
        if summary is None:
            summary = self._begin(at, letter, contact)
        else:
            summary = replace(summary, note=_merged(summary.note, letter.note), updated=at)
        self._ledger.put_message(summary)
        self.note(summary)
        self._ledger.event(at, letter.about, "message.gathered", "", summary.id)

    def _open(self, contact: Contact) -> Message | None:
        """One that has not arrived anywhere: what may have been read must not change any more."""
        waiting = self._waiting(self._summaries, contact)
        return next((message for message in waiting if not message.duplicate), None)

    def _begin(self, at: int, letter: Letter, contact: Contact) -> Message:
        number = self._ledger.new_id("M")
        return Message(
            id=number,
            hall=self._ledger.hall,
            lane=letter.lane,
            about=number,
            person=contact.person,
            channel=contact.channel,
            address=contact.address,
            note=_merged(Note(Code.SUMMARY.value), letter.note),
            created=at,
            not_before=at + GATHER_MS,
            updated=at,
            answerable=False,
        )

    def _waiting(self, kept: dict[Contact, set[str]], contact: Contact) -> list[Message]:
        """The kept ones that still wait, oldest first; the others are forgotten."""
        messages = [self._ledger.book.messages.get(id_) for id_ in sorted(kept.get(contact, ()))]
        waiting = [message for message in messages if message is not None and message.state in WAITING]
        if contact in kept:
            kept[contact] = {message.id for message in waiting}
        return waiting


def _contact(message: Message) -> Contact:
    return Contact(message.person, message.channel, message.address)


def _merged(summary: Note, one: Note) -> Note:
    """A summary's note with one more in it: how many, of which kinds, and the first of them by name."""
    params, more = dict(summary.params), dict(one.params)
    count = int(params.get("count", "0"))
    params["count"] = str(count + 1)
    kind = KIND + more.get("kind", "")
    params[kind] = str(int(params.get(kind, "0")) + 1)
    for language, comma in (("zh", "、"), ("en", ", ")):
        name = _subject(more, language)
        if count < NAMED and name:
            before = params.get(f"sample_{language}")
            params[f"sample_{language}"] = f"{before}{comma}{name}" if before else name
    return replace(summary, params=tuple(params.items()))


def _subject(params: Mapping[str, str], language: str) -> str:
    return (params.get(f"subject_{language}") or params.get("subject", ""))[:50]
