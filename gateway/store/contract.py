"""What the pipeline asks of a store; the first is SQLite, PostgreSQL is a URL of the same schema.

The store is written by one writer: each call below is one transaction, made in one hop to the writer's thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from alerts.model import Book, Changes


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that could not be read, with the reason. `length` and `digest` (SHA-256) are those of the whole."""

    hall: str
    at: int
    device: str
    topic: str
    payload: bytes
    length: int
    digest: str
    reason: str
    detail: str
    retained: bool = False
    lane: int = 1


@dataclass(frozen=True, slots=True)
class Settled:
    """What a person made of a row of the quarantine: who, when, and what of it was mended (None: as it came)."""

    id: int
    by: str
    at: int
    topic: str | None = None
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A row of the quarantine: its state is held, replayed or discarded. The message is as it came, for ever."""

    id: int
    state: str
    message: Quarantined
    settled: Settled | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction: inputs `index` to `index + count - 1` of the hall's journal, and what followed."""

    hall: str
    index: int
    count: int
    at: int
    blob: bytes
    changes: Changes = field(default_factory=Changes)
    quarantined: tuple[Quarantined, ...] = ()
    released: tuple[Settled, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A batch as the journal keeps it."""

    index: int
    count: int
    at: int
    blob: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A hall's state after the input before `index`. `digest` is the state's SHA-256; a wrong one is not used."""

    hall: str
    index: int
    at: int
    version: str
    blob: bytes
    digest: str


class Journal(Protocol):
    """The operations store, as the pipeline sees it."""

    async def commit(self, *batches: Batch) -> None:
        """Write batches in one transaction, durable when this returns. Raises `StoreError`; nothing is written then."""
        ...

    async def read(self, hall: str, index: int, limit: int) -> Sequence[JournalRow]:
        """Up to `limit` batches whose last input is at or after `index`, in order."""
        ...

    async def end(self, hall: str) -> int:
        """The index that the next input will have."""
        ...

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; older ones but the last two are dropped."""
        ...

    async def snapshot(self, hall: str) -> Snapshot | None:
        """The newest snapshot whose digest is right, or None."""
        ...

    async def book(self, hall: str) -> Book:
        """What is open: alarms, runs, tickets, messages, counters."""
        ...
