"""Liveness: silence counts only while we listen; one lost broker is one fact."""

from sensors.facts import FactKind
from sensors.hall.state import Liveness
from sensors.inputs import Lane, Linked, Raised, Started
from sensors.readings import Availability, Clock, Equipment, EquipmentState, Scope
from tests.sensors.hall.harness import Speaking

SILENT = FactKind.DEVICE_SILENT


def live(hall: Speaking, device: str = "p1") -> Liveness:
    return hall.hall.state.devices[device].liveness


def test_unknown_until_heard_then_stale_then_offline() -> None:
    hall = Speaking()
    assert live(hall) is Liveness.UNKNOWN
    hall.start()
    assert live(hall) is Liveness.ONLINE
    hall.silence("p1").forward(minutes=3)
    assert live(hall) is Liveness.STALE
    fact = hall.expect(SILENT, "p1")
    assert fact.since == hall.now - 180_000
    hall.forward(minutes=7)
    assert live(hall) is Liveness.OFFLINE
    assert len(hall.told(SILENT)) == 1


def test_only_a_live_message_clears_it() -> None:
    hall = Speaking().open().silence("p1")
    hall.forward(minutes=5)
    hall.says("p1", Equipment(EquipmentState.OK), retained=True)
    assert live(hall) is Liveness.STALE
    hall.says("p1", Equipment(EquipmentState.OK))
    assert live(hall) is Liveness.ONLINE
    hall.expect(SILENT, "p1", holds=False)


def test_the_last_will_is_offline_at_once_and_no_proof_of_life() -> None:
    hall = Speaking().open()
    seen = hall.hall.state.devices["p1"].last_seen
    hall.says("p1", Availability(online=False))
    assert live(hall) is Liveness.OFFLINE
    assert hall.hall.state.devices["p1"].last_seen == seen
    assert hall.told(SILENT) == []
    hall.forward(seconds=10)
    assert hall.expect(SILENT, "p1").detail == "said_offline"
    hall.says("p1", Availability(online=True))
    hall.expect(SILENT, "p1", holds=False)


def test_a_connection_that_flaps_tells_nobody() -> None:
    hall = Speaking().open()
    for _ in range(60):
        hall.says("p1", Availability(online=False))
        assert live(hall) is Liveness.OFFLINE
        hall.forward(seconds=5)
        hall.says("p1", Availability(online=True))
        hall.forward(seconds=5)
    assert hall.told(SILENT) == []


def test_a_retained_will_is_shown_and_told_only_when_the_silence_lasts() -> None:
    hall = Speaking()
    hall.silence("p1").start()
    hall.says("p1", Availability(online=False), retained=True)
    assert live(hall) is Liveness.OFFLINE
    assert hall.told(SILENT) == []
    hall.forward(minutes=3)
    hall.expect(SILENT, "p1")


def test_a_sleeping_detector_is_not_silent_after_an_hour() -> None:
    hall = Speaking().open().silence("f2")
    hall.forward(minutes=240)
    assert live(hall, "f2") is Liveness.ONLINE
    assert hall.told(SILENT) == []


def test_a_device_that_was_never_heard_is_told_after_its_limit() -> None:
    hall = Speaking()
    hall.silence("p1").start()
    hall.forward(minutes=2, seconds=59)
    assert live(hall) is Liveness.UNKNOWN
    hall.forward(seconds=1)
    assert live(hall) is Liveness.STALE
    hall.expect(SILENT, "p1")


def test_the_time_in_which_the_gateway_was_down_is_held_against_nobody() -> None:
    hall = Speaking().open()
    hall.now += 8 * 3_600_000
    hall.take(Started(hall.now, "site-1"))
    assert live(hall) is Liveness.UNKNOWN
    hall.expect_none(SILENT, FactKind.WINDOW_UNSTAFFED, FactKind.BROKER_LOST)
    for lane in Lane:
        hall.take(Linked(hall.now, lane, up=True))
    hall.silence(*hall.hall.state.devices)
    hall.forward(minutes=2)
    hall.expect_none(SILENT)
    hall.forward(minutes=1)
    assert hall.told(SILENT) != []


def test_restarts_do_not_renew_a_silent_devices_patience_for_ever() -> None:
    hall = Speaking().open().silence("f2")
    for _ in range(60):
        hall.forward(minutes=30)
        hall.take(Started(hall.now, "site-1"))
        for lane in Lane:
            hall.take(Linked(hall.now, lane, up=True))
        hall.beat()
    hall.expect(SILENT, "f2")


def test_a_lost_link_makes_unknown_and_one_fact() -> None:
    hall = Speaking().open()
    hall.silence(*hall.hall.state.devices)
    hall.take(Linked(hall.now, Lane.TELEMETRY, up=False))
    lost = hall.now
    assert live(hall) is Liveness.UNKNOWN
    hall.forward(seconds=19)
    hall.expect_none()
    hall.forward(minutes=60)
    facts = [fact for fact in hall.facts if fact.kind is not FactKind.PUNCH]
    assert [(fact.key, fact.since, fact.detail) for fact in facts] == [("broker_lost", lost, "telemetry")]


