"""Deadlines of a hall: part of its state, so that a restart knows them, with a heap beside it for speed.

Every message moves its device's deadline further away, so that must cost no more than one write to a dict:
the heap is put right only when an old entry comes to its top.
"""

from heapq import heapify, heappop, heappush


class Timers:
    """Deadlines by key over `HallState.timers` (ms since the epoch). The heap holds nothing that they do not say."""

    __slots__ = ("_dues", "_heap")

    def __init__(self, dues: dict[str, int]) -> None:
        self._dues = dues
        self._heap: list[tuple[int, str]] = []
        self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(due, key) for key, due in self._dues.items()]
        heapify(self._heap)

    def set(self, key: str, due: int) -> None:
        """Set or move a deadline. The heap always holds an entry of this key that is not later than `due`."""
        old = self._dues.get(key)
        self._dues[key] = due
        if old is None or due < old:
            heappush(self._heap, (due, key))
            if len(self._heap) > 4 * len(self._dues) + 64:
                self._rebuild()

    def drop(self, key: str) -> None:
        """Take a deadline away, if there is one."""
        self._dues.pop(key, None)

    def get(self, key: str) -> int | None:
        """When a key is due, or None."""
        return self._dues.get(key)

    def next_due(self) -> int | None:
        """The earliest deadline, or None."""
        heap, dues = self._heap, self._dues
        while heap:
            due, key = heap[0]
            true = dues.get(key)
            if true == due:
                return due
            heappop(heap)
            if true is not None:
                heappush(heap, (true, key))
        return None

    def take(self, now: int) -> list[str]:
        """Remove and return the keys that are due by `now`, in the order of their deadline and then their name."""
        taken: list[str] = []
        while (due := self.next_due()) is not None and due <= now:
            _, key = heappop(self._heap)
            del self._dues[key]
            taken.append(key)
        return taken
