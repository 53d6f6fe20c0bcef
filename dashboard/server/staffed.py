"""How a window was staffed over a stretch of time, made of the lines that the chronicle wrote. No I/O."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from alerts.model import Event
from dashboard.server.curves import Curve, Turn
from sensors.hall.state import Staffing

KIND: Final = "staffing"
FIELD: Final = "staffed_pct"
# While it is closed nobody is expected, and while nobody listened nobody knows.
_OPEN: Final = {str(Staffing.STAFFED), str(Staffing.PAUSED), str(Staffing.UNSTAFFED)}


def turns(lines: Sequence[Event], away: Sequence[Event], start: int, end: int) -> tuple[Turn, ...]:
    """What the window was from when on, within a stretch of time; the first stands at its `start`."""
    marks = {start: str(Staffing.UNKNOWN)}
    for line in sorted(lines, key=lambda one: one.at):
        marks[max(start, line.at)] = line.detail
    for gap in away:
        since, back = max(start, silent_since(gap)), gap.at
        if back <= start or since >= end:
            continue
        # When we come back, the window is what it was, until a line says otherwise.
        marks.setdefault(back, marks[max(at for at in marks if at <= back)])
        marks = {at: state for at, state in marks.items() if not since <= at < back}
        marks[since] = str(Staffing.UNKNOWN)
    found = [Turn(at, marks[at]) for at in sorted(marks) if at < end]
    return tuple(one for place, one in enumerate(found) if not place or found[place - 1].state != one.state)


def silent_since(away: Event) -> int:
    """Since when nobody had listened, when the gateway came back."""
    return away.at - 1000 * int(away.detail.partition(" ")[0] or 0)


def share(given: Sequence[Turn], times: range) -> Curve:
    """The share (%) of each stretch's known open time in which the window was staffed; None where none of it was."""
    staffed, known = [0] * len(times), [0] * len(times)
    for one, after in pairwise((*given, Turn(times.stop, ""))):
        if one.state not in _OPEN:
            continue
        for place in range((one.at - times.start) // times.step, len(times)):
            begin = times.start + place * times.step
            inside = min(after.at, begin + times.step) - max(one.at, begin)
            if inside <= 0:
                break
            known[place] += inside
            staffed[place] += inside if one.state == Staffing.STAFFED else 0
    values = tuple(round(100 * s / k, 1) if k else None for s, k in zip(staffed, known, strict=True))
    return Curve(
        times.step,
        times.step,
        "%",
        tuple(times),
        values,
        values,
        values,
        tuple(int(k > 0) for k in known),
        tuple(given),
    )
