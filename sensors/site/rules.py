"""Rules of single values in the site file that a pattern or a range cannot say.

Each raises pydantic's custom error with a stable type; `mend.py` has its words in both languages.
"""

from datetime import date
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from pydantic_core import PydanticCustomError


@cache
def timezones() -> frozenset[str]:
    """The names of all time zones that this machine (or tzdata) knows."""
    return frozenset(available_timezones())


def known_timezone(name: str) -> str:
    """A zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise PydanticCustomError("timezone_unknown", "no such time zone") from error
    return name


def real_date(text: str) -> str:
    """A date that the calendar has (no 30 February), in years that people plan for."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise PydanticCustomError("date_unreal", "no such date") from error
    if not 1971 <= day.year <= 9998:  # noqa: PLR2004 — the days around it must exist too
        raise PydanticCustomError("date_unreal", "no such date")
    return text


def ordered_periods(periods: tuple[str, ...]) -> tuple[str, ...]:
    """Several periods of one day: each ends after it starts, in order, none overlapping."""
    for period in periods:
        start, end = period.split("-")
        if start >= end:
            raise PydanticCustomError("period_backwards", "{period} ends before it starts", {"period": period})
    for before, after in pairwise(periods):
        if after.split("-")[0] < before.split("-")[1]:
            raise PydanticCustomError(
                "periods_overlap", "{after} begins before {before} ends", {"before": before, "after": after}
            )
    return periods


def polygon(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """No outline at all, or at least three corners."""
    if 0 < len(points) < 3:  # noqa: PLR2004 — a triangle
        raise PydanticCustomError("outline_short", "an outline has at least three corners")
    return points


def rising(values: tuple[tuple[str, float], ...]) -> None:
    """Each value is greater than the one before it."""
    for (low, a), (high, b) in pairwise(values):
        if b <= a:
            context = {"low": low, "high": high, "low_value": a, "high_value": b}
            raise PydanticCustomError("not_rising", "{high} must be above {low}", context)


def one_of(*sources: str | None) -> None:
    """Exactly one of several keys is given."""
    if sum(source is not None for source in sources) != 1:
        raise PydanticCustomError("secret_source", "exactly one of file and env")
