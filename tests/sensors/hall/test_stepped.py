"""The clock is stepped: what is measured has left what it had left, the calendar is read anew, and nobody is judged."""

import pytest

from sensors.facts import FactKind
from sensors.hall.state import Liveness, Punch, Staffing
from sensors.inputs import Stepped
from sensors.readings import Equipment, EquipmentState, PeopleCount
from tests.sensors.hall.harness import Speaking, ms

HOUR, DAY = 3_600_000, 86_400_000
STEPS = [HOUR, -HOUR, DAY, -DAY]
QUIET = (FactKind.DEVICE_SILENT, FactKind.WINDOW_UNSTAFFED, FactKind.FIRE)


def step(hall: Speaking, by: int) -> None:
    """The clock says something else from now on."""
    hall.take(Stepped(hall.now, by))
    hall.now += by


@pytest.mark.parametrize("by", STEPS)
def test_nobody_is_silent_for_a_step(by: int) -> None:
    hall = Speaking().open()
    step(hall, by)
    hall.forward(seconds=30)
    assert {device.liveness for name, device in hall.hall.state.devices.items() if name != "f2"} == {Liveness.ONLINE}
    assert not [fact for fact in hall.facts if fact.kind in QUIET]


@pytest.mark.parametrize("by", STEPS)
def test_a_limit_of_silence_has_left_what_it_had_left(by: int) -> None:
    plain, stepped = Speaking().open().silence("s1"), Speaking().open().silence("s1")
    for hall in (plain, stepped):
        hall.forward(seconds=40)
    step(stepped, by)
    offline = {}
    for name, hall in (("plain", plain), ("stepped", stepped)):
        begin = hall.now
        while hall.hall.state.devices["s1"].liveness is not Liveness.OFFLINE:
            hall.forward(seconds=1)
            assert hall.now < begin + HOUR, "its limit stands still"
        offline[name] = hall.now - begin
    assert offline["plain"] == offline["stepped"]
    assert offline["plain"] > 1000


@pytest.mark.parametrize("by", STEPS)
def test_a_hold_has_left_what_it_had_left(by: int) -> None:
    hall = Speaking().open()
    hold = hall.site.halls[0].thresholds.equipment_raise_s
    assert hold > 2
    hall.says("p1", Equipment(EquipmentState.FAULT))
    hall.forward(seconds=hold - 1)
    step(hall, by)
    assert not hall.told(FactKind.EQUIPMENT_FAULT)
    hall.forward(seconds=2)
    assert hall.expect(FactKind.EQUIPMENT_FAULT).at == hall.now - 1000


def test_who_sits_at_a_desk_stays_there_and_the_hours_are_read_anew() -> None:
    hall = Speaking().open().serve()
    step(hall, HOUR)
    assert (hall.staffing(), list(hall.hall.state.windows["w3"].people)) == (Staffing.STAFFED, ["p-wang"])
    step(hall, 12 * HOUR)
    assert hall.staffing() is Staffing.CLOSED
    step(hall, -12 * HOUR)
    assert hall.staffing() is not Staffing.CLOSED


def test_the_end_of_the_day_is_that_of_the_new_day() -> None:
    hall = Speaking().open()
    step(hall, DAY)
    assert f"p-wang/w3/{ms('09:00', '2026-03-03')}" in hall.hall.state.sessions
    hall.until("00:01", "2026-03-04")
    assert f"p-wang/w3/{ms('09:00', '2026-03-04')}" in hall.hall.state.sessions


def test_what_was_never_so_is_not_moved() -> None:
    hall = Speaking().start()
    before = hall.hall.state.devices["c1"].fire_at
    step(hall, DAY)
    assert before is None
    assert hall.hall.state.devices["c1"].fire_at is None
    assert hall.hall.state.zones["a"].at is None
    hall.says("c1", PeopleCount(3))
    assert hall.hall.state.zones["a"].at == hall.now


@pytest.mark.parametrize("by", [1000, HOUR, DAY])
def test_there_and_back_leaves_what_was(by: int) -> None:
    hall = Speaking().open().serve().forward(seconds=20)
    conditions = {key: one.due for key, one in hall.hall.state.conditions.items() if not key.startswith("gateway/")}
    seen = {name: (one.last_seen, one.liveness_since) for name, one in hall.hall.state.devices.items()}
    step(hall, by)
    step(hall, -by)
    after = {key: one.due for key, one in hall.hall.state.conditions.items() if not key.startswith("gateway/")}
    assert after == conditions
    assert seen == {name: (one.last_seen, one.liveness_since) for name, one in hall.hall.state.devices.items()}


@pytest.mark.parametrize("by", STEPS)
def test_people_hear_of_it_and_it_is_over_when_nothing_follows(by: int) -> None:
    hall = Speaking().open()
    step(hall, by)
    assert hall.expect(FactKind.GATEWAY).detail == f"clock_stepped {by / 1000:+.0f} s"
    hall.forward(minutes=11)
    hall.expect(FactKind.GATEWAY, holds=False)


@pytest.mark.parametrize(
    ("at", "by"),
    [
        ("08:30", HOUR),  # over the whole clock-in
        ("08:58", 20 * 60_000),  # over its beginning
        ("09:10", 40 * 60_000),  # over its end
        ("09:10", -30 * 60_000),  # back before it
        ("08:30", DAY),
    ],
)
def test_nobody_is_absent_for_a_clock_in_of_which_a_part_was_stepped_over(at: str, by: int) -> None:
    hall = Speaking().start().until(at)
    told = len(hall.facts)
    step(hall, by)
    if hall.now < ms("10:00"):
        hall.until("10:00")
    session = hall.hall.state.sessions[f"p-wang/w3/{ms('09:00')}"]
    assert session.punch is Punch.UNKNOWN
    assert not [one for one in hall.facts[told:] if one.detail in {"late", "absent"} and one.subject.id == "p-wang"]


def test_a_badge_confirms_a_clock_in_that_was_stepped_over() -> None:
    hall = Speaking().start().until("08:30")
    step(hall, 15 * 60_000)
    hall.until("08:50")
    hall.badge_in("w3", "p-wang")
    hall.until("10:00")
    assert hall.hall.state.sessions[f"p-wang/w3/{ms('09:00')}"].punch is Punch.ON_TIME
