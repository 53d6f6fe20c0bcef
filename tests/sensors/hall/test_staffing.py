"""Who is at which window: the truth table, the pause, the hours, and when an unstaffed window is told of."""

import pytest

from sensors.actions import PauseWindow, ResumeWindow
from sensors.errors import RefusedError
from sensors.facts import FactKind
from sensors.hall.staffing import TABLE, Sense
from sensors.hall.state import Staffing
from sensors.inputs import Lane, Linked
from sensors.readings import Availability, Badge, BadgeResult, Direction, Presence
from tests.sensors.hall.harness import Speaking, ms, site

UNSTAFFED = FactKind.WINDOW_UNSTAFFED


def test_the_table_is_whole_and_never_accuses_for_a_sensor_that_is_down() -> None:
    assert set(TABLE) == {(badge, seat) for badge in Sense for seat in Sense}
    for (badge, seat), (staffing, _) in TABLE.items():
        if Sense.DOWN in {badge, seat}:
            assert staffing is not Staffing.UNSTAFFED
    assert TABLE[Sense.NO, Sense.YES][0] is Staffing.UNKNOWN
    assert TABLE[Sense.NONE, Sense.NONE][0] is Staffing.UNKNOWN


def test_badge_and_presence_make_a_window_staffed() -> None:
    hall = Speaking().open()
    assert hall.staffing() is Staffing.UNKNOWN
    hall.badge_in("w3", "p-wang")
    assert hall.staffing() is Staffing.UNKNOWN
    hall.sits("w3")
    assert hall.staffing() is Staffing.STAFFED
    assert hall.hall.state.windows["w3"].people == {"p-wang": hall.now}


@pytest.mark.parametrize("result", [BadgeResult.DENIED, BadgeResult.UNKNOWN])
def test_a_refused_card_puts_nobody_at_a_window(result: BadgeResult) -> None:
    hall = Speaking().open()
    hall.says("r3", Badge("04A1B2", result))
    hall.says("r3", Badge("FFFF", BadgeResult.GRANTED))
    assert hall.hall.state.windows["w3"].people == {}


def test_presence_alone_is_no_clerk() -> None:
    hall = Speaking().open()
    hall.sits("w3")
    hall.forward(minutes=20)
    assert hall.staffing() is Staffing.UNKNOWN
    assert hall.told(UNSTAFFED, "w3") == []


def test_unstaffed_for_five_minutes_is_told_once_with_its_beginning() -> None:
    hall = Speaking().open().serve()
    hall.forward(minutes=10)
    hall.sits("w3", present=False)
    left = hall.now
    hall.forward(minutes=1, seconds=59)
    assert hall.staffing() is Staffing.STAFFED
    hall.forward(seconds=1)
    assert hall.staffing() is Staffing.UNSTAFFED
    hall.forward(minutes=2, seconds=59)
    assert hall.told(UNSTAFFED, "w3") == []
    hall.forward(seconds=1)
    fact = hall.expect(UNSTAFFED, "w3")
    assert (fact.at, fact.since, fact.zone) == (left + 300_000, left, "a")
    hall.forward(minutes=30)
    assert len(hall.told(UNSTAFFED, "w3")) == 1


def test_who_comes_back_clears_it_after_the_hold() -> None:
    hall = Speaking().open().serve()
    hall.sits("w3", present=False)
    hall.forward(minutes=6)
    hall.expect(UNSTAFFED, "w3")
    hall.sits("w3")
    assert hall.told(UNSTAFFED, "w3")[-1].holds
    hall.forward(seconds=10)
    hall.expect(UNSTAFFED, "w3", holds=False)


def test_a_step_aside_is_forgiven() -> None:
    hall = Speaking().open().serve()
    for _ in range(10):
        hall.sits("w3", present=False)
        hall.forward(minutes=1)
        hall.sits("w3")
        hall.forward(minutes=1)
    assert hall.told(UNSTAFFED, "w3") == []
    assert hall.staffing() is Staffing.STAFFED


def test_badge_out_ends_it_at_once() -> None:
    hall = Speaking().open().serve()
    hall.sits("w3", present=False)
    hall.badge_out("w3", "p-wang")
    assert hall.staffing() is Staffing.UNSTAFFED


def test_who_badges_at_another_window_has_moved() -> None:
    hall = Speaking().open().serve()
    hall.badge_in("w2", "p-wang")
    assert hall.hall.state.windows["w3"].people == {}
    assert "p-wang" in hall.hall.state.windows["w2"].people


@pytest.mark.parametrize("sensor", ["r3", "s3"])
def test_a_silent_sensor_makes_it_unknown_and_is_never_held_against_anybody(sensor: str) -> None:
    hall = Speaking().open().serve()
    hall.silence(sensor)
    if sensor == "r3":
        hall.sits("w3", present=False)
    hall.forward(minutes=30)
    assert hall.staffing() is Staffing.UNKNOWN
    assert hall.told(UNSTAFFED, "w3") == []


def test_a_silent_reader_leaves_presence_to_speak_with_less_certainty() -> None:
    hall = Speaking().open().serve()
    hall.silence("r3").forward(minutes=10)
    assert hall.staffing() is Staffing.STAFFED
    assert not hall.hall.state.windows["w3"].sure


def test_minutes_in_which_the_sensor_was_down_do_not_count() -> None:
    hall = Speaking().open().serve()
    hall.says("s3", Availability(online=False))
    hall.forward(minutes=4)
    assert hall.staffing() is Staffing.UNKNOWN
    back = hall.now
    hall.sits("w3", present=False)
    hall.forward(minutes=4, seconds=59)
    assert hall.told(UNSTAFFED, "w3") == []
    hall.forward(minutes=2)
    assert hall.expect(UNSTAFFED, "w3").since >= back


