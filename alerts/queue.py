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


# Among messages of one lane, whose turn it is; the lesser goes first.
Turn = tuple[bool, bool, bool, int, tuple[int, str]]


def is_foremost(message: Message) -> bool:
    """Whether it belongs to a plan that runs for real: a fire goes before a call for help, and that before repeats."""
    return message.lane is Lane.LIFE_SAFETY and message.about.startswith("R") and not message.drill


def turn(message: Message) -> Turn:
    """A drill after what is real, who has heard after who has not, a plan's own first; then the oldest."""
    foremost = is_foremost(message)
    return message.drill, message.round > 1, not foremost, message.not_before, (len(message.id), message.id)


class _Line:
    """Of one lane and channel: what is not due yet by its time, what is due by its turn."""

    __slots__ = ("due", "later")

    def __init__(self) -> None:
        self.later: list[tuple[int, Turn, str]] = []
        self.due: list[tuple[Turn, str]] = []


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
            heappush(line.later, (message.not_before, turn(message), message.id))

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
            _, turn_, id_ = heappop(line.later)
            heappush(line.due, (turn_, id_))

    def _first(self, line: _Line, limit: int) -> list[Message]:
        found: list[Message] = []
        kept = []
        while line.due and len(found) < limit:
            entry = heappop(line.due)
            (*_, not_before, _), id_ = entry
            message = self._messages.get(id_)
            if message is not None and message.state in WAITING and message.not_before == not_before:
                found.append(message)
                kept.append(entry)
            elif self._entered.get(id_) == not_before:
                del self._entered[id_]
        for entry in kept:
            heappush(line.due, entry)
        return found
