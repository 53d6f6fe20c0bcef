"""A curve for a chart: what several devices gave, put together, and never a value for what nobody heard. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

import msgspec

from gateway.history.contract import Spread

# How wide a stretch may be (ms) for which one value is drawn: such as a person reads off an axis.
STEPS: Final = tuple(
    1000 * s for s in (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800)
)
POINTS: Final = 400
# A device that speaks seldom is joined over three of its own pauses, but over no more than a day.
PAUSES: Final = 3
HOLD_MOST_MS: Final = 86_400_000
# What is counted since the message before, so that a stretch has the sum of it.
DELTAS: Final = frozenset({"in_delta", "out_delta"})


class Turn(msgspec.Struct, frozen=True):
    """From this instant on a window was so; `unknown` while nobody listened."""

    at: int
    state: str


class Curve(msgspec.Struct, frozen=True):
    """Values of equal stretches of time, `every` ms each: `values[i]` of the one that begins at `times[i]`, or None.

    `low` and `high` are the lowest and highest in it, `counts` how many readings it has. Between two values no further
    apart than `hold` ms a line may be drawn; a longer pause is a gap. `turns`: of a window, how it was staffed.
    """

    every: int
    hold: int
    unit: str
    times: tuple[int, ...]
    values: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    counts: tuple[int, ...]
    turns: tuple[Turn, ...] = ()


def step_for(length: int) -> int:
    """The narrowest step that makes no more than `POINTS` of a range of `length` ms."""
    return next((step for step in STEPS if length <= step * POINTS), STEPS[-1])


def curve(
    times: range, spreads: Sequence[Spread], silences: Mapping[str, int], *, unit: str, added: bool, summed: bool
) -> Curve:
    """Put the devices together: their mean, or their sum (`summed`: what each of them counts is apart from the others).

    `silences`: for how long (ms) each device may be silent before nobody knows how it is. `added`: the values are what
    came since the message before. A sum that lacks one of its devices is not known.
    """
    by_device: dict[str, dict[int, Spread]] = {}
    for one in spreads:
        by_device.setdefault(one.device, {})[one.at] = one
    holds = {device: _hold(times, list(given), silences.get(device, 0)) for device, given in by_device.items()}
    rows = list(_summed(times, by_device, holds) if summed and not added else _joined(times, by_device, added=added))
    return Curve(
        every=times.step,
        hold=(min if summed else max)(holds.values(), default=times.step),
        unit=unit,
        times=tuple(times),
        values=tuple(_round(mean) for mean, _, _, _ in rows),
        low=tuple(_round(low) for _, low, _, _ in rows),
        high=tuple(_round(high) for _, _, high, _ in rows),
        counts=tuple(count for _, _, _, count in rows),
    )


Given = Mapping[str, Mapping[int, Spread]]
Row = tuple[float | None, float | None, float | None, int]
_NOTHING: Final[Row] = (None, None, None, 0)


def _joined(times: range, by_device: Given, *, added: bool) -> Iterator[Row]:
    """The mean over all readings of a stretch, or what they add up to."""
    for at in times:
        here = [given[at] for given in by_device.values() if at in given]
        if not here:
            yield _NOTHING
            continue
        count = sum(one.count for one in here)
        total = sum(one.mean * one.count for one in here)
        low, high = min(one.low for one in here), max(one.high for one in here)
        yield (total if added else total / count), low, high, count


def _summed(times: range, by_device: Given, holds: Mapping[str, int]) -> Iterator[Row]:
    """The sum of what the devices said last, where each that is there has said something not too long ago."""
    ends = {device: max(given) + holds[device] for device, given in by_device.items()}
    newest: dict[str, Spread] = {}
    for at in times:
        here = {device: given[at] for device, given in by_device.items() if at in given}
        newest |= here
        # Whoever has not spoken yet, or never again, is not there.
        parts = {device: one for device, one in newest.items() if at <= ends[device]}
        if not here or any(at - one.at > holds[device] for device, one in parts.items()):
            yield _NOTHING
            continue
        low, high = sum(one.low for one in parts.values()), sum(one.high for one in parts.values())
        yield sum(one.mean for one in parts.values()), low, high, sum(one.count for one in here.values())


def _hold(times: range, given: Sequence[int], silence: int) -> int:
    pauses = [after - before for before, after in pairwise(given)]
    own = PAUSES * int(median(pauses)) if pauses else 0
    return max(times.step, silence, min(own, HOLD_MOST_MS))


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
