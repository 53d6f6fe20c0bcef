"""Quantities that change in steps: people in a zone, length of a queue, somebody at a desk."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Steps:
    """A step function of time, 0 before its first change."""

    def __init__(self, changes: Iterable[tuple[int, int]]) -> None:
        """From changes `(at, by)` in any order."""
        self._times: list[int] = []
        self._values: list[int] = []
        value = 0
        for at, by in sorted(changes):
            value += by
            if self._times and self._times[-1] == at:
                self._values[-1] = value
            else:
                self._times.append(at)
                self._values.append(value)

    @classmethod
    def of_stays(cls, stays: Iterable[tuple[int, int]]) -> "Steps":
        """How many of these stays `(from, to)` hold at an instant."""
        return cls(change for start, end in stays if start < end for change in ((start, 1), (end, -1)))

    def at(self, at: int) -> int:
        """The value at an instant."""
        found = bisect_right(self._times, at)
        return self._values[found - 1] if found else 0

    def changes(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The instants in [start, end) at which the value changes, with the new value."""
        first = bisect_right(self._times, start - 1)
        for index in range(first, len(self._times)):
            if self._times[index] >= end:
                return
            before = self._values[index - 1] if index else 0
            if self._values[index] != before:
                yield self._times[index], self._values[index]
