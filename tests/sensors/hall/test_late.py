"""A message that a later one has overtaken: what happened counts, what was so does not."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sensors.facts import FactKind
from sensors.hall.state import Staffing
from sensors.readings import Badge, BadgeResult, Direction, Equipment, EquipmentState, PeopleCount, Presence, Queue
from tests.sensors.hall.harness import TOKENS, Speaking

STATES = st.lists(st.sampled_from([EquipmentState.OK, EquipmentState.FAULT]), min_size=1, max_size=6)


@given(STATES, st.randoms(use_true_random=False))
def test_whatever_the_order_the_last_word_of_a_device_stands(states: list[EquipmentState], chance: Random) -> None:
    numbered = list(enumerate(states))
    chance.shuffle(numbered)
    hall = Speaking().open()
    for number, state in numbered:
        hall.says("p1", Equipment(state), boot=1, sequence=number)
    assert equipment(hall) is states[-1]
    hall.forward(minutes=3)
    active = [key for key, one in hall.hall.state.conditions.items() if key.startswith("equipment") and one.active]
    assert active == (["equipment_fault/p1"] if states[-1] is EquipmentState.FAULT else [])


def test_an_overtaken_length_or_presence_replaces_nothing() -> None:
    hall = Speaking().open().serve()
    hall.says("q1", Queue(9), boot=1, sequence=8)
    hall.says("q1", Queue(2), boot=1, sequence=7)
    assert hall.hall.state.services["card"].length == 9
    hall.says("s3", Presence(present=True), boot=1, sequence=8)
    hall.says("s3", Presence(present=False), boot=1, sequence=7)
    assert hall.hall.state.windows["w3"].present
    assert hall.staffing() is Staffing.STAFFED


def test_an_overtaken_badge_counts_for_the_shift_and_moves_nobody() -> None:
    hall = Speaking().start().until("08:58")
    out = Badge(TOKENS["p-wang"], BadgeResult.GRANTED, Direction.OUT)
    hall.says("r3", out, boot=1, sequence=2)
    hall.says("r3", Badge(TOKENS["p-wang"], BadgeResult.GRANTED), boot=1, sequence=1)
    assert hall.hall.state.windows["w3"].people == {}
    assert hall.expect(FactKind.PUNCH, "p-wang").detail == "on_time"


def test_crossings_add_up_in_any_order() -> None:
    hall = Speaking().open()
    hall.says("c1", PeopleCount(in_delta=3), boot=1, sequence=2)
    hall.says("c1", PeopleCount(in_delta=4), boot=1, sequence=1)
    assert hall.hall.state.zones["a"].counts["c1"] == 7


def equipment(hall: Speaking) -> EquipmentState | None:
    return hall.hall.state.devices["p1"].equipment


def test_another_kind_of_the_same_device_overtakes_nothing_and_a_new_boot_begins_anew() -> None:
    hall = Speaking().open()
    hall.says("p1", PeopleCount(occupancy=1), boot=1, sequence=9)
    hall.says("p1", Equipment(EquipmentState.FAULT), boot=1, sequence=8)
    assert equipment(hall) is EquipmentState.FAULT
    hall.says("p1", Equipment(EquipmentState.OK), boot=2, sequence=1)
    assert equipment(hall) is EquipmentState.OK
