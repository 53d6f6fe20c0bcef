"""Turns: batches in the order of their indices, from their decision to their commit.

At the line's end the path decides, at its head the writer commits, each at its own pace: while one turn is written the
next is decided already. A turn that fails for what is in it is halved until the one message is alone.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.batch import Entry, Prepared
from gateway.link.contract import Delivery
from sensors.inputs import Lane

# Telemetry is decided so many turns ahead of the store; what is urgent as far as need be.
AHEAD: Final = 2
# Turns that one transaction takes together, where they have come while another was under way.
TOGETHER: Final = 64


@dataclass(slots=True)
class Turn:
    """Entries whose turn has come, and what was decided of them; None while it is not, or must be anew.

    `fault`: what a message brought to light that nothing can take; it is set aside. `broken`: what came of the attempt
    to decide it; the hall must be loaded anew before anything else is decided. `telemetry`: some is in it;
    `urgent`: more than that is.
    """

    entries: list[Entry]
    prepared: Prepared | None = None
    fault: Exception | None = None
    broken: Exception | None = None
    telemetry: bool = field(init=False)
    urgent: bool = field(init=False)

    def __post_init__(self) -> None:
        """Look what is in it, once."""
        self.telemetry = any(is_telemetry(entry) for entry in self.entries)
        self.urgent = any(not is_telemetry(entry) for entry in self.entries)

    def take_in(self, begin: int, urgent: list[Entry]) -> list[Entry]:
        """What is urgent takes the place of all from `begin` on, which is given back."""
        rest = self.entries[begin:]
        self.entries[begin:] = urgent
        self.urgent = True
        return rest

    def forget(self) -> None:
        """It was decided on a hall that is no more."""
        self.prepared = self.broken = None


def is_telemetry(entry: Entry) -> bool:
    """Whether an entry is telemetry, which waits where something has to."""
    return isinstance(entry, Delivery) and entry.packet.lane is Lane.TELEMETRY


class Line:
    """The turns that are not committed yet."""

    def __init__(self) -> None:
        """Begin empty."""
        self._turns: deque[Turn] = deque()
        # Where one turn is at fault and not found yet, so many at the head are written one by one.
        self._singly = 0

    def __len__(self) -> int:
        return len(self._turns)

    def __iter__(self) -> Iterator[Turn]:
        return iter(self._turns)

    @property
    def head(self) -> Turn | None:
        """The first turn, which is the next to be written."""
        return self._turns[0] if self._turns else None

    @property
    def undecided(self) -> Turn | None:
        """The first turn that nothing was decided of."""
        return next((turn for turn in self._turns if turn.prepared is None), None)

    @property
    def broken(self) -> bool:
        """Whether a turn could not be decided: nothing else may be, before the hall is loaded anew."""
        return any(turn.broken is not None for turn in self._turns)

    @property
    def urgent(self) -> bool:
        """Whether something urgent waits to be written."""
        return any(turn.urgent for turn in self._turns)

    @property
    def telemetry(self) -> int:
        """How many turns with telemetry wait to be written."""
        return sum(turn.telemetry for turn in self._turns)

    def is_last(self, turn: Turn) -> bool:
        """Whether nothing has come after this turn."""
        return self._turns[-1] is turn

    def put(self, turn: Turn) -> None:
        """Put a turn at the end."""
        self._turns.append(turn)

    def withdraw(self) -> None:
        """Take the last turn out again: nothing came of it."""
        self._turns.pop()

    def ready(self) -> list[tuple[Turn, Prepared]]:
        """The turns at the head that are to be written together."""
        found: list[tuple[Turn, Prepared]] = []
        for turn in self._turns:
            if turn.prepared is None or len(found) == (1 if self._singly else TOGETHER):
                break
            found.append((turn, turn.prepared))
        return found

    def written(self, count: int) -> None:
        """So many turns at the head are committed."""
        for _ in range(count):
            self._turns.popleft()
        self._singly = max(0, self._singly - count)

    def write_singly(self, count: int) -> None:
        """So many turns could not be written together: one of them is at fault."""
        self._singly = count

    def divide(self, into: Sequence[Turn]) -> None:
        """Put these in the place of the turn at the head, and forget what was decided after it."""
        self._turns.popleft()
        for later in self._turns:
            later.forget()
        self._turns.extendleft(reversed(into))
        self._singly = max(0, self._singly - 1) + len(into)


def parts(turn: Turn, error: Exception) -> list[Turn]:
    """What to do instead of a turn that failed: what time asks for, then its halves; what fails alone goes aside."""
    middle = len(turn.entries) // 2
    if middle:
        return [Turn([]), Turn(turn.entries[:middle]), Turn(turn.entries[middle:])]
    entry = turn.entries[0]
    if isinstance(entry, Delivery):
        return [Turn([]), Turn(turn.entries, fault=error)]
    entry.fail(error)
    return [Turn([])]
