"""Takes the time of every commit, between the pipeline and the store that it writes to."""

import time
from collections.abc import Sequence

from alerts.model import Book
from gateway.store.contract import Batch, Journal, JournalRow, Snapshot
from gateway.store.errors import StoreError
from gateway.watch.meters import Meters


class MeasuredJournal:
    """A journal whose commits are measured; everything else goes through as it is.

    `committed` is the index that the store's next input will have, as far as this process has written.
    """

    def __init__(self, journal: Journal, meters: Meters, hall: str, committed: int) -> None:
        self.committed = committed
        self._journal = journal
        self._failures = meters.commit_failures
        self._hall = hall
        self._seconds = meters.commit_seconds.labels(hall)
        self._inputs = meters.batch_inputs.labels(hall)
        self._bytes = meters.journal_bytes.labels(hall)

    async def commit(self, *batches: Batch) -> None:
        """Write batches in one transaction; raises `StoreError`."""
        began = time.perf_counter()
        try:
            await self._journal.commit(*batches)
        except StoreError as error:
            self._failures.labels(self._hall, error.code).inc()
            raise
        self.committed = batches[-1].index + batches[-1].count
        self._seconds.observe(time.perf_counter() - began)
        self._inputs.observe(sum(batch.count for batch in batches))
        self._bytes.inc(sum(len(batch.blob) for batch in batches))

    async def read(self, hall: str, index: int, limit: int) -> Sequence[JournalRow]:
        """Batches in order."""
        return await self._journal.read(hall, index, limit)

    async def end(self, hall: str) -> int:
        """The index that the next input will have."""
        return await self._journal.end(hall)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        await self._journal.save_snapshot(snapshot)

    async def snapshot(self, hall: str) -> Snapshot | None:
        """The newest good snapshot."""
        return await self._journal.snapshot(hall)

    async def book(self, hall: str) -> Book:
        """What is open."""
        return await self._journal.book(hall)
