"""What came of a stretch of time: which alarms' conditions held from when to when, which plans ran; and two compared.

Conditions and not rows: whether somebody has answered in between decides how many rows there are, and no recording has
people in it. Pure; `gateway.replay` gathers, `hallwatch replay` tells.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sensors.recording import Episode

PLAN: Final = "plan/"
# What is at another time by no more than this is the same alarm that came earlier or later.
SAME_WITHIN: Final = 3_600_000


class Differs(StrEnum):
    """In what way two outcomes are not the same."""

    NEW = "new"
    GONE = "gone"
    EARLIER = "earlier"
    LATER = "later"
    ENDS = "ends"
    BECOMES = "becomes"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: the episode in the first outcome, and in the second; one of them may be missing."""

    how: Differs
    before: Episode | None
    after: Episode | None


class Gatherer:
    """Makes episodes of the log's lines, given in their order."""

    def __init__(self) -> None:
        self._done: list[Episode] = []
        self._open: dict[str, Episode] = {}
        self._keys: dict[str, str] = {}

    def hear(self, at: int, about: str, what: str, detail: str, plan: str = "") -> None:
        """One line: `about` is the alarm's or the run's id, `plan` the plan of a run that starts."""
        if what in {"alarm.raised", "alarm.returned"}:
            self._keys[about] = detail
            self._begin(about, at)
        elif what in {"alarm.worsened", "alarm.level"} and about in self._keys:
            # What comes back worse than it was says only that it is worse.
            self._begin(about, at)
            self._turn(about, at, detail)
        elif what in {"alarm.cleared", "run.ended"}:
            self._end(about, at)
        elif what == "run.started" and plan:
            self._keys[about] = PLAN + plan
            self._begin(about, at)
        elif what == "run.active":
            self._turn(about, at, detail)

    def outcome(self) -> tuple[Episode, ...]:
        """All episodes so far, by when they began."""
        return tuple(sorted([*self._done, *self._open.values()], key=lambda one: (one.since, one.of)))

    def _begin(self, about: str, at: int) -> None:
        if about not in self._open:
            self._open[about] = Episode(self._keys[about], at)

    def _turn(self, about: str, at: int, what: str) -> None:
        if (one := self._open.get(about)) is not None:
            self._open[about] = Episode(one.of, one.since, None, (*one.turns, (at, what)))

    def _end(self, about: str, at: int) -> None:
        if (one := self._open.pop(about, None)) is not None:
            self._done.append(Episode(one.of, one.since, at, one.turns))


def compare(before: Iterable[Episode], after: Iterable[Episode], within: int) -> list[Difference]:
    """Where `after` is not as `before`, in order of time; instants that are `within` so many ms count as the same."""
    left, found = sorted(after, key=_order), list[Difference]()
    for one in sorted(before, key=_order):
        other = min((it for it in left if it.of == one.of), key=lambda it: abs(it.since - one.since), default=None)
        if other is None or not _same(one, other):
            found.append(Difference(Differs.GONE, one, None))
            continue
        left.remove(other)
        found += [Difference(how, one, other) for how in _ways(one, other, within)]
    found += [Difference(Differs.NEW, None, one) for one in left]
    return sorted(found, key=lambda it: _order(it.after or it.before or _NEVER))


_NEVER: Final = Episode("", 0)


def _order(one: Episode) -> tuple[int, str]:
    return one.since, one.of


def _same(one: Episode, other: Episode) -> bool:
    """The same thing, though perhaps at another time: they overlap, or begin within an hour of each other."""
    overlap = (other.until is None or one.since <= other.until) and (one.until is None or other.since <= one.until)
    return overlap or abs(one.since - other.since) <= SAME_WITHIN


def _ways(one: Episode, other: Episode, within: int) -> Iterable[Differs]:
    if abs(by := other.since - one.since) > within:
        yield Differs.LATER if by > 0 else Differs.EARLIER
    if one.until is None or other.until is None:
        if one.until != other.until:
            yield Differs.ENDS
    elif abs(one.until - other.until) > within:
        yield Differs.ENDS
    mine, theirs = one.turns, other.turns
    if [what for _, what in mine] != [what for _, what in theirs] or any(
        abs(at - then) > within for (at, _), (then, _) in zip(mine, theirs, strict=True)
    ):
        yield Differs.BECOMES
