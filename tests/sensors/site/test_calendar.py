"""The calendar: the wall clock of a hall, over lunch breaks, holidays, make-up days and changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.site.calendar import Calendar, HallCalendar, Span
from sensors.site.index import SiteIndex, normal_token
from sensors.site.model import Day, Device, Hall, MakeupDay, Person, Service, Shift, Site, Window, Words, Zone

DAYS: tuple[Day, ...] = get_args(Day)
DAY_MS = 86_400_000
A = Words(zh="甲")


def at(text: str, zone: str = "Asia/Shanghai", fold: int = 0) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(local.timestamp()) * 1000


def hall(timezone: str = "Asia/Shanghai", **changes: object) -> Hall:
    hours: dict[Day, tuple[str, ...]] = dict.fromkeys(DAYS[:5], ("08:30-12:00", "13:30-17:00"))
    fields: dict[str, object] = {"id": "main", "name": A, "hours": hours, "timezone": timezone}
    return Hall.model_validate(fields | changes)


def spans(day: str, *periods: str, zone: str = "Asia/Shanghai") -> tuple[Span, ...]:
    found = (period.split("-") for period in periods)
    return tuple((at(f"{day}T{start}", zone), at(f"{day}T{end}", zone)) for start, end in found)


def test_a_day_with_a_lunch_break() -> None:
    calendar = HallCalendar(hall())
    assert calendar.periods(date(2026, 3, 4)) == spans("2026-03-04", "08:30-12:00", "13:30-17:00")
    opened = {
        "08:29:59": False, "08:30:00": True, "11:59:59": True, "12:00:00": False, "13:29:59": False, "13:30:00": True,
        "17:00:00": False,
    }  # fmt: skip
    assert {time: calendar.is_open(at(f"2026-03-04T{time}")) for time in opened} == opened


def test_next_change_over_lunch_and_the_weekend() -> None:
    calendar = HallCalendar(hall())
    way = ["2026-03-06T08:30", "2026-03-06T12:00", "2026-03-06T13:30", "2026-03-06T17:00", "2026-03-09T08:30"]
    for now, then in pairwise(way):
        assert calendar.next_change(at(now)) == at(then)
        assert calendar.next_change(at(then) - 1) == at(then)


def test_a_holiday_is_closed_and_a_make_up_day_is_worked_like_its_weekday() -> None:
    calendar = HallCalendar(
        hall(
            hours={"tue": ("09:00-10:00",), "thu": ("08:00-09:00",)},
            holidays=("2026-10-01",),
            makeup_days=(MakeupDay(date="2026-09-20", like="tue"), MakeupDay(date="2026-10-08", like="tue")),
        )
    )
    assert calendar.periods(date(2026, 10, 1)) == ()
    assert calendar.periods(date(2026, 9, 20)) == spans("2026-09-20", "09:00-10:00")
    assert calendar.periods(date(2026, 10, 8)) == spans("2026-10-08", "09:00-10:00")
    assert calendar.periods(date(2026, 9, 24)) == spans("2026-09-24", "08:00-09:00")


def test_a_make_up_day_wins_over_a_holiday() -> None:
    days = (MakeupDay(date="2026-10-01", like="mon"),)
    calendar = HallCalendar(hall(holidays=("2026-10-01",), makeup_days=days))
    assert calendar.is_open(at("2026-10-01T09:00"))


def test_leap_day_and_new_year() -> None:
    calendar = HallCalendar(hall())
    assert calendar.periods(date(2028, 2, 29)) == spans("2028-02-29", "08:30-12:00", "13:30-17:00")
    assert calendar.next_change(at("2027-12-31T17:00")) == at("2028-01-03T08:30")
    assert calendar.date_of(at("2027-12-31T23:59:59")) == date(2027, 12, 31)
    assert calendar.date_of(at("2028-01-01T00:00:00")) == date(2028, 1, 1)


def test_a_window_has_hours_of_its_own_but_the_halls_holidays() -> None:
    own = Window(id="w8", number=8, name=A, zone="z", hours={"wed": ("08:30-17:00",)})
    plain = Window(id="w1", number=1, name=A, zone="z")
    calendar = HallCalendar(hall(windows=(own, plain), holidays=("2026-03-11",)))
    assert calendar.for_window(own).is_open(at("2026-03-04T12:30"))
    assert not calendar.for_window(plain).is_open(at("2026-03-04T12:30"))
    assert not calendar.for_window(own).is_open(at("2026-03-11T12:30"))
    assert not calendar.for_window(own).is_open(at("2026-03-05T09:00"))


def test_a_shifts_sessions() -> None:
    own = Window(id="w8", number=8, name=A, zone="z", hours={"wed": ("08:30-17:00",), "sat": ("09:00-11:00",)})
    days = (MakeupDay(date="2026-03-07", like="wed"),)
    calendar = HallCalendar(hall(windows=(own,), holidays=("2026-03-11",), makeup_days=days))
    wednesday, saturday, make_up = date(2026, 3, 4), date(2026, 3, 14), date(2026, 3, 7)
    shift = Shift(person="p", window="w8")
    assert calendar.sessions(shift, wednesday) == spans("2026-03-04", "08:30-17:00")
    assert calendar.sessions(shift, make_up) == spans("2026-03-07", "08:30-17:00")
    assert calendar.sessions(shift, saturday) == ()
    assert calendar.sessions(shift, date(2026, 3, 11)) == ()
    noon = Shift(person="p", window="w8", hours=("12:00-13:30",), days=("wed",))
    assert calendar.sessions(noon, wednesday) == spans("2026-03-04", "12:00-13:30")
    assert calendar.sessions(noon, date(2026, 3, 5)) == ()


def test_nothing_changes_within_sixty_days() -> None:
    assert HallCalendar(hall(hours={})).next_change(at("2026-03-04T09:00")) is None
    always: dict[Day, tuple[str, ...]] = dict.fromkeys(DAYS, ("00:00-24:00",))
    calendar = HallCalendar(hall(hours=always))
    assert calendar.is_open(at("2026-03-04T00:00"))
    assert calendar.next_change(at("2026-03-04T09:00")) is None


def test_periods_that_meet_at_midnight_are_one() -> None:
    calendar = HallCalendar(hall(hours={"mon": ("22:00-24:00",), "tue": ("00:00-02:00",)}))
    assert calendar.next_change(at("2026-03-02T22:00")) == at("2026-03-03T02:00")


def test_a_skipped_time_means_the_instant_at_which_the_clocks_jump() -> None:
    """Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC."""
    jump = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()) * 1000
    calendar = HallCalendar(hall("Europe/Berlin", hours={"sun": ("01:30-02:30", "02:45-03:30")}))
    assert calendar.periods(date(2026, 3, 29)) == ((jump - 1_800_000, jump), (jump, jump + 1_800_000))
    whole = HallCalendar(hall("Europe/Berlin", hours={"sun": ("02:10-02:50",)}))
    assert whole.periods(date(2026, 3, 29)) == ()


def test_a_time_that_occurs_twice_means_its_first_occurrence() -> None:
    """Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC, so 02:30 is first 00:30 UTC."""
    first = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()) * 1000
    calendar = HallCalendar(hall("Europe/Berlin", hours={"sun": ("01:00-02:30", "02:30-04:00")}))
    before, after = calendar.periods(date(2026, 10, 25))
    assert before == (at("2026-10-25T01:00", "Europe/Berlin"), first)
    assert after == (first, at("2026-10-25T04:00", "Europe/Berlin"))
    assert after[1] - after[0] == 2.5 * 3_600_000


def test_a_day_whose_midnight_is_skipped_or_comes_twice() -> None:
    """Havana changes its clocks at midnight; St. John's did at one minute past, back into the day before."""
    all_day: dict[Day, tuple[str, ...]] = dict.fromkeys(DAYS, ("00:00-24:00",))
    for zone, start in (("America/Havana", date(2026, 3, 5)), ("America/St_Johns", date(2010, 11, 4))):
        calendar = HallCalendar(hall(zone, hours=all_day))
        found = [span for n in range(7) for span in calendar.periods(start + timedelta(days=n))]
        assert all(before[1] == after[0] for before, after in pairwise(found))
        assert all(calendar.is_open(now) for now in range(found[0][0], found[-1][1], 600_000))


