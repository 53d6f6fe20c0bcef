"""One calendar for everything: when a hall, a window or a person's shift is open, in UTC milliseconds.

The site file speaks the hall's wall clock (several periods a day, holidays, make-up days 调休); the rest of
Hallwatch speaks UTC. This is the only place where the two meet. Pure; every date is worked out once.

Two decisions about the nights on which clocks are changed, so that periods can never overlap:
a wall-clock time that occurs twice means its first occurrence, and a time that is skipped means the instant
at which the clocks jump. A period lasts from its start up to, not including, its end.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sensors.site.model import Day, Hall, Period, Shift, Window

Span = tuple[int, int]  # start and end, ms since the epoch (UTC); the end is not included
Week = dict[Day, tuple[Period, ...]]

DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEARCH_DAYS: Final = 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_ONE_DAY: Final = timedelta(days=1)
# Instants outside 1970-01-03 to 9999-01-01 are taken for these: the days around them must exist too.
_FIRST: Final = 172_800_000
_LAST: Final = 253_370_764_800_000


def clock_minutes(text: str) -> int:
    """Minutes since midnight of "HH:MM"; "24:00" is the end of the day."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def period_minutes(period: Period) -> tuple[int, int]:
    """Start and end of "HH:MM-HH:MM" in minutes since midnight."""
    start, end = period.split("-")
    return clock_minutes(start), clock_minutes(end)


def _as_ms(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _MS


class Calendar:
    """Opening periods of one thing (a hall, or a window with hours of its own) in one time zone."""

    __slots__ = ("_holidays", "_like", "_spans", "_week", "zone")

    def __init__(self, zone: ZoneInfo, week: Week, holidays: frozenset[date], like: dict[date, Day]) -> None:
        self.zone = zone
        self._week = week
        self._holidays = holidays
        self._like = like
        self._spans: dict[date, tuple[Span, ...]] = {}

    def date_of(self, at: int) -> date:
        """The hall's date at an instant (ms since the epoch)."""
        moment = _EPOCH + timedelta(milliseconds=min(max(at, _FIRST), _LAST))
        return moment.astimezone(self.zone).date()

    def at(self, day: date, minutes: int) -> int:
        """The instant (ms) at which the hall's clock shows this time of day (see the module's decisions)."""
        moment = datetime.combine(day, time()) + timedelta(minutes=minutes)
        local = moment.replace(tzinfo=self.zone)
        if local.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) == moment:
            return _as_ms(local)
        return self._jump(moment)

    def _jump(self, skipped: datetime) -> int:
        """The instant at which the clocks jump over a wall-clock time: the first that shows a later time."""
        early = _as_ms(skipped.replace(tzinfo=self.zone, fold=1))
        late = _as_ms(skipped.replace(tzinfo=self.zone, fold=0))
        before = (_EPOCH + timedelta(milliseconds=early)).astimezone(self.zone).utcoffset()
        while late - early > 1:
            middle = (early + late) // 2
            if (_EPOCH + timedelta(milliseconds=middle)).astimezone(self.zone).utcoffset() == before:
                early = middle
            else:
                late = middle
        return late

    def weekday(self, day: date) -> Day | None:
        """Which weekday this date is worked like; None for a holiday. A make-up day wins over a holiday."""
        like = self._like.get(day)
        if like is not None:
            return like
        return None if day in self._holidays else DAYS[day.weekday()]

    def spans(self, day: date, periods: tuple[Period, ...]) -> tuple[Span, ...]:
        """These periods on this date as instants; a period that the clocks skip whole is left out."""
        found = ((self.at(day, start), self.at(day, end)) for start, end in map(period_minutes, periods))
        return tuple((start, end) for start, end in found if start < end)

    def periods(self, day: date) -> tuple[Span, ...]:
        """The opening periods of a date, in order, none overlapping; empty when closed."""
        known = self._spans.get(day)
        if known is None:
            weekday = self.weekday(day)
            known = self.spans(day, self._week.get(weekday, ())) if weekday is not None else ()
            self._spans[day] = known
        return known

    def period_at(self, at: int) -> Span | None:
        """The opening period that holds this instant, or None when closed."""
        day = self.date_of(at)
        for near in (day, day - _ONE_DAY, day + _ONE_DAY):
            for span in self.periods(near):
                if span[0] <= at < span[1]:
                    return span
        return None

    def is_open(self, at: int) -> bool:
        """Whether it is open at this instant (ms since the epoch)."""
        return self.period_at(at) is not None

    def next_change(self, at: int) -> int | None:
        """When it next opens or closes, later than `at`; None if nothing changes within 60 days.

        Periods that touch (…-24:00 and 00:00-…) are one: nothing changes where they meet.
        """
        day = self.date_of(at) - _ONE_DAY
        limit = self.date_of(at) + timedelta(days=SEARCH_DAYS)
        end: int | None = None  # the end of the open stretch that holds `at`, as far as it has been followed
        while day <= limit:
            for start, stop in self.periods(day):
                if stop <= at:
                    continue
                if end is None and start > at:
                    return start
                if end is not None and start > end:
                    return end
                end = stop
            day += _ONE_DAY
        return end if end is not None and end < self.at(limit, 24 * 60) else None


class HallCalendar(Calendar):
    """The hall's own calendar, and those of its windows and shifts. Keep one a hall: it remembers dates."""

    __slots__ = ("_windows",)

    def __init__(self, hall: Hall) -> None:
        super().__init__(
            ZoneInfo(hall.timezone),
            hall.hours,
            frozenset(map(date.fromisoformat, hall.holidays)),
            {date.fromisoformat(makeup.date): makeup.like for makeup in hall.makeup_days},
        )
        self._windows: dict[str, Calendar] = {
            window.id: Calendar(self.zone, window.hours, self._holidays, self._like)
            for window in hall.windows
            if window.hours is not None
        }

    def for_window(self, window: Window) -> Calendar:
        """The window's calendar: its own hours if it has some, else the hall's. Holidays are the hall's."""
        return self._windows.get(window.id, self)

    def sessions(self, shift: Shift, day: date) -> tuple[Span, ...]:
        """The sessions in which this shift is due on a date; empty when its person is not expected.

        A make-up day is worked like the weekday it names, so it is a day of the shift if that weekday is.
        """
        weekday = self.weekday(day)
        if weekday is None or weekday not in shift.days:
            return ()
        if shift.hours is not None:
            return self.spans(day, shift.hours)
        return self._windows.get(shift.window, self).periods(day)
