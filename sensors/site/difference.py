"""What one version of the site file has that the other has not: said to who loads it anew, and kept in the log.

Parts with an id are held against each other by it, wherever they stand in the file. What names people is told of
without its content: who may load a site may not see everybody's badge.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sensors.site.model import Site

# What is opened once, at the start: connections, stores, senders, budgets, clocks.
AT_START: Final = ("site", "mqtt", "influx", "limits", "watch", "channels")
AT_START_OF_HALL: Final = ("timezone",)
# Told of as a whole: what is in it names people.
PERSONAL: Final = ("people", "shifts", "plans", "routing")
SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `what` is added, removed or changed; `key` is like halls.h1.devices.smoke-1."""

    what: str
    key: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        """The change on one line: + key, − key, or key: before → after."""
        if self.what == "changed":
            return f"{self.key}: {self.before} → {self.after}" if self.before or self.after else f"{self.key} ≠"
        return f"{'+' if self.what == 'added' else '−'} {self.key}"


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes, and those of them that only a restart can bring into force."""

    changes: tuple[Change, ...]
    restart: tuple[Change, ...]

    def brief(self) -> str:
        """In a few words for the log: how many of each kind of part came, went and changed."""
        counts: dict[str, dict[str, int]] = {}
        for change in self.changes:
            part = _part(change.key)
            signs = counts.setdefault(part, {})
            sign = {"added": "+", "removed": "−"}.get(change.what, "≠")
            signs[sign] = signs.get(sign, 0) + 1
        told = (f"{part} {' '.join(f'{sign}{n}' for sign, n in signs.items())}" for part, signs in counts.items())
        return ", ".join(told)[:200]


def difference(before: Site, after: Site) -> Difference:
    """Hold two versions of a site against each other, in the order of the file."""
    changes = tuple(_differences("", before.model_dump(mode="json"), after.model_dump(mode="json")))
    return Difference(changes, tuple(change for change in changes if _needs_restart(change)))


def _needs_restart(change: Change) -> bool:
    first, *rest = change.key.split(".")
    if first in AT_START:
        return True
    if first != "halls":
        return False
    # A hall that came or went, or what each hall's clockwork is built from.
    return len(rest) == 1 or (len(rest) == 2 and rest[1] in AT_START_OF_HALL)  # noqa: PLR2004 - halls.ID.timezone


def _part(key: str) -> str:
    first, *rest = key.split(".")
    return rest[1] if first == "halls" and len(rest) > 1 else first


def _differences(key: str, before: Any, after: Any) -> Iterator[Change]:  # noqa: ANN401 - JSON
    if before == after:
        return
    if key.rpartition(".")[2] in PERSONAL:
        yield Change("changed", key)
        return
    one, other = _named(before), _named(after)
    if one is None or other is None:
        yield Change("changed", key, _shown(before), _shown(after))
        return
    for name in [*one, *(new for new in other if new not in one)]:
        path = f"{key}.{name}" if key else name
        if name not in other:
            yield Change("removed", path)
        elif name not in one:
            yield Change("added", path)
        else:
            yield from _differences(path, one[name], other[name])


def _named(value: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - JSON
    """A part by its keys, a list of parts by their ids; None for what has neither."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and value and all(isinstance(one, dict) and "id" in one for one in value):
        return {one["id"]: one for one in value}
    return None if value else ({} if isinstance(value, list) else None)


def _shown(value: Any) -> str:  # noqa: ANN401 - JSON
    text = "–" if value is None else value if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
