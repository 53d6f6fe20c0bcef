"""Browsers that a bound keeps out or cuts off: counted by the bound, for the figures and for who tells people."""

from dataclasses import dataclass, field
from enum import StrEnum


class Bound(StrEnum):
    """A bound of browsers, called as the site file's `limits` call it."""

    CONNECTIONS = "connections"
    PAGES = "pages"
    PAGE_QUEUE = "page_queue_kib"


@dataclass(slots=True)
class TurnedAway:
    """How many since the process began."""

    counts: dict[Bound, int] = field(default_factory=lambda: dict.fromkeys(Bound, 0))

    def add(self, bound: Bound) -> None:
        """One more."""
        self.counts[bound] += 1
