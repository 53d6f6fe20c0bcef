"""Figures: samples of one measurement over the rounds, gathered by row, and their median and range.

A machine that others use is never still, so no figure stands alone: each has its median, its least and its most, and
beside it the ratio to the table's first row, which was measured in the same rounds.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement: its `values`, one a round, in `unit`."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The smallest of the rounds: the machine at its stillest, where a cost is measured."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The largest of the rounds."""
        return max(self.values)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, and its figures in the order in which they came."""

    label: str
    figures: dict[str, Figure] = field(default_factory=dict)


@dataclass(slots=True)
class Table:
    """The rows of one case. `ratio` names the figure that is compared with the first row's.

    `lacks` are the servers of ours that this machine has not; what is noted of peers stands in `notes`.
    """

    case: str
    title: str
    ratio: str
    rows: dict[str, Row] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        """Add a line below the table, once however many rounds have it to say."""
        if line not in self.notes:
            self.notes.append(line)

    def lack(self, line: str) -> None:
        """Add what is missing on this machine, once."""
        if line not in self.lacks:
            self.lacks.append(line)

    def add(self, label: str, name: str, unit: str, value: float) -> None:
        """Add one round's value of one figure."""
        row = self.rows.setdefault(label, Row(label))
        row.figures.setdefault(name, Figure(name, unit)).values.append(value)

    @property
    def columns(self) -> dict[str, str]:
        """The unit of each figure that any row has, by its name."""
        return {one.name: one.unit for row in self.rows.values() for one in row.figures.values()}

    def ratio_of(self, row: Row) -> float | None:
        """How many times the first row's figure a row's is; None where either lacks it."""
        first = next(iter(self.rows.values())).figures.get(self.ratio)
        mine = row.figures.get(self.ratio)
        if first is None or mine is None or not first.median:
            return None
        return mine.median / first.median


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest of `values` that at least `part` (0 to 1) of them do not exceed: nearest rank, nothing invented."""
    ordered = sorted(values)
    rank = max(1, -int(-part * len(ordered) // 1))
    return ordered[rank - 1]
