"""Devices: of the site, discovered, approved, retired; and what a new site file changes."""

import pytest

from sensors.actions import Action, ApproveDevice, ReportFault, RetireDevice
from sensors.decode.family import Decoded, Seen
from sensors.decode.reception import Arrival
from sensors.errors import RefusedError
from sensors.facts import FactKind
from sensors.hall.hall import Hall
from sensors.hall.state import Liveness, Origin
from sensors.inputs import Heard, Started, Tallied, Tally
from sensors.readings import (
    Availability,
    Battery,
    CrowdLevel,
    Equipment,
    EquipmentState,
    Fire,
    Kind,
    PeopleCount,
    Queue,
)
from tests.sensors.hall.harness import Speaking, site

FAULT = Equipment(EquipmentState.FAULT, "e1")


def test_a_stranger_is_listed_and_does_not_count() -> None:
    hall = Speaking().open()
    hall.says("new-1", FAULT)
    hall.says("new-1", Battery(pct=50.0))
    device = hall.hall.state.devices["new-1"]
    assert device.origin is Origin.DISCOVERED
    assert set(device.kinds) == {Kind.EQUIPMENT, Kind.BATTERY}
    assert (device.equipment, device.liveness, device.last_seen) == (None, Liveness.UNKNOWN, hall.now)
    assert device.sample
    hall.forward(minutes=60)
    hall.expect_none(FactKind.EQUIPMENT_FAULT, FactKind.DEVICE_SILENT)


def test_an_approved_device_counts_in_its_place() -> None:
    hall = Speaking().open()
    hall.says("new-1", FAULT)
    hall.act(ApproveDevice("new-1", (Kind.EQUIPMENT,), window="w2", power="battery"))
    device = hall.hall.state.devices["new-1"]
    assert (device.origin, device.window, device.zone, device.power) == (Origin.APPROVED, "w2", "a", "battery")
    hall.says("new-1", FAULT)
    hall.forward(seconds=10)
    hall.expect(FactKind.EQUIPMENT_FAULT, "new-1")


def test_a_zone_is_judged_at_once_when_a_counter_of_it_is_approved_or_retired() -> None:
    hall = Speaking().open()
    hall.says("new-1", PeopleCount(3))
    for counter in ("c1", "c2"):
        hall.says(counter, PeopleCount(5))
    assert level_of(hall) is CrowdLevel.NORMAL
    hall.act(ApproveDevice("new-1", (Kind.PEOPLE_COUNT,), zone="a"))
    assert level_of(hall) is None  # not all of it is counted now
    hall.says("c1", PeopleCount(5))
    assert level_of(hall) is None
    hall.act(RetireDevice("new-1"))
    assert level_of(hall) is CrowdLevel.NORMAL


def level_of(hall: Speaking) -> CrowdLevel | None:
    return hall.hall.state.zones["a"].level


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (ApproveDevice("nobody", (Kind.FIRE,)), "no_such_device"),
        (ApproveDevice("p1", (Kind.FIRE,)), "site_wins"),
        (ApproveDevice("old-1", (Kind.FIRE,)), "already_approved"),
        (ApproveDevice("new-1", (Kind.FIRE,), zone="z9"), "bad_place"),
        (ApproveDevice("new-1", (Kind.FIRE,), window="w9"), "bad_place"),
        (ApproveDevice("new-1", (Kind.FIRE,), service="nothing"), "bad_place"),
        (RetireDevice("nobody"), "no_such_device"),
        (RetireDevice("p1"), "site_wins"),
        (ReportFault("broken", device="nobody"), "no_such_device"),
        (ReportFault("broken", window="w9"), "no_such_window"),
        (ReportFault("broken", zone="z9"), "bad_place"),
    ],
)
def test_what_cannot_be_is_refused(action: Action, code: str) -> None:
    hall = Speaking().open()
    hall.says("new-1", FAULT)
    hall.says("old-1", FAULT)
    hall.act(ApproveDevice("old-1", (Kind.EQUIPMENT,)))
    with pytest.raises(RefusedError) as refused:
        hall.act(action)
    assert refused.value.code == code


def test_a_retired_device_leaves_a_tombstone_and_nothing_that_holds() -> None:
    hall = Speaking().open()
    hall.says("new-1", FAULT)
    hall.act(ApproveDevice("new-1", (Kind.EQUIPMENT,)))
    hall.says("new-1", FAULT)
    hall.forward(seconds=10)
    hall.act(RetireDevice("new-1"))
    hall.expect(FactKind.EQUIPMENT_FAULT, "new-1", holds=False)
    hall.says("new-1", FAULT)
    hall.forward(minutes=60)
    assert hall.hall.state.devices["new-1"].origin is Origin.RETIRED
    hall.expect(FactKind.EQUIPMENT_FAULT, "new-1", holds=False)
    with pytest.raises(RefusedError, match="already_retired"):
        hall.act(RetireDevice("new-1"))


