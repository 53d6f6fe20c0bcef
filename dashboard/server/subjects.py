"""What a line of the log is about, told so that it can be read when that is long over.

The log keeps ids of alarms, runs, tickets and messages. What such an id stands for never changes, so it is looked for
once: in the book while it is open, then in the store.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from alerts.model import Alarm, Event, Run, Ticket
from dashboard.server.desk import HallDesk
from sensors.facts import Subject
from sensors.site.model import Words


@dataclass(frozen=True, slots=True)
class About:
    """What an id stands for: an alarm's kind and subject, a ticket's subject, or the name of a run's plan."""

    kind: str = ""
    subject: Subject | None = None
    plan: Words | None = None


UNKNOWN = About()


@dataclass(slots=True)
class Subjects:
    """Remembers what the ids of the events asked about last stand for."""

    desk: HallDesk
    _known: dict[str, About] = field(default_factory=dict)

    async def of(self, events: Iterable[Event]) -> dict[str, About]:
        """What each of these is about, by its id; ids of other things (a device, the site) are left out."""
        wanted = dict.fromkeys(event.about for event in events)
        self._known = {id_: one for id_, one in self._known.items() if id_ in wanted}
        for id_ in wanted:
            if id_ not in self._known and (found := await self._find(id_)) is not None:
                self._known[id_] = found
        return dict(self._known)

    async def _find(self, id_: str) -> About | None:
        book, records, hall = self.desk.view.book, self.desk.records, self.desk.id
        # The letters of the ledger's ids: a device may begin with one too, and is then found nowhere.
        match id_[:1]:
            case "A":
                return _about(book.alarms.get(id_) or await records.alarm(hall, id_))
            case "R":
                return _about(book.runs.get(id_) or await records.run(hall, id_))
            case "T":
                return _about(book.tickets.get(id_) or await records.ticket(hall, id_))
            case "M":
                message = book.messages.get(id_) or await records.message(hall, id_)
                # A message is about an alarm or a run; a summary is about several, and begins with one of them.
                return None if message is None or message.about == id_ else await self._find(message.about)
            case _:
                return None


def _about(thing: Alarm | Run | Ticket | None) -> About | None:
    match thing:
        case Alarm():
            return About(str(thing.kind), thing.subject)
        case Ticket():
            return About(subject=thing.subject)
        case Run():
            return About(plan=thing.plan.name)
        case None:
            return None
