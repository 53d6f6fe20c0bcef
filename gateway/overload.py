"""Tells people, once for each subject, that bounds drop messages or that somebody forges them, and when it is over.

What is dropped is counted where it is refused (the accounts of the hall's state); this only looks at how the counts
grow. A crowd of devices over their rate is one alarm and not one each.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from sensors.hall.state import HallState

LOOK_S: Final = 2.0
# An alarm ends when nothing was dropped for so long; a device that comes and goes is one alarm.
QUIET_MS: Final = 60_000
# So many devices over their rate have an alarm each, the others one together.
ALONE_AT_MOST: Final = 8
OVER_RATE, FORGED = "over_rate", "forged"
# What is told of each device: the condition by the reason that is counted.
OF_DEVICE: Final = {
    "over_rate": OVER_RATE,
    "signature_wrong": FORGED,
    "signature_missing": FORGED,
    "signature_old": FORGED,
}
OTHERS: Final = "other devices"
# What is over a bound of the whole hall.
HALL_WIDE: Final = ("too_many_unknown", "too_many_devices", "too_many_topics", "quarantine_full")

Subject = tuple[str, str]


class Told(Protocol):
    """The path, as this sees it."""

    def raised(self, condition: str, subject: str, *, holds: bool, detail: str = "") -> None:
        """Take the word that a condition became true or false."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be told: a condition of a subject holds now, or no more."""

    condition: str
    subject: str
    holds: bool


class Overload:
    """What bounds drop in one hall. Time is an argument (ms since the epoch)."""

    def __init__(self, state: HallState) -> None:
        """Begin with what was dropped before, which is no news, and with the alarms that stand."""
        self._seen = dict(_dropped(state))
        self._grown: dict[Subject, int] = {}
        self._told: set[Subject] = set()
        for key, known in state.conditions.items():
            _, _, rest = key.partition("gateway/")
            condition, _, subject = rest.partition("/")
            if known.active is not None and condition in {OVER_RATE, FORGED, *HALL_WIDE}:
                self._told.add((condition, subject))
                self._grown[condition, subject] = known.active

    def look(self, state: HallState, now: int) -> list[Change]:
        """Compare the counts with those of the last look; returns what is to be told."""
        for name, count in _dropped(state):
            if count > self._seen.get(name, 0):
                self._grown[name] = now
            self._seen[name] = count
        self._grown = {name: at for name, at in self._grown.items() if 0 <= now - at < QUIET_MS}
        return list(self._changes(state.hall))

    def _changes(self, hall: str) -> Iterator[Change]:
        wanted = self._wanted(hall)
        for condition, subject in sorted(self._told - wanted):
            yield Change(condition, subject, holds=False)
        for condition, subject in sorted(wanted - self._told):
            yield Change(condition, subject, holds=True)
        self._told = wanted

    def _wanted(self, hall: str) -> set[Subject]:
        wanted = {(condition, hall) for condition, _ in self._grown if condition in HALL_WIDE}
        for condition in (OVER_RATE, FORGED):
            devices = {name for name in self._grown if name[0] == condition and name[1] != OTHERS}
            # Who has an alarm of its own keeps it.
            alone = sorted(devices, key=lambda name: (name not in self._told, name))[:ALONE_AT_MOST]
            wanted.update(alone)
            if len(devices) > len(alone):
                wanted.add((condition, OTHERS))
        return wanted


async def watch_bounds(path: Told, now: Callable[[], int], state: Callable[[], HallState]) -> None:
    """Look every two seconds, for ever. The path may load its state anew, so `state` is asked each time."""
    overload = Overload(state())
    while True:
        await asyncio.sleep(LOOK_S)
        for change in overload.look(state(), now()):
            path.raised(change.condition, change.subject, holds=change.holds, detail=change.condition)


def _dropped(state: HallState) -> Iterator[tuple[Subject, int]]:
    """How many messages each bound has dropped so far, by subject."""
    sums = dict.fromkeys(HALL_WIDE, 0)
    for device in state.devices.values():
        reasons = device.account.reasons
        if reasons:
            for condition in (OVER_RATE, FORGED):
                count = sum(reasons.get(reason, 0) for reason, told in OF_DEVICE.items() if told == condition)
                if count:
                    yield (condition, device.id), count
            for reason in HALL_WIDE:
                sums[reason] += reasons.get(reason, 0)
    for reason in HALL_WIDE:
        yield (reason, state.hall), sums[reason] + state.stray.reasons.get(reason, 0)
