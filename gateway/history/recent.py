"""What the newest messages said, kept in memory: the history need not decode again what was decoded a moment ago.

Filled when a batch is committed, emptied by the history. Nothing rests on it: what is not here (after a start, or
while the history lags behind by more than this holds) is read from the journal.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from sensors.readings import Reading

# Inputs: half a second of a flood, and some 10 MB.
RECENT_AT_MOST: Final = 10_000


class Said(msgspec.Struct, frozen=True):
    """What one message of the journal said. `replayed`: it came out of the quarantine, so it says what was."""

    index: int
    readings: tuple[Reading, ...]
    replayed: bool = False


class Fresh(msgspec.Struct, frozen=True):
    """A batch of the journal as it was decoded: `count` inputs from `index` on, and what its messages said."""

    index: int
    count: int
    said: Sequence[Said]


class Recent:
    """The newest batches of one hall, in order; the oldest go when there are too many inputs."""

    def __init__(self, at_most: int = RECENT_AT_MOST) -> None:
        self._at_most = at_most
        self._batches: deque[Fresh] = deque()
        self._inputs = 0

    def keep(self, fresh: Fresh) -> None:
        """Keep a batch that is committed."""
        self._batches.append(fresh)
        self._inputs += fresh.count
        while self._inputs > self._at_most:
            self._drop()

    def take(self, index: int, messages: int) -> tuple[list[Said], int]:
        """What was said from input `index` on, by about so many messages, and the index after them.

        That index is `index` itself where the input is not here. What is taken, and what lies before, is forgotten.
        """
        said: list[Said] = []
        while self._batches and self._batches[0].index < index:
            self._drop()
        while self._batches and self._batches[0].index == index and len(said) < messages:
            fresh = self._drop()
            said += fresh.said
            index += fresh.count
        return said, index

    def _drop(self) -> Fresh:
        fresh = self._batches.popleft()
        self._inputs -= fresh.count
        return fresh