def test_a_burning_detector_cannot_be_retired() -> None:
    hall = Speaking().open()
    hall.says("new-1", Fire(alarm=True))
    with pytest.raises(RefusedError, match="fire_active"):
        hall.act(RetireDevice("new-1"))


def test_a_bridges_list_is_discovery() -> None:
    hall = Speaking().open()
    seen = (Seen("Lobby/烟感", (Kind.FIRE,), "HS1SA"), Seen("p1", (Kind.EQUIPMENT,), "P-100"))
    decoded = Decoded("q1", seen=seen)
    for _ in range(2):
        hall.take(Heard(hall.now, "t", b"[]", retained=True), Arrival("native", "q1", decoded, (), approved=True))
    found = [device for device in hall.hall.state.devices.values() if device.origin is Origin.DISCOVERED]
    assert [(device.address, device.kinds, device.model) for device in found] == [("Lobby/烟感", (Kind.FIRE,), "HS1SA")]
    assert hall.hall.state.devices["p1"].model == "P-100"


def changed(**hall: object) -> Speaking:
    """A hall that goes on with another site file."""
    old = Speaking().open()
    old.says("new-1", FAULT)
    old.act(ApproveDevice("new-1", (Kind.EQUIPMENT,), zone="a"))
    old.says("q1", Queue(40))
    old.forward(minutes=1)
    new = Speaking(site=site(**hall), now=old.now, digest="site-2", state=old.hall.state)
    new.take(Started(new.now, "site-2"))
    return new


def test_the_site_file_wins_over_an_approval_and_says_so() -> None:
    devices = [{"id": "lift", "address": "new-1", "kinds": ["equipment"], "window": "w1"}]
    hall = changed(devices=devices)
    assert "new-1" not in hall.hall.state.devices
    device = hall.hall.state.devices["lift"]
    assert (device.origin, device.shadowed, device.window) == (Origin.SITE, True, "w1")
    assert hall.hall.state.devices["p1"].origin is Origin.DISCOVERED


def test_what_the_file_does_not_name_any_more_is_gone_with_what_held_about_it() -> None:
    hall = changed(services=[], windows=[], devices=[], shifts=[])
    assert hall.hall.state.services == {}
    assert hall.hall.state.windows == {}
    assert hall.hall.state.sessions == {}
    hall.expect(FactKind.QUEUE_LONG, "card", holds=False)
    hall.forward(minutes=120)
    assert hall.hall.state.devices["new-1"].origin is Origin.APPROVED


def test_the_account_adds_up_and_strays_are_counted() -> None:
    hall = Hall(site(), "main")
    tally = Tally("p1", received=3, stored=2, duplicate=1)
    hall.step(Tallied(1000, (tally, Tally("who", received=1, quarantined=1), tally)))
    account = hall.state.devices["p1"].account
    assert (account.received, account.stored, account.duplicate) == (6, 4, 2)
    assert (hall.state.stray.received, hall.state.stray.quarantined) == (1, 1)


def test_a_device_may_speak_before_any_start() -> None:
    hall = Speaking()
    hall.says("p1", Availability(online=True))
    assert hall.hall.state.devices["p1"].liveness is Liveness.ONLINE


def test_a_device_that_the_file_now_names_keeps_what_was_counted_and_leaves_no_alarm_behind() -> None:
    hall = Speaking().open()
    hall.says("new-1", FAULT, boot=1, sequence=1)
    hall.act(ApproveDevice("new-1", (Kind.EQUIPMENT,), window="w2"))
    hall.says("new-1", FAULT, boot=1, sequence=2)
    hall.take(Tallied(hall.now, (Tally("new-1", received=2, stored=1, awaiting=1),)))
    hall.forward(seconds=11)
    hall.expect(FactKind.EQUIPMENT_FAULT, "new-1")
    base = site()
    named = base.halls[0].devices[0].model_copy(update={"id": "printer-9", "address": "new-1", "window": "w2"})
    devices = (*base.halls[0].devices, named.model_copy(update={"kinds": (Kind.EQUIPMENT,)}))
    changed = base.model_copy(update={"halls": (base.halls[0].model_copy(update={"devices": devices}),)})
    hall.hall = Hall(changed, "main", hall.hall.state)
    hall.take(Started(hall.now, "site-2"))
    device = hall.hall.state.devices["printer-9"]
    assert "new-1" not in hall.hall.state.devices
    assert (device.shadowed, device.account.received, device.boots[0].highest) == (True, 2, 2)
    hall.expect(FactKind.EQUIPMENT_FAULT, "new-1", holds=False)
