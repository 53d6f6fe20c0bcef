"""Equipment, queues, crowds and buttons."""

from sensors.facts import FactKind
from sensors.hall.state import Staffing, ZoneState
from sensors.inputs import Lane, Linked
from sensors.readings import (
    Availability,
    Battery,
    Button,
    ButtonAction,
    Crowd,
    CrowdLevel,
    Equipment,
    EquipmentState,
    Flag,
    PeopleCount,
    Queue,
)
from tests.sensors.hall.harness import Speaking, site

FAULT = Equipment(EquipmentState.FAULT, "paper_jam")
OK = Equipment(EquipmentState.OK)


def zone(hall: Speaking) -> ZoneState:
    return hall.hall.state.zones["a"]


def counted(hall: Speaking, people: int, other: int = 0) -> None:
    hall.says("c1", PeopleCount(people))
    hall.says("c2", PeopleCount(other))


# -- equipment --------------------------------------------------------------------------------------------------


def test_a_fault_holds_after_ten_seconds_and_clears_after_a_minute() -> None:
    hall = Speaking().open()
    hall.says("p1", FAULT)
    began = hall.now
    hall.forward(seconds=9)
    hall.expect_none(FactKind.EQUIPMENT_FAULT)
    hall.forward(seconds=1)
    fact = hall.expect(FactKind.EQUIPMENT_FAULT, "p1")
    assert (fact.detail, fact.since, fact.zone) == ("paper_jam", began, "a")
    hall.says("p1", OK)
    hall.forward(seconds=59)
    assert hall.expect(FactKind.EQUIPMENT_FAULT).holds
    hall.forward(seconds=1)
    hall.expect(FactKind.EQUIPMENT_FAULT, holds=False)


def test_a_fault_that_flickers_is_none() -> None:
    hall = Speaking().open()
    for _ in range(5):
        hall.says("p1", FAULT)
        hall.forward(seconds=5)
        hall.says("p1", OK)
        hall.forward(seconds=5)
    hall.expect_none(FactKind.EQUIPMENT_FAULT)


def test_another_code_is_told_again() -> None:
    hall = Speaking().open()
    hall.says("p1", FAULT)
    hall.forward(seconds=10)
    fact = hall.says("p1", Equipment(EquipmentState.FAULT, "no_toner"))[0]
    assert (fact.again, fact.detail) == (True, "no_toner")
    assert hall.says("p1", Equipment(EquipmentState.FAULT, "no_toner")) == []


def test_off_and_offline_clear_no_fault() -> None:
    hall = Speaking().open()
    hall.says("p1", FAULT)
    hall.forward(seconds=10)
    hall.says("p1", Equipment(EquipmentState.OFF))
    hall.says("p1", Availability(online=False))
    hall.silence("p1").forward(minutes=30)
    assert hall.expect(FactKind.EQUIPMENT_FAULT).holds


def test_a_retained_fault_is_shown_and_not_told() -> None:
    hall = Speaking().open()
    hall.says("p1", FAULT, retained=True)
    hall.forward(minutes=5)
    assert hall.hall.state.devices["p1"].equipment is EquipmentState.FAULT
    hall.expect_none(FactKind.EQUIPMENT_FAULT)


def test_a_low_battery_is_told_until_it_is_well() -> None:
    hall = Speaking().open()
    hall.says("f2", Battery(pct=9.0))
    assert hall.expect(FactKind.BATTERY_LOW, "f2").value == 9.0
    hall.says("f2", Battery(pct=15.0))
    assert hall.expect(FactKind.BATTERY_LOW, "f2").holds
    hall.says("f2", Battery(pct=100.0))
    hall.expect(FactKind.BATTERY_LOW, "f2", holds=False)


# -- queues -----------------------------------------------------------------------------------------------------


def test_the_wait_follows_from_the_windows_that_are_staffed() -> None:
    hall = Speaking().open()
    hall.says("q1", Queue(5))
    queue = hall.hall.state.services["card"]
    assert (queue.length, queue.wait_s, queue.open_windows, queue.stale) == (5, None, 0, False)
    hall.serve()
    assert (queue.wait_s, queue.open_windows) == (6 * 300, 1)
    hall.serve("w1", "p-li")
    assert (queue.wait_s, queue.open_windows) == (3 * 300, 2)
    hall.says("q1", Queue(5, wait_s=60.0))
    assert queue.wait_s == 60


