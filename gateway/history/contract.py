"""What a history is: somewhere points are written, and the questions that can be asked of them.

Every history answers the same questions in the same way; one suite of tests runs over all of them. Instants are
ms since the epoch (UTC); a stretch of time holds its `start` and not its `end`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from gateway.history.figures import units
from gateway.history.points import FIELDS, Point
from sensors.errors import HallwatchError
from sensors.readings import Kind

# No chart has more points than this, and no question may ask for more.
MOST_SAMPLES: Final = 20_000


class PointsRefusedError(HallwatchError):
    """A history will never take at least one of these points; how many of the others it took is not known."""

    code = "history_refused"


class HistoryDownError(HallwatchError):
    """A history does not answer, or not now; `retry_after_s` is its own wish, 0 if it has none."""

    code = "history_down"

    def __init__(self, detail: str, retry_after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class QuestionError(HallwatchError):
    """A question that no history can answer; `code` says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class How(StrEnum):
    """How the values of a stretch become one. `count` and `last` serve texts too."""

    MEAN = "mean"
    MAX = "max"
    MIN = "min"
    SUM = "sum"
    COUNT = "count"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which values: one field of one kind, of the whole hall or of a device, a zone or a window (all that is given).

    `devices`: of any of these.
    """

    hall: str
    kind: Kind
    field: str
    device: str | None = None
    zone: str | None = None
    window: str | None = None
    devices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.field not in FIELDS[self.kind]:
            raise QuestionError("history_unknown_field", f"{self.kind} has no field {self.field!r}")

    @property
    def tags(self) -> tuple[tuple[str, str], ...]:
        """The tags that a point must have."""
        given = (("hall", self.hall), ("device", self.device), ("zone", self.zone), ("window", self.window))
        return tuple((name, value) for name, value in given if value is not None)


@dataclass(frozen=True, slots=True)
class Sample:
    """A value and when it was so. Of an aggregate, `at` is where its stretch begins and `device` is empty."""

    at: int
    value: float | str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """The numbers that one device gave in a stretch of time that begins `at`."""

    at: int
    device: str
    mean: float
    low: float
    high: float
    count: int


class HistorySink(Protocol):
    """Where points go."""

    async def write(self, points: Sequence[Point]) -> None:
        """Keep the points, for good when this returns; a point that is written again replaces itself.

        Raises `PointsRefusedError` for data, `HistoryDownError` for anything that may pass.
        """
        ...


class HistoryQuery(Protocol):
    """What can be asked. Each raises `QuestionError` or `HistoryDownError`."""

    async def range(self, asked: Asked, start: int, end: int, limit: int = MOST_SAMPLES) -> Sequence[Sample]:
        """The first `limit` values of a stretch of time, in order."""
        ...

    async def aggregate(self, asked: Asked, start: int, end: int, every_ms: int, how: How) -> Sequence[Sample]:
        """One value for each `every_ms` from `start` on; a stretch without values has none."""
        ...

    async def spread(self, asked: Asked, start: int, end: int, every_ms: int) -> Sequence[Spread]:
        """For each `every_ms` from `start` on and each device that gave numbers in it: mean, lowest and highest."""
        ...

    async def latest(self, asked: Asked, before: int) -> Sample | None:
        """The newest value before an instant."""
        ...


def check_spread(asked: Asked, start: int, end: int, every_ms: int) -> None:
    """Refuse a spread of what is no number, as well."""
    if asked.field not in units(asked.kind):
        raise QuestionError("history_no_number", f"{asked.field} of {asked.kind} is no number")
    check_windows(start, end, every_ms)


def check_windows(start: int, end: int, every_ms: int) -> None:
    """Refuse an aggregate that makes no sense, or more values than anyone can look at."""
    if every_ms < 1:
        raise QuestionError("history_bad_window", f"a window of {every_ms} ms")
    if (end - start) // every_ms > MOST_SAMPLES:
        raise QuestionError("history_too_wide", f"more than {MOST_SAMPLES} windows: ask for wider ones")