PERIODS = st.lists(st.integers(0, 96), max_size=6, unique=True).map(
    lambda quarters: tuple(
        f"{a // 4:02}:{a % 4 * 15:02}-{b // 4:02}:{b % 4 * 15:02}"
        for a, b in zip(sorted(quarters)[::2], sorted(quarters)[1::2], strict=False)
    )
)
DATES = st.dates(date(2026, 1, 1), date(2026, 12, 31))
HALLS = st.builds(
    lambda zone, hours, holidays, makeup: hall(zone, hours=hours, holidays=tuple(holidays), makeup_days=tuple(makeup)),
    st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/Havana", "Australia/Lord_Howe", "America/St_Johns"]),
    st.dictionaries(st.sampled_from(DAYS), PERIODS),
    st.lists(DATES.map(date.isoformat), max_size=5, unique=True),
    st.lists(
        st.builds(MakeupDay, date=DATES.map(date.isoformat), like=st.sampled_from(DAYS)),
        max_size=5, unique_by=lambda makeup: makeup.date,
    ),
)  # fmt: skip
INSTANTS = st.integers(at("2026-01-01T00:00"), at("2026-12-31T00:00"))


@given(HALLS, DATES)
@settings(deadline=None)
def test_openings_never_overlap(hall: Hall, start: date) -> None:
    calendar = HallCalendar(hall)
    found = [span for n in range(5) for span in calendar.periods(start + timedelta(days=n))]
    assert all(begin < end for begin, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))