def test_a_long_queue_is_told_after_its_hold() -> None:
    hall = Speaking().open()
    hall.says("q1", Queue(20))
    hall.forward(seconds=59)
    hall.expect_none(FactKind.QUEUE_LONG)
    hall.forward(seconds=1)
    fact = hall.expect(FactKind.QUEUE_LONG, "card")
    assert (fact.detail, fact.value, fact.threshold) == ("length", 20, 20)
    hall.says("q1", Queue(17, wait_s=1.0))
    hall.forward(minutes=5)
    assert hall.expect(FactKind.QUEUE_LONG).holds
    hall.says("q1", Queue(3, wait_s=1.0))
    hall.forward(minutes=2)
    hall.expect(FactKind.QUEUE_LONG, holds=False)


def test_a_long_wait_is_told_too() -> None:
    hall = Speaking().open().serve()
    hall.says("q1", Queue(2))
    hall.forward(minutes=1)
    fact = hall.expect(FactKind.QUEUE_LONG, "card")
    assert (fact.detail, fact.value, fact.threshold) == ("wait", 900, 900)


def test_a_silent_queue_sensor_is_unknown() -> None:
    hall = Speaking().open().serve()
    hall.says("q1", Queue(25))
    hall.forward(minutes=1)
    hall.silence("q1").forward(minutes=30)
    assert hall.hall.state.services["card"].stale
    assert hall.expect(FactKind.QUEUE_LONG).holds
    hall.says("q1", Availability(online=True))
    hall.forward(seconds=30)
    assert hall.expect(FactKind.QUEUE_LONG).holds


def test_a_lost_link_drops_a_queue_that_was_not_yet_long_enough() -> None:
    hall = Speaking().open()
    hall.says("q1", Queue(25))
    hall.take(Linked(hall.now, Lane.TELEMETRY, up=False))
    hall.silence(*hall.hall.state.devices).forward(minutes=10)
    hall.expect_none(FactKind.QUEUE_LONG)


def test_a_broker_that_lost_our_session_leaves_what_was_said_last_in_doubt() -> None:
    hall = Speaking().open().serve()
    counted(hall, 20, 10)
    hall.says("q1", Queue(25))
    hall.take(Linked(hall.now, Lane.TELEMETRY, up=False))
    hall.take(Linked(hall.now, Lane.TELEMETRY, up=True, missed=True))
    hall.beat()
    assert zone(hall).level is None
    assert zone(hall).occupancy == 30
    hall.forward(minutes=5)
    assert hall.staffing() is Staffing.UNKNOWN
    hall.expect_none(FactKind.QUEUE_LONG, FactKind.WINDOW_UNSTAFFED)


def test_a_retained_queue_is_shown_and_not_told() -> None:
    hall = Speaking().open()
    hall.says("q1", Queue(50), retained=True)
    hall.forward(minutes=5)
    assert hall.hall.state.services["card"].length == 50
    hall.expect_none(FactKind.QUEUE_LONG)


def test_a_queue_ends_when_its_windows_close() -> None:
    hall = Speaking().open()
    hall.says("q1", Queue(25))
    hall.until("12:03")
    hall.expect(FactKind.QUEUE_LONG, holds=False)


# -- crowds -----------------------------------------------------------------------------------------------------


def test_a_level_holds_before_it_counts() -> None:
    hall = Speaking().open()
    counted(hall, 200, 60)
    began = hall.now
    hall.forward(seconds=29)
    assert zone(hall).level is CrowdLevel.NORMAL
    hall.forward(seconds=1)
    assert zone(hall).level is CrowdLevel.ORANGE
    fact = hall.expect(FactKind.CROWD, "a")
    assert (fact.level, fact.value, fact.threshold, fact.since) == (CrowdLevel.ORANGE, 2.6, 2.5, began)
    assert len(hall.told(FactKind.CROWD)) == 1


def test_straight_to_red_is_one_fact_and_a_change_of_level_is_told_again() -> None:
    hall = Speaking().open()
    counted(hall, 400)
    hall.forward(seconds=30)
    assert [(fact.level, fact.again) for fact in hall.told(FactKind.CROWD)] == [(CrowdLevel.RED, False)]
    counted(hall, 270)
    hall.forward(seconds=119)
    assert zone(hall).level is CrowdLevel.RED
    hall.forward(seconds=1)
    fact = hall.expect(FactKind.CROWD)
    assert (fact.level, fact.again) == (CrowdLevel.ORANGE, True)


