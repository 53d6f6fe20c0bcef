"""The deadlines of many rows in order: what is due first is known without looking at all of them.

Twelve thousand alarms open after a storm are asked for the next deadline at every message that comes in.
"""

from heapq import heappop, heappush


class Deadlines:
    """One deadline for each id; instants in ms since the epoch."""

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        # An entry that is no longer its id's deadline is thrown away when it comes up.
        self._heap: list[tuple[int, str]] = []

    def put(self, id: str, due: int | None) -> None:
        """Set the deadline of an id; None takes it away."""
        if due is None:
            self._due.pop(id, None)
        elif self._due.get(id) != due:
            self._due[id] = due
            heappush(self._heap, (due, id))

    def first(self) -> int | None:
        """The earliest deadline, None if there is none."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def until(self, at: int) -> list[str]:
        """Take the ids out that are due by `at`; who still has a deadline after that puts it again."""
        ids: list[str] = []
        while (due := self.first()) is not None and due <= at:
            taken = heappop(self._heap)[1]
            del self._due[taken]
            ids.append(taken)
        return ids
