"""Conditions: what holds, with its hold times. Every alarm of a hall that has an end passes through here.

Truth has three values. True lets a raise hold begin, False a clear hold; None (nobody can say) drops a raise
that is pending, and never clears what is active. The hold's end is a timer named `hold/<key>`.
"""

from dataclasses import dataclass
from typing import Final

from sensors.facts import Fact, FactKind, Subject
from sensors.hall.state import Condition
from sensors.hall.timers import Timers
from sensors.readings import CrowdLevel

HOLD: Final = "hold/"


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition's name and its holds in ms. Without a `kind` it is an inner step and no fact is told of it."""

    key: str
    kind: FactKind | None
    subject: Subject
    raise_ms: int = 0
    clear_ms: int = 0
    zone: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a truth rests on, as the fact repeats it. `verified` False only asks people to look."""

    detail: str = ""
    value: float | None = None
    threshold: float | None = None
    level: CrowdLevel | None = None
    verified: bool = True


NOTHING: Final = Evidence()


class Conditions:
    """The conditions of one hall over `HallState.conditions`; facts are appended to `facts`."""

    __slots__ = ("_known", "_timers", "facts")

    def __init__(self, known: dict[str, Condition], timers: Timers, facts: list[Fact]) -> None:
        self._known = known
        self._timers = timers
        self.facts = facts

    def get(self, key: str) -> Condition | None:
        """A condition that is pending, active or clearing."""
        return self._known.get(key)

    def active(self, key: str) -> bool:
        """Whether a condition holds (its clear hold may be running)."""
        known = self._known.get(key)
        return known is not None and known.active is not None

    def all(self) -> list[Condition]:
        """All of them, sorted: what is done for each must not depend on the order of a dict."""
        return [self._known[key] for key in sorted(self._known)]

    def observe(
        self, rule: Rule, truth: bool | None, now: int, seen: Evidence = NOTHING, since: int | None = None
    ) -> None:
        """Say whether a condition is true now; `since` when that began, if it was earlier than now."""
        known = self._known.get(rule.key)
        if truth is None:
            self._doubt(known)
        elif truth:
            self._affirm(rule, known, now, seen, now if since is None else since)
        elif known is not None:
            self._deny(rule, known, now)

    def again(self, key: str, now: int, seen: Evidence) -> None:
        """Tell once more of what is active: its source repeated it, or its level or its certainty changed."""
        known = self._known[key]
        _remember(known, seen)
        known.told = now
        self._tell(known, holds=True, at=now, again=True)

    def repeat(self, now: int) -> None:
        """Tell once more of all that is active: what was made of it may have been lost."""
        for known in self.all():
            if known.active is not None:
                self._tell(known, holds=True, at=now, again=True)

    def end(self, key: str, now: int) -> None:
        """End a condition at once, telling so if it was active."""
        known = self._known.pop(key, None)
        self._timers.drop(HOLD + key)
        if known is not None and known.active is not None:
            self._tell(known, holds=False, at=now)

    def fire(self, key: str, now: int) -> None:
        """A hold has run out: what was pending holds now, what was clearing has ended."""
        known = self._known.get(key)
        if known is None:
            return
        known.due = None
        if known.active is None:
            known.active = known.told = now
            self._tell(known, holds=True, at=now)
        else:
            self.end(key, now)

    def _doubt(self, known: Condition | None) -> None:
        if known is None:
            return
        self._timers.drop(HOLD + known.key)
        known.due = known.clearing = None
        if known.active is None:
            del self._known[known.key]

    def _affirm(self, rule: Rule, known: Condition | None, now: int, seen: Evidence, since: int) -> None:
        if known is None:
            known = Condition(
                rule.key, pending=since, kind=rule.kind, subject=rule.subject, zone=rule.zone, device=rule.device
            )
            self._known[rule.key] = known
            _remember(known, seen)
            self._hold(known, max(now, since + rule.raise_ms), now)
            return
        _remember(known, seen)
        if known.clearing is not None:
            known.clearing = known.due = None
            self._timers.drop(HOLD + rule.key)

    def _deny(self, rule: Rule, known: Condition, now: int) -> None:
        if known.active is None:
            self._doubt(known)
        elif known.clearing is None:
            known.clearing = now
            self._hold(known, now + rule.clear_ms, now)

    def _hold(self, known: Condition, due: int, now: int) -> None:
        if due <= now:
            self.fire(known.key, now)
            return
        known.due = due
        self._timers.set(HOLD + known.key, due)

    def _tell(self, known: Condition, *, holds: bool, at: int, again: bool = False) -> None:
        if known.kind is None or known.subject is None:
            return
        since = known.pending if holds else known.clearing
        self.facts.append(
            Fact(
                key=known.key,
                kind=known.kind,
                subject=known.subject,
                holds=holds,
                at=at,
                since=at if since is None else since,
                zone=known.zone,
                device=known.device,
                level=known.level,
                verified=known.verified,
                again=again,
                detail=known.detail,
                value=known.value,
                threshold=known.threshold,
            )
        )


def _remember(known: Condition, seen: Evidence) -> None:
    # Whole numbers too as floats: what a snapshot gives back is one, and equal states must be equal bytes.
    known.value = None if seen.value is None else float(seen.value)
    known.threshold = None if seen.threshold is None else float(seen.threshold)
    known.detail = seen.detail
    known.level, known.verified = seen.level, seen.verified