def test_just_below_the_level_it_goes_on() -> None:
    hall = Speaking().open()
    counted(hall, 260)
    hall.forward(seconds=30)
    counted(hall, 220)
    hall.forward(minutes=10)
    assert hall.expect(FactKind.CROWD).holds
    counted(hall, 100)
    hall.forward(minutes=2)
    hall.expect(FactKind.CROWD, holds=False)
    assert zone(hall).level is CrowdLevel.BLUE


def test_at_its_capacity_a_zone_is_orange() -> None:
    small = site(zones=[{"id": "a", "name": {"zh": "甲区"}, "area_m2": 1000, "capacity": 300}])
    hall = Speaking(site=small).open()
    counted(hall, 300)
    hall.forward(seconds=30)
    assert hall.expect(FactKind.CROWD).level is CrowdLevel.ORANGE


def test_a_silent_counter_makes_the_level_unknown_but_not_what_the_others_prove() -> None:
    hall = Speaking().open()
    counted(hall, 20, 10)
    hall.forward(seconds=30)
    assert zone(hall).level is CrowdLevel.NORMAL
    hall.silence("c2").forward(minutes=4)
    assert zone(hall).level is None
    hall.says("c1", PeopleCount(360))
    hall.forward(seconds=30)
    assert zone(hall).level is CrowdLevel.RED
    hall.says("c1", PeopleCount(10))
    hall.forward(minutes=20)
    assert zone(hall).level is None
    assert hall.expect(FactKind.CROWD).holds


def test_a_retained_count_raises_nothing_even_when_its_sensor_is_heard() -> None:
    hall = Speaking().open()
    hall.says("c1", PeopleCount(900), retained=True)
    hall.says("c2", PeopleCount(1))
    hall.forward(minutes=5)
    assert zone(hall).occupancy == 901
    assert zone(hall).level is None
    hall.expect_none(FactKind.CROWD)


def test_line_counters_add_up_and_never_below_nobody() -> None:
    hall = Speaking().open()
    hall.says("c1", PeopleCount(in_delta=5))
    hall.says("c1", PeopleCount(in_delta=2, out_delta=3))
    assert zone(hall).counts["c1"] == 4
    hall.says("c1", PeopleCount(out_delta=9))
    assert zone(hall).counts["c1"] == 0
    hall.says("c1", PeopleCount(in_delta=50), retained=True)
    assert zone(hall).counts["c1"] == 0
    hall.says("c2", PeopleCount(in_total=100, out_total=88))
    assert zone(hall).occupancy == 12


def test_a_device_that_judges_by_itself() -> None:
    devices = [{"id": "x1", "kinds": ["crowd"], "zone": "a"}]
    hall = Speaking(site=site(devices=devices, shifts=[])).open()
    hall.says("x1", Crowd(CrowdLevel.RED), retained=True)
    hall.forward(minutes=1)
    hall.expect_none(FactKind.CROWD)
    hall.says("x1", Crowd(count=80, threshold=80))
    hall.forward(seconds=30)
    assert hall.expect(FactKind.CROWD).level is CrowdLevel.ORANGE
    hall.says("x1", Crowd(CrowdLevel.NORMAL))
    hall.forward(minutes=2)
    hall.expect(FactKind.CROWD, holds=False)


# -- buttons ----------------------------------------------------------------------------------------------------


def test_help_holds_at_once_and_ends_by_itself() -> None:
    hall = Speaking().open()
    fact = hall.says("b1", Button(ButtonAction.HELP))[0]
    assert (fact.key, fact.holds, fact.edge, fact.zone) == ("help/b1", True, False, "a")
    hall.forward(seconds=30)
    assert hall.says("b1", Button(ButtonAction.HELP))[0].again
    hall.forward(seconds=59)
    assert hall.expect(FactKind.HELP).holds
    hall.forward(seconds=1)
    hall.expect(FactKind.HELP, holds=False)


def test_no_press_is_no_press() -> None:
    hall = Speaking().open()
    hall.says("b1", Button(ButtonAction.HELP), retained=True)
    hall.says("b1", Button(ButtonAction.HELP), flags=Flag.TEST)
    hall.says("b1", Button(ButtonAction.FAULT), retained=True)
    hall.says("b1", Button(ButtonAction.RATE_BAD))
    hall.expect_none(FactKind.HELP, FactKind.FAULT_BUTTON)


def test_the_fault_button_is_an_edge() -> None:
    hall = Speaking().open()
    fact = hall.says("b1", Button(ButtonAction.FAULT))[0]
    assert (fact.kind, fact.edge, fact.key) == (FactKind.FAULT_BUTTON, True, "fault_button/b1")
