"""What the alert engine decided, as the page shows it: alarms, runs, tickets, events. Live and past alike."""

from collections.abc import Iterable

from alerts.model import Alarm, Message, Run, Ticket
from dashboard.server.names import People, name
from dashboard.server.subjects import UNKNOWN, About
from dashboard.server.wire import (
    AlarmEntity,
    EventEntity,
    MessageEntity,
    RoleEntity,
    RunEntity,
    StepEntity,
    TicketEntity,
)
from gateway.store.records import EventRow

# A fact about a person is itself personal: who may not see names does not see it.
PERSON = "person"


def alarm_entity(alarm: Alarm, people: People) -> AlarmEntity | None:
    """An alarm; None where it is about a person and the reader may not see names."""
    if alarm.subject.type == PERSON and not people.shown:
        return None
    return AlarmEntity(
        id=alarm.id,
        kind=str(alarm.kind),
        subject_type=alarm.subject.type,
        subject=alarm.subject.id,
        priority=str(alarm.priority),
        raised=alarm.raised,
        since=alarm.since,
        active=alarm.active,
        cleared=alarm.cleared,
        acknowledged=alarm.acknowledged,
        acknowledged_by=people.actor(alarm.acknowledged_by),
        closed=alarm.closed,
        verified=alarm.verified,
        count=alarm.count,
        zone=alarm.zone,
        device=alarm.device,
        level=None if alarm.level is None else str(alarm.level),
        detail=alarm.detail,
        value=alarm.value,
        threshold=alarm.threshold,
        run=alarm.run,
        ticket=alarm.ticket,
        told=alarm.told,
        next_told=alarm.next_told,
    )


def run_entity(run: Run, people: People, messages: Iterable[Message]) -> RunEntity:
    """A run of a plan with those of `messages` that are about it."""
    plan = run.plan
    about = {run.id, *run.alarms}
    return RunEntity(
        id=run.id,
        plan=plan.id,
        name=name(plan.name),
        hazard=plan.hazard,
        stage=str(run.stage),
        drill=run.drill,
        started=run.started,
        started_by=people.actor(run.started_by) or "",
        why=run.why,
        stage_since=run.stage_since,
        verify_until=run.verify_until,
        roles=_roles(run, people),
        steps=_steps(run, people),
        messages=tuple(message_entity(one, people) for one in messages if one.about in about),
        alarms=run.alarms,
        zone=run.zone,
        ended=run.ended,
        ended_by=people.actor(run.ended_by),
        end_reason=run.end_reason,
    )


def _roles(run: Run, people: People) -> tuple[RoleEntity, ...]:
    planned = {role.id: role for role in run.plan.roles}
    made = []
    for state in run.roles:
        role = planned[state.role]
        told = (people.name(holder) for holder in role.holders[: state.told])
        made.append(
            RoleEntity(
                id=role.id,
                name=name(role.name),
                told=tuple(one for one in told if one is not None),
                answered_by=people.actor(state.answered_by),
                answered=state.answered,
                next_at=state.next_at,
            )
        )
    return tuple(made)


def _steps(run: Run, people: People) -> tuple[StepEntity, ...]:
    states = {state.step: state for state in run.steps}
    made = []
    for step in run.plan.steps:
        state = states.get(step.id)
        made.append(
            StepEntity(
                id=step.id,
                role=step.role,
                text=name(step.text),
                stage=step.stage,
                due=state.due if state else None,
                done=state.done if state else None,
                done_by=people.actor(state.done_by) if state else None,
                overdue=state.overdue if state else False,
            )
        )
    return tuple(made)


def message_entity(message: Message, people: People) -> MessageEntity:
    """A message of the outbox, and how far it got."""
    return MessageEntity(
        id=message.id,
        to=people.name(message.person),
        channel=message.channel,
        state=str(message.state),
        attempts=message.attempts,
        updated=message.updated,
        error=message.error,
        duplicate=message.duplicate,
    )


def ticket_entity(ticket: Ticket, people: People) -> TicketEntity:
    """A ticket. What a device says of its fault is for everybody; what people type, and who does what, is not."""
    by_device = ticket.opened_by in {"", ticket.subject.id}
    return TicketEntity(
        id=ticket.id,
        state=str(ticket.state),
        subject_type=ticket.subject.type,
        subject=ticket.subject.id,
        text=ticket.text if by_device else people.text(ticket.text),
        opened=ticket.opened,
        opened_by=people.actor(ticket.opened_by) or "",
        updated=ticket.updated,
        count=ticket.count,
        accepted=ticket.accepted,
        accepted_by=people.actor(ticket.accepted_by),
        done=ticket.done,
        done_by=people.actor(ticket.done_by),
        note=people.text(ticket.note),
        alarm=ticket.alarm,
        zone=ticket.zone,
        window=ticket.window,
    )


def event_entity(row: EventRow, people: People, about: About = UNKNOWN) -> EventEntity | None:
    """A line of the log; None where it is about a person and the reader may not see names."""
    event, subject = row.event, about.subject
    personal = event.about.startswith(PERSON) or (subject is not None and subject.type == PERSON)
    if personal and not people.shown:
        return None
    return EventEntity(
        id=str(row.id),
        at=event.at,
        what=event.what,
        about=event.about,
        actor=people.actor(event.actor) or "",
        detail=people.text(event.detail),
        kind=about.kind,
        subject_type="" if subject is None else subject.type,
        subject="" if subject is None else subject.id,
        plan=None if about.plan is None else name(about.plan),
    )
