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
        self.later: list[tuple[int, Turn, int, str]] = []
        self.due: list[tuple[Turn, int, str]] = []


class Queue:
    """The lines of one hall. An entry whose message waits no longer, or until another time, is dropped on the way."""

    def __init__(self, messages: Mapping[str, Message]) -> None:
        """`messages` is the book's, to look at."""
        self._messages = messages
        self._lines: dict[tuple[Lane, str], _Line] = {}
        # The one entry of each message that counts, by its time and number; every other one is old.
        self._entered: dict[str, tuple[int, int]] = {}
        self._entries = 0

    def put(self, message: Message) -> None:
        """Enter a message that waits."""
        known = self._entered.get(message.id)
        if known is None or known[0] != message.not_before:
            self._entries += 1
            self._entered[message.id] = message.not_before, self._entries
            line = self._lines.setdefault((message.lane, message.channel), _Line())
            heappush(line.later, (message.not_before, turn(message), self._entries, message.id))

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
            heappush(line.due, heappop(line.later)[1:])

    def _first(self, line: _Line, limit: int) -> list[Message]:
        found: list[Message] = []
        kept = []
        while line.due and len(found) < limit:
            entry = heappop(line.due)
            _, number, id_ = entry
            known = self._entered.get(id_)
            if known is None or known[1] != number:
                continue
            message = self._messages.get(id_)
            if message is not None and message.state in WAITING and message.not_before == known[0]:
                found.append(message)
                kept.append(entry)
            else:
                del self._entered[id_]
        for entry in kept:
            heappush(line.due, entry)
        return found
