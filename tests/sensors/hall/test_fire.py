"""Fire: at once, never held back, never cleared by silence; what is not live or not approved is unverified."""

import pytest

from sensors.actions import ApproveDevice
from sensors.facts import FactKind
from sensors.hall.state import Liveness
from sensors.inputs import Lane, Started
from sensors.readings import Availability, Fire, FireSensor, Flag, Kind
from tests.sensors.hall.harness import Speaking

BURNS = Fire(alarm=True)
CALM = Fire(alarm=False)


def test_a_fire_holds_at_once() -> None:
    hall = Speaking().open()
    told = hall.says("f1", Fire(alarm=True, sensor=FireSensor.MCP), lane=Lane.SAFETY)
    assert [(f.key, f.holds, f.at, f.verified, f.detail, f.zone, f.again) for f in told] == [
        ("fire/f1", True, hall.now, True, "mcp", "a", False)
    ]


def test_before_any_start_and_off_hours_it_holds_as_well() -> None:
    hall = Speaking()
    assert hall.says("f1", BURNS)[0].kind is FactKind.FIRE


def test_it_repeats_as_again_and_clears_live() -> None:
    hall = Speaking().open()
    hall.says("f1", BURNS)
    hall.forward(seconds=10)
    assert hall.says("f1", BURNS)[0].again
    assert hall.says("f1", BURNS) == []
    hall.says("f1", CALM, retained=True)
    assert hall.expect(FactKind.FIRE).holds
    assert hall.hall.state.devices["f1"].fire is True
    hall.says("f1", CALM)
    hall.expect(FactKind.FIRE, "f1", holds=False)


def test_two_detectors_are_two_facts() -> None:
    hall = Speaking().open()
    hall.says("f1", BURNS)
    hall.says("f2", BURNS)
    assert {fact.key for fact in hall.told(FactKind.FIRE)} == {"fire/f1", "fire/f2"}


def test_silence_and_last_will_and_restart_clear_nothing() -> None:
    hall = Speaking().open()
    hall.says("f1", BURNS)
    hall.says("f1", Availability(online=False))
    hall.silence("f1").forward(minutes=60)
    hall.take(Started(hall.now, "site-2"))
    hall.forward(minutes=60)
    assert all(fact.holds for fact in hall.told(FactKind.FIRE))
    assert hall.hall.state.conditions["fire/f1"].active is not None


def test_a_retained_fire_is_unverified_until_it_is_heard_live() -> None:
    hall = Speaking().open()
    assert not hall.says("f1", BURNS, retained=True)[0].verified
    assert hall.says("f1", BURNS, retained=True) == []
    fact = hall.says("f1", BURNS)[0]
    assert (fact.verified, fact.again) == (True, True)
    assert hall.says("f1", BURNS, retained=True) == []


def test_another_sense_of_the_same_detector_is_told_at_once() -> None:
    hall = Speaking().open()
    hall.says("f1", BURNS)
    assert hall.says("f1", BURNS) == []
    fact = hall.says("f1", Fire(alarm=True, sensor=FireSensor.HEAT))[0]
    assert (fact.detail, fact.again, fact.verified) == ("heat", True, True)
    assert hall.says("f1", Fire(alarm=True, sensor=FireSensor.HEAT)) == []


def test_a_fire_of_a_stranger_is_unverified_and_a_stranger_cannot_end_a_verified_one() -> None:
    hall = Speaking().open()
    fact = hall.says("smoke-9", BURNS)[0]
    assert (fact.key, fact.verified) == ("fire/smoke-9", False)
    hall.act(ApproveDevice("smoke-9", (Kind.FIRE,), zone="a"))
    fact = hall.says("smoke-9", BURNS)[0]
    assert (fact.verified, fact.again) == (True, True)


def test_a_stranger_ends_its_own_unverified_fire() -> None:
    hall = Speaking().open()
    hall.says("smoke-9", BURNS)
    hall.says("smoke-9", CALM)
    hall.expect(FactKind.FIRE, "smoke-9", holds=False)


@pytest.mark.parametrize("flag", [Flag.TEST, Flag.DRILL, Flag.LEARN, Flag.HISTORY])
def test_a_flag_makes_a_test_of_it(flag: Flag) -> None:
    hall = Speaking().open()
    told = hall.says("f1", BURNS, flags=flag)
    assert [(fact.kind, fact.edge) for fact in told] == [(FactKind.FIRE_TEST, True)]
    assert hall.hall.state.devices["f1"].fire is None


def test_the_detectors_test_button_is_a_test_even_with_its_alarm_on() -> None:
    hall = Speaking().open()
    told = hall.says("f1", Fire(alarm=True, test=True))
    assert [(fact.kind, fact.edge) for fact in told] == [(FactKind.FIRE_TEST, True)]


def test_a_test_does_not_end_a_real_fire() -> None:
    hall = Speaking().open()
    hall.says("f1", BURNS)
    hall.says("f1", Fire(alarm=False, test=True))
    hall.says("f1", CALM, flags=Flag.TEST)
    assert hall.expect(FactKind.FIRE).holds


def test_a_replayed_fire_is_history() -> None:
    hall = Speaking().open()
    assert hall.says("f1", BURNS, replayed=True) == []


def test_a_detectors_fault_and_tampering_are_told() -> None:
    hall = Speaking().open()
    hall.says("f1", Fire(alarm=False, fault=True, tamper=True))
    assert hall.expect(FactKind.TAMPER, "f1").holds
    hall.forward(seconds=10)
    assert hall.expect(FactKind.EQUIPMENT_FAULT, "f1").detail == "fire_detector"
    hall.says("f1", CALM)
    hall.expect(FactKind.TAMPER, "f1", holds=False)
    hall.forward(minutes=1)
    hall.expect(FactKind.EQUIPMENT_FAULT, "f1", holds=False)


def test_a_full_list_of_strangers_keeps_no_fire_out() -> None:
    hall = Speaking().open()
    for n in range(1001):
        hall.says(f"d{n}", Availability(online=True))
    assert "d999" in hall.hall.state.devices
    assert "d1000" not in hall.hall.state.devices
    assert hall.says("smoke-x", BURNS)[0].kind is FactKind.FIRE
    assert hall.hall.state.devices["d1"].liveness is Liveness.UNKNOWN


def test_an_all_clear_that_was_overtaken_ends_no_fire_and_an_overtaken_fire_is_heard() -> None:
    hall = Speaking().open()
    hall.says("f1", CALM, boot=1, sequence=1)
    hall.says("f1", BURNS, boot=1, sequence=3)
    hall.says("f1", CALM, boot=1, sequence=2)
    hall.expect(FactKind.FIRE, "f1")
    hall.says("f1", CALM, boot=1, sequence=6)
    hall.expect(FactKind.FIRE, "f1", holds=False)
    hall.says("f1", BURNS, boot=1, sequence=5)
    hall.expect(FactKind.FIRE, "f1")


def test_a_detector_that_counts_from_the_start_again_can_still_clear() -> None:
    hall = Speaking().open()
    hall.says("f1", BURNS, boot=1, sequence=5000)
    hall.says("f1", CALM, boot=1, sequence=1)
    hall.expect(FactKind.FIRE, "f1", holds=False)