def test_a_session_that_the_broker_forgot_is_said_once_and_is_no_alarm() -> None:
    hall = Speaking().open()
    lost = hall.now
    hall.take(Linked(lost, Lane.TELEMETRY, up=False))
    hall.forward(seconds=5)
    for lane in (Lane.TELEMETRY, Lane.SAFETY):
        hall.take(Linked(hall.now, lane, up=True, missed=True))
    facts = [fact for fact in hall.facts if fact.kind is not FactKind.PUNCH]
    assert [(fact.key, fact.since, fact.edge) for fact in facts] == [("session_lost/telemetry", lost, True)]


def test_back_again_everybody_has_the_grace_and_then_the_limit() -> None:
    hall = Speaking().open()
    hall.take(Linked(hall.now, Lane.TELEMETRY, up=False))
    hall.silence(*hall.hall.state.devices).forward(minutes=30)
    hall.silent.clear()
    hall.silence("p1")
    hall.take(Linked(hall.now, Lane.TELEMETRY, up=True))
    hall.expect(FactKind.BROKER_LOST, holds=False)
    hall.forward(seconds=60)
    assert live(hall) is Liveness.UNKNOWN
    assert live(hall, "q1") is Liveness.ONLINE
    hall.forward(minutes=2)
    assert {fact.subject.id for fact in hall.told(SILENT)} == {"p1"}


def test_a_blink_of_the_link_is_no_fact() -> None:
    hall = Speaking().open()
    hall.take(Linked(hall.now, Lane.SAFETY, up=False))
    hall.forward(seconds=5)
    hall.take(Linked(hall.now, Lane.SAFETY, up=True))
    hall.forward(minutes=10)
    hall.expect_none(FactKind.BROKER_LOST, SILENT)


def test_a_bridge_that_is_gone_makes_its_devices_unknown_and_not_silent() -> None:
    hall = Speaking().open()
    hall.says("q1", Availability(online=False, scope=Scope.BRIDGE))
    assert live(hall, "q1") is Liveness.OFFLINE
    assert live(hall) is Liveness.UNKNOWN
    hall.forward(seconds=10)
    assert {fact.subject.id for fact in hall.told(SILENT)} == {"q1"}


def test_a_wrong_clock_that_says_it_is_right_is_told() -> None:
    hall = Speaking().open()
    for _ in range(4):
        hall.says("p1", Equipment(EquipmentState.OK), clock=Clock.SYNCED, device_time=hall.now - 600_000)
        hall.says("q1", Availability(online=True), clock=Clock.FREE, device_time=hall.now - 600_000)
        hall.forward(minutes=1)
    assert [fact.subject.id for fact in hall.told(FactKind.CLOCK_SKEW)] == ["p1"]
    assert hall.hall.state.devices["q1"].skew_ms == 600_000


def test_missing_sequences_are_told_and_a_late_one_is_taken_back() -> None:
    hall = Speaking().open()
    for n in (1, 2, 6):
        hall.says("p1", Equipment(EquipmentState.OK), boot=1, sequence=n)
    fact = hall.expect(FactKind.SEQUENCE_GAP, "p1")
    assert (fact.value, fact.edge) == (3, True)
    hall.says("p1", Equipment(EquipmentState.OK), boot=1, sequence=4)
    assert hall.hall.state.devices["p1"].account.gaps == 2


def test_what_the_gateway_says_of_itself() -> None:
    hall = Speaking().open()
    hall.take(Raised(hall.now, "history", "influx", holds=True, detail="timeout"))
    hall.take(Raised(hall.now, "history", "influx", holds=True, detail="timeout"))
    hall.take(Raised(hall.now, "history", "influx", holds=False))
    hall.take(Raised(hall.now, "history", "influx", holds=False))
    told = [(fact.key, fact.holds, fact.again) for fact in hall.told(FactKind.GATEWAY)]
    key = "gateway/history/influx"
    assert told == [(key, True, False), (key, True, True), (key, False, False)]


def test_while_one_session_is_down_a_device_heard_on_the_other_becomes_unknown_and_not_silent() -> None:
    hall = Speaking().open()
    hall.says("p1", Equipment(EquipmentState.OK), lane=Lane.SAFETY)
    hall.take(Linked(hall.now, Lane.TELEMETRY, up=False))
    hall.says("p1", Equipment(EquipmentState.OK), lane=Lane.SAFETY)
    assert live(hall) is Liveness.ONLINE
    hall.silence(*hall.hall.state.devices).forward(minutes=30)
    assert live(hall) is Liveness.UNKNOWN
    hall.expect_none(SILENT)
