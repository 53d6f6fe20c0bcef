"""Attendance: on time, late, absent, and unknown where the reader was not heard."""

from sensors.facts import FactKind
from sensors.hall.state import Punch, SessionState
from sensors.readings import Availability, Clock, Flag
from tests.sensors.hall.harness import Speaking, ms


def session(hall: Speaking, start: str = "09:00", person: str = "p-wang", window: str = "w3") -> SessionState:
    return hall.hall.state.sessions[f"{person}/{window}/{ms(start)}"]


def test_a_days_sessions_are_listed_with_lunch_between() -> None:
    hall = Speaking().start()
    assert sorted(hall.hall.state.sessions) == sorted(
        f"{who}/{ms(start)}" for who in ("p-wang/w3", "p-li/w1") for start in ("09:00", "13:30")
    )
    assert session(hall).punch is Punch.EXPECTED
    hall.until("00:01", "2026-03-03")
    assert f"p-wang/w3/{ms('09:00', '2026-03-03')}" in hall.hall.state.sessions


def test_on_time() -> None:
    hall = Speaking().start().until("08:50")
    told = [fact for fact in hall.badge_in("w3", "p-wang") if fact.kind is FactKind.PUNCH]
    assert [(fact.subject.id, fact.detail, fact.edge) for fact in told] == [("p-wang", "on_time", True)]
    assert (session(hall).punch, session(hall).first_in, session(hall).minutes_late) == (Punch.ON_TIME, ms("08:50"), 0)
    hall.until("11:00")
    assert len(hall.told(FactKind.PUNCH, "p-wang")) == 1


def test_the_grace_counts_as_on_time() -> None:
    hall = Speaking().start().until("09:05")
    hall.badge_in("w3", "p-wang")
    assert session(hall).punch is Punch.ON_TIME


def test_late_then_here() -> None:
    hall = Speaking().start().until("09:04")
    assert session(hall).punch is Punch.EXPECTED
    hall.until("09:12")
    assert session(hall).punch is Punch.LATE
    hall.badge_in("w3", "p-wang")
    assert (session(hall).punch, session(hall).minutes_late) == (Punch.LATE, 12)


def test_absent_after_half_an_hour_and_taken_back_by_a_badge() -> None:
    hall = Speaking().start().until("09:30")
    assert session(hall).punch is Punch.ABSENT
    hall.until("10:00")
    hall.badge_in("w3", "p-wang")
    assert session(hall).punch is Punch.LATE
    assert hall.expect(FactKind.PUNCH, "p-wang").value == 60


def test_a_message_that_was_held_up_counts_for_its_own_time() -> None:
    hall = Speaking().start().until("09:40")
    hall.badge_in("w3", "p-wang", clock=Clock.SYNCED, device_time=ms("08:58"))
    assert session(hall).punch is Punch.ON_TIME


def test_nobody_is_absent_where_the_reader_was_down() -> None:
    hall = Speaking().start().until("08:30")
    hall.says("r3", Availability(online=False))
    hall.silence("r3").until("09:30")
    assert session(hall).punch is Punch.UNKNOWN
    hall.silent.clear()
    hall.until("09:40")
    hall.badge_in("w3", "p-wang")
    assert session(hall).punch is Punch.UNKNOWN
    assert session(hall).first_in == ms("09:40")
    assert session(hall, person="p-li", window="w1").punch is Punch.ABSENT


def test_a_badge_before_the_failure_stands() -> None:
    hall = Speaking().start().until("08:55")
    hall.badge_in("w3", "p-wang")
    hall.silence("r3").until("09:30")
    assert session(hall).punch is Punch.ON_TIME


def test_who_stays_through_lunch_is_on_time_in_the_afternoon() -> None:
    hall = Speaking().open().serve()
    hall.until("13:31")
    assert session(hall, "13:30").punch is Punch.ON_TIME


def test_a_badge_at_another_window_is_no_punch_there() -> None:
    hall = Speaking().start().until("08:50")
    hall.badge_in("w2", "p-wang")
    assert session(hall).punch is Punch.EXPECTED


def test_what_is_not_live_is_no_punch() -> None:
    hall = Speaking().start().until("08:50")
    hall.badge_in("w3", "p-wang", retained=True)
    hall.badge_in("w3", "p-wang", flags=Flag.HISTORY)
    hall.badge_in("w3", "p-wang", replayed=True)
    hall.badge_out("w3", "p-wang")
    assert session(hall).punch is Punch.EXPECTED
    assert hall.hall.state.windows["w3"].people == {}


def test_a_hall_that_begins_in_mid_session_accuses_nobody() -> None:
    hall = Speaking(now=ms("10:00")).start()
    hall.until("12:30")
    assert session(hall).punch is Punch.UNKNOWN
    assert [fact for fact in hall.told(FactKind.PUNCH) if fact.detail in {"late", "absent"}] == []


def test_a_reader_that_failed_for_ten_minutes_of_the_clock_in_accuses_nobody() -> None:
    hall = Speaking().start().until("09:10")
    hall.says("r3", Availability(online=False))
    hall.silence("r3").until("09:20")
    hall.silent.clear()
    hall.until("09:31")
    assert session(hall).punch is Punch.UNKNOWN
