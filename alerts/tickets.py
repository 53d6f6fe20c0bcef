"""Maintenance tickets (工单): one for each open fault, opened by a device or by a person, closed by a person only."""

from dataclasses import replace
from hashlib import sha256

from alerts.ledger import Ledger
from alerts.model import Alarm, Ticket, TicketState
from sensors.actions import ReportFault
from sensors.errors import RefusedError
from sensors.facts import Fact, Subject


class Tickets:
    """The tickets of one hall."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def open(self, at: int, fact: Fact, prefix: str, alarm: Alarm | None, window: str | None) -> Ticket:
        """A fault has come up, or come back: open a ticket, or note the repeat on the one that is open."""
        key = _key(prefix, fact.subject)
        ticket = self._ledger.ticket_of(key)
        if ticket is not None:
            return self._append(at, ticket, fact.device or "", fact.detail, alarm)
        ticket = Ticket(
            id=self._ledger.new_id("T"),
            hall=self._ledger.hall,
            key=key,
            subject=fact.subject,
            state=TicketState.OPEN,
            opened=at,
            opened_by=fact.device or "",
            text=fact.detail,
            updated=at,
            alarm=None if alarm is None else alarm.id,
            zone=fact.zone,
            window=window,
        )
        return self._put_new(at, ticket)

    def repeat(self, at: int, fact: Fact, prefix: str) -> None:
        """The fault goes on, and its device says so once more: note it on the open ticket, if there is one."""
        ticket = self._ledger.ticket_of(_key(prefix, fact.subject))
        if ticket is not None:
            self._append(at, ticket, fact.device or "", fact.detail, None)

    def clear(self, at: int, fact: Fact, prefix: str) -> None:
        """The device says that it is well: noted, and the ticket still waits for a person."""
        ticket = self._ledger.ticket_of(_key(prefix, fact.subject))
        if ticket is not None and ticket.cleared is None:
            self._ledger.put_ticket(replace(ticket, cleared=at, updated=at))
            self._ledger.event(at, ticket.id, "ticket.fault_cleared", fact.device or "")

    def report(self, at: int, action: ReportFault, actor: str, zone: str | None, window: str | None) -> Ticket:
        """A person reports a fault: of a device, or of a thing of a window or zone."""
        subject = _subject(action, self._ledger.hall)
        key = _key("fault", subject)
        if action.device is None:
            # A zone has many things that can break: only the same words are the same fault.
            key = f"{key}/{sha256(action.text.strip().encode()).hexdigest()[:12]}"
        ticket = self._ledger.ticket_of(key)
        if ticket is not None:
            return self._append(at, ticket, actor, action.text, None)
        ticket = Ticket(
            id=self._ledger.new_id("T"),
            hall=self._ledger.hall,
            key=key,
            subject=subject,
            state=TicketState.OPEN,
            opened=at,
            opened_by=actor,
            text=action.text,
            updated=at,
            zone=action.zone or zone,
            window=action.window or window,
        )
        return self._put_new(at, ticket)

    def check(self, id: str, wanted: TicketState) -> None:
        """Raise `RefusedError` unless a ticket is in the state that an action wants."""
        ticket = self._ledger.book.tickets.get(id)
        if ticket is None:
            if self._ledger.was_given("T", id):
                raise RefusedError("ticket_state", ticket=id, state=TicketState.DONE.value)
            raise RefusedError("no_such_ticket", ticket=id)
        if ticket.state is not wanted:
            raise RefusedError("ticket_state", ticket=id, state=ticket.state.value)

    def accept(self, at: int, id: str, actor: str) -> None:
        """A person takes a ticket."""
        ticket = self._ledger.book.tickets[id]
        taken = replace(ticket, state=TicketState.ACCEPTED, accepted=at, accepted_by=actor, updated=at)
        self._ledger.put_ticket(taken)
        self._ledger.event(at, id, "ticket.accepted", actor)

    def finish(self, at: int, id: str, actor: str, note: str) -> None:
        """A person has mended it."""
        ticket = self._ledger.book.tickets[id]
        done = replace(ticket, state=TicketState.DONE, done=at, done_by=actor, note=note, updated=at)
        self._ledger.put_ticket(done)
        self._ledger.event(at, id, "ticket.done", actor, note)

    def _put_new(self, at: int, ticket: Ticket) -> Ticket:
        self._ledger.put_ticket(ticket)
        self._ledger.event(at, ticket.id, "ticket.opened", ticket.opened_by, ticket.text)
        return ticket

    def _append(self, at: int, ticket: Ticket, by: str, text: str, alarm: Alarm | None) -> Ticket:
        about = ticket.alarm if alarm is None else alarm.id
        ticket = replace(ticket, count=ticket.count + 1, updated=at, alarm=about, cleared=None)
        self._ledger.put_ticket(ticket)
        self._ledger.event(at, ticket.id, "ticket.repeated", by, text)
        return ticket


def _key(prefix: str, subject: Subject) -> str:
    return f"{prefix}/{subject.type}/{subject.id}"


def _subject(action: ReportFault, hall: str) -> Subject:
    """What a report is about: the narrowest thing that it names, else the hall."""
    if action.device is not None:
        return Subject("device", action.device)
    if action.window is not None:
        return Subject("window", action.window)
    if action.zone is not None:
        return Subject("zone", action.zone)
    return Subject("hall", hall)
