"""A batch's turn in the line before the store, and what becomes of one that fails for what is in it."""

from dataclasses import dataclass

from gateway.batch import Entry, Prepared
from gateway.link.contract import Delivery


@dataclass(slots=True)
class Turn:
    """Entries whose turn has come, and what was decided of them; None while it is not, or must be anew.

    `fault`: what a message brought to light that nothing can take; it is set aside.
    """

    entries: list[Entry]
    prepared: Prepared | None = None
    fault: Exception | None = None


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
