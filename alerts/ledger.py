"""The book with a pen: every change of a row goes through here, so that none is decided without being written.

Also holds what can be derived from the book and is asked often: which alarm has a key, what is about what, what
waits to be sent. The rows are the truth; all of this is made anew from them at a start.
"""

from typing import Final

from alerts.model import Alarm, Book, Changes, Event, Lane, Message, MessageState, Run, Stage, Ticket, TicketState
from alerts.queue import WAITING, Queue

ON_ITS_WAY: Final = WAITING | {MessageState.ATTEMPTING}
TOLD: Final = frozenset({MessageState.SENT, MessageState.UNKNOWN, MessageState.DEAD})


def by_number(id: str) -> tuple[int, str]:
    """Ids in the order in which they were given out."""
    return len(id), id


class Ledger:
    """One hall's book and the changes since they were last taken."""

    def __init__(self, hall: str, book: Book) -> None:
        """Work on `book` in place."""
        self.hall = hall
        self.book = book
        self.changes = Changes()
        # Rows with a deadline that have changed; whoever keeps the deadlines in order takes them out.
        self.moved: set[str] = {*book.alarms, *book.runs}
        self._keys = {alarm.key: alarm.id for alarm in book.alarms.values()}
        self._about: dict[str, dict[str, None]] = {}
        self._waiting: dict[str, None] = {}
        self._routine: set[str] = set()
        self.queue = Queue(book.messages)
        for message in sorted(book.messages, key=by_number):
            self._file(book.messages[message])

    def take(self) -> Changes:
        """The changes since the last call."""
        changes, self.changes = self.changes, Changes()
        return changes

    def new_id(self, letter: str) -> str:
        """The next id of a kind: A (alarm), R (run), T (ticket), M (message)."""
        number = self.book.counters.get(letter, 0) + 1
        self.book.counters[letter] = self.changes.counters[letter] = number
        return f"{letter}{number:06d}"

    def was_given(self, letter: str, id: str) -> bool:
        """Whether an id was ever given out; what is not in the book any more is then over."""
        digits = id[1:]
        if not (id.startswith(letter) and digits.isascii() and digits.isdigit() and len(digits) <= len("9" * 18)):
            return False
        return 0 < int(digits) <= self.book.counters.get(letter, 0)

    def event(self, at: int, about: str, what: str, actor: str = "", detail: str = "") -> None:
        """Append a line to the log."""
        self.changes.events.append(Event(self.hall, at, about, what, actor, detail))

    def alarm_of(self, key: str) -> Alarm | None:
        """The open alarm of a condition."""
        alarm = self._keys.get(key)
        return None if alarm is None else self.book.alarms[alarm]

    def put_alarm(self, alarm: Alarm) -> None:
        """Write an alarm; a closed one leaves the book and gives its key back."""
        self.changes.alarms[alarm.id] = alarm
        self.moved.add(alarm.id)
        if alarm.closed is None:
            self.book.alarms[alarm.id] = alarm
            self._keys[alarm.key] = alarm.id
        else:
            self.book.alarms.pop(alarm.id, None)
            self._keys.pop(alarm.key, None)
            self._forget(alarm.id)

    def put_run(self, run: Run) -> None:
        """Write a run; an ended one leaves the book."""
        self.changes.runs[run.id] = run
        self.moved.add(run.id)
        if run.stage is not Stage.ENDED:
            self.book.runs[run.id] = run
        else:
            self.book.runs.pop(run.id, None)
            self._forget(run.id)

    def put_ticket(self, ticket: Ticket) -> None:
        """Write a ticket; a finished one leaves the book."""
        self.changes.tickets[ticket.id] = ticket
        if ticket.state is TicketState.DONE:
            self.book.tickets.pop(ticket.id, None)
        else:
            self.book.tickets[ticket.id] = ticket

    def put_message(self, message: Message) -> None:
        """Write a message; it stays in the book while it is on its way or may still be answered."""
        self.changes.messages[message.id] = message
        self._file(message)

    def ticket_of(self, key: str) -> Ticket | None:
        """The open ticket of a fault."""
        return next((ticket for ticket in self.book.tickets.values() if ticket.key == key), None)

    def run_of(self, plan: str) -> Run | None:
        """The live run of a plan."""
        return next((run for run in self.book.runs.values() if run.plan.id == plan), None)

    def about(self, id: str) -> list[Message]:
        """The messages in the book that are about an alarm or a run, oldest first."""
        return [self.book.messages[message] for message in self._about.get(id, ())]

    def waiting(self) -> list[Message]:
        """The messages that wait for their time or their turn."""
        return [self.book.messages[message] for message in self._waiting]

    @property
    def routine_waiting(self) -> int:
        """How many of them are routine."""
        return len(self._routine)

    def _file(self, message: Message) -> None:
        if self._stays(message):
            self.book.messages[message.id] = message
            self._about.setdefault(message.about, {})[message.id] = None
        else:
            self.book.messages.pop(message.id, None)
            self._unfile(message)
        if message.state in WAITING:
            self._waiting[message.id] = None
            self.queue.put(message)
            if message.lane is Lane.OPERATIONAL:
                self._routine.add(message.id)
        else:
            self._waiting.pop(message.id, None)
            self._routine.discard(message.id)

    def _unfile(self, message: Message) -> None:
        about = self._about.get(message.about)
        if about is not None:
            about.pop(message.id, None)
            if not about:
                del self._about[message.about]

    def _stays(self, message: Message) -> bool:
        if message.state in ON_ITS_WAY:
            return True
        is_open = message.about in self.book.alarms or message.about in self.book.runs
        return message.state in TOLD and message.answerable and message.answered is None and is_open

    def _forget(self, about: str) -> None:
        for message in self.about(about):
            if not self._stays(message):
                self._file(message)
