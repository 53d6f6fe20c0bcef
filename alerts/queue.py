"""The messages that wait, in a line for each lane and channel: what goes next is known without looking at all of them.

In a storm thousands wait for one channel, and the sending loop looks at the lines after every commit.
"""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import Final

from alerts.model import Lane, Message, MessageState

WAITING: Final = frozenset({MessageState.QUEUED, MessageState.RETRY})

# How many messages of a lane and channel are wanted.
Room = Callable[[Lane, str], int]


class _Line:
    """Of one lane and channel: what is not due yet by its time, what is due by its turn (a drill after the real)."""

    __slots__ = ("due", "later")

    def __init__(self) -> None:
        self.later: list[tuple[int, bool, str]] = []
        self.due: list[tuple[bool, int, tuple[int, str], str]] = []


class Queue:
    """The lines of one hall. An entry whose message waits no longer, or until another time, is dropped on the way."""

    def __init__(self, messages: Mapping[str, Message]) -> None:
        """`messages` is the book's, to look at."""
        self._messages = messages
        self._lines: dict[tuple[Lane, str], _Line] = {}
        self._entered: dict[str, int] = {}

    def put(self, message: Message) -> None:
        """Enter a message that waits."""
        if self._entered.get(message.id) != message.not_before:
            self._entered[message.id] = message.not_before
            line = self._lines.setdefault((message.lane, message.channel), _Line())
            heappush(line.later, (message.not_before, message.drill, message.id))

    def ready(self, now: int, room: Room) -> list[Message]:
        """The next messages of each line that may be sent at `now`, as many as there is room for; life safety first."""
        found: list[Message] = []
        for lane in Lane:
            for (lane_of, channel), line in self._lines.items():
                limit = room(lane, channel) if lane_of is lane else 0
                if limit > 0:
                    self._advance(line, now)
                    found += self._first(line, limit)
        return found

    def _advance(self, line: _Line, now: int) -> None:
        while line.later and line.later[0][0] <= now:
            not_before, drill, id_ = heappop(line.later)
            heappush(line.due, (drill, not_before, (len(id_), id_), id_))

    def _first(self, line: _Line, limit: int) -> list[Message]:
        found: list[Message] = []
        kept = []
        while line.due and len(found) < limit:
            entry = heappop(line.due)
            message = self._messages.get(entry[3])
            if message is not None and message.state in WAITING and message.not_before == entry[1]:
                found.append(message)
                kept.append(entry)
            elif self._entered.get(entry[3]) == entry[1]:
                del self._entered[entry[3]]
        for entry in kept:
            heappush(line.due, entry)
        return found