def test_a_sensor_that_comes_back_with_bad_news_speaks_only_from_then_on() -> None:
    devices = [{"id": "rs", "kinds": ["badge", "presence"], "window": "w1"}]
    hall = Speaking(site=site(devices=devices, shifts=[])).open()
    hall.says("rs", Badge("04A1B2", BadgeResult.GRANTED), Presence(present=True))
    hall.forward(minutes=5)
    hall.says("rs", Availability(online=False))
    hall.silence("rs").forward(minutes=1)
    assert hall.staffing("w1") is Staffing.STAFFED
    hall.silent.clear()
    hall.says("rs", Badge("04A1B2", BadgeResult.GRANTED, Direction.OUT), Presence(present=False))
    assert (hall.staffing("w1"), hall.hall.state.windows["w1"].since) == (Staffing.UNSTAFFED, hall.now)


def test_going_unknown_never_clears() -> None:
    hall = Speaking().open().serve()
    hall.sits("w3", present=False)
    hall.forward(minutes=6)
    hall.says("s3", Availability(online=False))
    hall.forward(minutes=30)
    assert hall.staffing() is Staffing.UNKNOWN
    assert hall.expect(UNSTAFFED, "w3").holds


def test_retained_presence_judges_nothing() -> None:
    hall = Speaking().open()
    hall.says("s3", Presence(present=False), retained=True)
    hall.forward(minutes=30)
    assert hall.staffing() is Staffing.UNKNOWN
    assert hall.told(UNSTAFFED) == []
    assert hall.hall.state.windows["w3"].present is False


def test_a_pause_is_announced_and_runs_out() -> None:
    hall = Speaking().open().serve()
    hall.act(PauseWindow("w3", until=hall.now + 900_000))
    hall.sits("w3", present=False)
    hall.forward(minutes=14)
    assert hall.staffing() is Staffing.PAUSED
    hall.forward(minutes=1)
    assert hall.staffing() is Staffing.UNSTAFFED
    hall.forward(minutes=5)
    assert hall.expect(UNSTAFFED, "w3").since == ms("09:15")


def test_a_pause_without_end_lasts_as_long_as_a_pause_may() -> None:
    hall = Speaking().open().serve()
    hall.act(PauseWindow("w3"))
    pause = hall.hall.state.windows["w3"].pause
    assert pause is not None
    assert (pause.until, pause.by) == (hall.now + 1_800_000, "manager")


def test_a_cover_lasts_until_the_window_closes() -> None:
    hall = Speaking().open()
    hall.act(PauseWindow("w3", covered_by="p-li"))
    hall.until("11:59")
    assert hall.staffing() is Staffing.PAUSED
    hall.until("12:00")
    assert hall.staffing() is Staffing.CLOSED
    hall.until("13:31")
    assert hall.staffing() is not Staffing.PAUSED


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (PauseWindow("w9"), "no_such_window"),
        (PauseWindow("w3", until=ms("08:59")), "pause_in_past"),
        (PauseWindow("w3", until=ms("09:31")), "pause_too_long"),
        (PauseWindow("w3", covered_by="p-nobody"), "no_such_person"),
        (ResumeWindow("w3"), "window_not_paused"),
        (ResumeWindow("w9"), "no_such_window"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(action: PauseWindow | ResumeWindow, code: str) -> None:
    hall = Speaking().open()
    before = repr(hall.hall.state)
    with pytest.raises(RefusedError) as refused:
        hall.act(action)
    assert refused.value.code == code
    assert repr(hall.hall.state) == before


def test_resume_ends_a_pause() -> None:
    hall = Speaking().open().serve()
    hall.act(PauseWindow("w3"))
    hall.act(ResumeWindow("w3"))
    assert hall.staffing() is Staffing.STAFFED
    assert hall.hall.state.windows["w3"].since == hall.now


def test_hours_close_and_open_a_window() -> None:
    hall = Speaking().start()
    assert hall.staffing() is Staffing.CLOSED
    hall.until("09:00")
    hall.serve()
    hall.until("12:00")
    assert hall.staffing() is Staffing.CLOSED
    hall.until("13:30")
    assert hall.staffing() is Staffing.STAFFED
    hall.until("18:00")
    assert hall.staffing() is Staffing.CLOSED


def test_an_empty_desk_at_opening_time_is_told_five_minutes_later() -> None:
    hall = Speaking().start()
    hall.sits("w3", present=False)
    hall.until("09:05")
    fact = hall.expect(UNSTAFFED, "w3")
    assert fact.since == ms("09:00")


def test_closing_ends_it() -> None:
    hall = Speaking().open()
    hall.sits("w3", present=False)
    hall.until("12:01")
    hall.expect(UNSTAFFED, "w3", holds=False)


def test_nobody_sits_there_overnight() -> None:
    hall = Speaking().open().serve()
    hall.until("00:01", "2026-03-03")
    assert hall.hall.state.windows["w3"].people == {}


def test_a_lost_link_makes_the_window_unknown_after_the_decay() -> None:
    hall = Speaking().open().serve()
    hall.take(Linked(hall.now, Lane.TELEMETRY, up=False))
    hall.silent.update(hall.hall.state.devices)
    hall.forward(minutes=2)
    assert hall.staffing() is Staffing.UNKNOWN
    hall.forward(minutes=30)
    assert hall.told(UNSTAFFED) == []


def test_a_window_of_which_nothing_is_known_is_so_since_the_start() -> None:
    hall = Speaking().start()
    assert {window.since for window in hall.hall.state.windows.values()} == {ms("08:00")}
