"""Values for the store's tests: batches that are easy to tell apart."""

from alerts.model import Alarm, Changes, Message, Priority, Run, Ticket, TicketState
from gateway.store.contract import Batch, Quarantined, Settled
from sensors.facts import FactKind, Subject
from sensors.inputs import Heard, Lane, pack

HALL = "h1"


def heard(number: int, at: int = 1000, lane: Lane = Lane.TELEMETRY) -> Heard:
    """A message that is told from others by its number."""
    return Heard(at, f"t/{number}", f"payload {number}".encode(), lane)


def batch(  # one argument for each part of a batch that a test may want
    index: int,
    count: int = 3,
    *,
    hall: str = HALL,
    changes: Changes | None = None,
    quarantined: tuple[Quarantined, ...] = (),
    released: tuple[Settled, ...] = (),
) -> Batch:
    """A batch of `count` messages, numbered by their place in the journal."""
    blob = pack([heard(number) for number in range(index, index + count)])
    return Batch(hall, index, count, 1000 + index, blob, changes or Changes(), quarantined, released)


def alarm(id: str, key: str = "fire/d1", *, hall: str = HALL, raised: int = 10, closed: int | None = None) -> Alarm:
    """An alarm, open unless it says when it was closed."""
    subject = Subject("device", "d1")
    return Alarm(id, hall, key, FactKind.FIRE, subject, Priority.LIFE_SAFETY, raised, 9, 11, closed=closed)


def ticket(id: str, key: str = "fault/p1", *, opened: int = 10) -> Ticket:
    """An open ticket."""
    return Ticket(id, HALL, key, Subject("device", "p1"), TicketState.OPEN, opened, "system", "卡纸 paper jam", opened)


def quarantined(number: int) -> Quarantined:
    """A message that could not be read."""
    payload = f"rubbish {number}".encode()
    return Quarantined(HALL, number, "d1", "t/1", payload, len(payload), "0" * 64, "not_json", "no JSON at 1")


def changes(*things: Alarm | Ticket | Run | Message) -> Changes:
    """Changes that write these."""
    made = Changes()
    for one in things:
        match one:
            case Alarm():
                made.alarms[one.id] = one
            case Ticket():
                made.tickets[one.id] = one
            case Run():
                made.runs[one.id] = one
            case Message():
                made.messages[one.id] = one
    return made
