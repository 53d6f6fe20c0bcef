"""Tickets: one for each open fault; people take and close them, devices only open and note."""

import pytest

from alerts.model import TicketState
from sensors.actions import AcceptTicket, FinishTicket, ReportFault
from sensors.errors import RefusedError
from sensors.facts import FactKind, Subject
from sensors.readings import Kind
from tests.alerts.harness import Scene

FAULT = FactKind.EQUIPMENT_FAULT


def test_open_accepted_done_with_who_and_when() -> None:
    scene = Scene()
    alarm = scene.raised(FAULT, "p1", detail="jam")
    ticket = scene.ticket()
    assert (ticket.state, ticket.text, ticket.opened_by, ticket.alarm) == (TicketState.OPEN, "jam", "p1", alarm.id)
    scene.forward(minutes=1)
    scene.do(AcceptTicket(ticket.id), by="dan")
    assert (scene.ticket().state, scene.ticket().accepted_by, scene.ticket().accepted) == (
        TicketState.ACCEPTED, "dan", scene.now,
    )  # fmt: skip
    scene.forward(minutes=1)
    scene.do(FinishTicket(ticket.id, "new roller"), by="dan")
    done = scene.ticket()
    assert (done.state, done.done_by, done.done, done.note) == (TicketState.DONE, "dan", scene.now, "new roller")
    assert scene.logged("ticket.") == ["ticket.opened", "ticket.accepted", "ticket.done"]


def test_repeats_are_appended_and_the_end_is_left_to_a_person() -> None:
    scene = Scene()
    scene.raised(FAULT, "p1", detail="jam")
    scene.raised(FAULT, "p1", detail="cover open", again=True)
    scene.cleared(FAULT, "p1")
    assert scene.ticket().cleared == scene.now
    scene.raised(FAULT, "p1", detail="jam")
    assert len(scene.rows.tickets) == 1
    assert (scene.ticket().count, scene.ticket().state, scene.ticket().cleared) == (3, TicketState.OPEN, None)
    assert scene.logged("ticket.") == [
        "ticket.opened", "ticket.repeated", "ticket.fault_cleared", "ticket.repeated",
    ]  # fmt: skip


def test_a_fault_after_the_end_is_a_new_ticket() -> None:
    scene = Scene()
    first = scene.raised(FAULT, "p1").ticket
    assert first is not None
    scene.do(AcceptTicket(first))
    scene.do(FinishTicket(first))
    scene.cleared(FAULT, "p1")
    alarm = scene.raised(FAULT, "p1")
    assert alarm.ticket == scene.ticket().id != first


def test_a_low_battery_and_a_fault_of_one_device_are_two() -> None:
    scene = Scene()
    scene.raised(FAULT, "s1")
    scene.raised(FactKind.BATTERY_LOW, "s1")
    assert len(scene.rows.tickets) == 2


def test_a_person_reports_what_the_device_has_said_already() -> None:
    scene = Scene()
    scene.device("p1", Kind.EQUIPMENT)
    scene.raised(FAULT, "p1", detail="jam")
    outcome = scene.do(ReportFault("paper everywhere", device="p1"), by="eve")
    assert outcome.refs == (scene.ticket().id,)
    assert (len(scene.rows.tickets), scene.ticket().count) == (1, 2)


def test_a_person_reports_things_that_are_no_devices() -> None:
    scene = Scene()
    for text in ("lamp is out", "chair is broken", "lamp is out"):
        scene.do(ReportFault(text, zone="z1"), by="eve")
    lamp, chair = scene.rows.tickets.values()
    assert (lamp.count, chair.count) == (2, 1)
    assert (lamp.subject, lamp.zone, lamp.opened_by) == (Subject("zone", "z1"), "z1", "eve")


def test_what_cannot_be_done_to_a_ticket() -> None:
    scene = Scene()
    scene.raised(FAULT, "p1")
    ticket = scene.ticket().id
    with pytest.raises(RefusedError, match="ticket_state"):
        scene.do(FinishTicket(ticket))
    scene.do(AcceptTicket(ticket))
    with pytest.raises(RefusedError, match="ticket_state"):
        scene.do(AcceptTicket(ticket))
    scene.do(FinishTicket(ticket))
    with pytest.raises(RefusedError, match="ticket_state"):
        scene.do(FinishTicket(ticket))
    with pytest.raises(RefusedError, match="no_such_ticket"):
        scene.do(AcceptTicket("T000777"))