@given(HALLS, INSTANTS)
@settings(deadline=None)
def test_next_change_is_where_is_open_flips_first(hall: Hall, now: int) -> None:
    calendar = HallCalendar(hall)
    change = calendar.next_change(now)
    end = change if change is not None else now + 30 * DAY_MS
    assert change is None or change > now
    assert change is None or calendar.is_open(change) != calendar.is_open(now)
    assert calendar.is_open(end - 1) == calendar.is_open(now)
    step = max((end - now) // 500, 1)
    assert all(calendar.is_open(then) == calendar.is_open(now) for then in range(now, end, step))


@given(st.integers(-(2**63), 2**63), st.sampled_from(["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"]))
def test_any_instant_has_an_answer(now: int, zone: str) -> None:
    calendar = HallCalendar(hall(zone))
    assert calendar.is_open(now) in {True, False}
    calendar.next_change(now)


@pytest.fixture
def index() -> SiteIndex:
    windows = (
        Window(id="w1", number=1, name=A, zone="z", services=("card",)),
        Window(id="w2", number=2, name=A, zone="z", services=("card", "mail")),
    )
    devices = (
        Device.model_validate({"id": "d1", "kinds": ["badge"], "window": "w1"}),
        Device.model_validate({"id": "d2", "kinds": ["fire"], "zone": "z", "silent": {"stale_s": 5, "offline_s": 9}}),
    )
    place = hall(
        windows=windows, devices=devices, zones=(Zone(id="z", name=A, area_m2=1, capacity=1),),
        services=(Service(id="card", name=A), Service(id="mail", name=A)), shifts=(Shift(person="p", window="w1"),),
    )  # fmt: skip
    people = (Person(id="p", name=A, badges=("04:a1:b2",)),)
    return SiteIndex(Site(site="s", name=A, people=people, halls=(place,)), place)


def test_the_index_answers_and_answers_none_for_what_is_not_there(index: SiteIndex) -> None:
    person = index.person_by_badge("04a1B2")
    assert person is not None
    assert person is index.person("p")
    assert index.person_by_badge("04A1B3") is None
    assert [window.id for window in index.windows_of_service("card")] == ["w1", "w2"]
    assert index.windows_of_service("none") == ()
    assert [device.id for device in index.devices_of_window("w1")] == ["d1"]
    assert [device.id for device in index.devices_of_zone("z")] == ["d1", "d2"]
    assert [shift.person for shift in index.shifts_of_window("w1")] == ["p"]
    assert [ask("none") for ask in (index.device, index.window, index.zone, index.plan, index.service)] == [None] * 5
    assert index.silence("battery").offline_s == 14_400
    assert index.silence("mains", "d2").offline_s == 9
    assert index.silence("never heard of").offline_s == 600
    assert isinstance(index.calendar, Calendar)
    assert normal_token("04-a1 b2") == "04A1B2"
