"""Every kind of fact: which alarm, which ticket, which line in the log."""

import pytest

from alerts.model import Priority, TicketState
from alerts.rules import RULES
from sensors.facts import FactKind, Subject
from sensors.readings import CrowdLevel, Kind
from tests.alerts.harness import Rows, Scene

ALARMS = [
    (FactKind.FIRE, Priority.LIFE_SAFETY, False),
    (FactKind.HELP, Priority.LIFE_SAFETY, False),
    (FactKind.BROKER_LOST, Priority.HIGH, False),
    (FactKind.TAMPER, Priority.HIGH, False),
    (FactKind.WINDOW_UNSTAFFED, Priority.MEDIUM, False),
    (FactKind.QUEUE_LONG, Priority.MEDIUM, False),
    (FactKind.DEVICE_SILENT, Priority.MEDIUM, False),
    (FactKind.EQUIPMENT_FAULT, Priority.MEDIUM, True),
    (FactKind.BATTERY_LOW, Priority.LOW, True),
    (FactKind.GATEWAY, Priority.MEDIUM, False),
]
SILENT = [FactKind.FIRE_TEST, FactKind.SEQUENCE_GAP, FactKind.SESSION_LOST, FactKind.CLOCK_SKEW]


def test_every_kind_has_a_rule() -> None:
    assert set(RULES) == set(FactKind)


@pytest.mark.parametrize(("kind", "priority", "ticket"), ALARMS)
def test_alarm(kind: FactKind, priority: Priority, *, ticket: bool) -> None:
    scene = Scene()
    alarm = scene.raised(kind, detail="why")
    scene.expect_alarm(kind, priority=priority, active=True, acknowledged=None, detail="why", zone="z1", count=1)
    assert scene.logged("alarm.") == ["alarm.raised"]
    assert [one.alarm for one in scene.rows.tickets.values()] == ([alarm.id] if ticket else [])
    assert (alarm.ticket is not None) is ticket


@pytest.mark.parametrize(
    ("level", "priority"), [(CrowdLevel.ORANGE, Priority.HIGH), (CrowdLevel.RED, Priority.LIFE_SAFETY)]
)
def test_crowd_by_level(level: CrowdLevel, priority: Priority) -> None:
    assert Scene().crowd(level).priority is priority


def test_a_silent_fire_detector_is_graver_than_a_silent_counter() -> None:
    scene = Scene()
    scene.device("s1", Kind.FIRE, Kind.BATTERY)
    scene.device("c1", Kind.PEOPLE_COUNT)
    assert scene.raised(FactKind.DEVICE_SILENT, "s1").priority is Priority.HIGH
    assert scene.raised(FactKind.DEVICE_SILENT, "c1").priority is Priority.MEDIUM


@pytest.mark.parametrize(
    ("condition", "priority"),
    [("store", Priority.HIGH), ("history_behind", Priority.MEDIUM), ("dead_letter", Priority.HIGH)],
)
def test_what_the_gateway_says_of_itself(condition: str, priority: Priority) -> None:
    scene = Scene()
    key = f"gateway/{condition}/x"
    scene.tell(scene.fact(FactKind.GATEWAY, "x", key=key, subject=Subject("gateway", "x"), device=None))
    assert [(one.key, one.priority) for one in scene.rows.alarms.values()] == [(key, priority)]


@pytest.mark.parametrize("kind", SILENT)
def test_only_a_line_in_the_log(kind: FactKind) -> None:
    scene = Scene()
    scene.tell(scene.fact(kind, "d1", edge=True, detail="smoke"))
    assert scene.logged() == [kind.value]
    assert scene.rows == Rows(events=scene.rows.events)


def test_clock_skew_that_lasts_has_two_lines() -> None:
    scene = Scene()
    scene.tell(scene.fact(FactKind.CLOCK_SKEW, "d1"))
    scene.tell(scene.fact(FactKind.CLOCK_SKEW, "d1", holds=False))
    assert scene.logged() == ["clock_skew.began", "clock_skew.ended"]


def test_a_punch_leaves_nothing() -> None:
    scene = Scene()
    scene.tell(scene.fact(FactKind.PUNCH, "d1", edge=True))
    assert scene.rows.events == []
    assert not scene.rows.alarms


def test_a_fault_button_opens_a_ticket_and_no_alarm() -> None:
    scene = Scene()
    scene.tell(scene.fact(FactKind.FAULT_BUTTON, "b1", edge=True))
    scene.tell(scene.fact(FactKind.FAULT_BUTTON, "b1", edge=True))
    assert not scene.rows.alarms
    assert (scene.ticket().state, scene.ticket().count, scene.ticket().opened_by) == (TicketState.OPEN, 2, "b1")
    assert len(scene.rows.tickets) == 1
