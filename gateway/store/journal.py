"""The journal, its snapshots and the book of open things: what the pipeline asks of the operations store.

A batch is one transaction: the inputs as one blob, and everything that followed from them. Durable when `commit`
returns, or not there at all.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, func, select

from alerts.model import Book, MessageState
from gateway.store import schema
from gateway.store.contract import Batch, JournalRow, Quarantined, Snapshot
from gateway.store.errors import StoreError
from gateway.store.holes import Lost, blank, close_holes
from gateway.store.quarantine import settle
from gateway.store.rows import ALARMS, MESSAGES, RUNS, TICKETS, ChangesWriter, storable
from gateway.store.statements import Insert
from gateway.store.witness import Witnesses
from gateway.store.worker import Worker

SNAPSHOTS_KEPT: Final = 2
_QUARANTINE: Final = (
    "hall", "at", "device", "topic", "payload", "length", "digest", "reason", "detail", "retained", "lane", "state",
)  # fmt: skip
_ON_ITS_WAY: Final = (MessageState.QUEUED, MessageState.ATTEMPTING, MessageState.RETRY)
_TOLD: Final = (MessageState.SENT, MessageState.UNKNOWN, MessageState.DEAD)


class SqlJournal:
    """`contract.Journal` on a SQL database."""

    def __init__(self, writer: Worker, reader: Worker, witnesses: Witnesses | None = None) -> None:
        self._writer = writer
        self._witnesses = witnesses or Witnesses(None)
        self._reader = reader
        # Where each hall's journal ends, as far as known: a call that was cancelled leaves it to be asked again.
        self._ends: dict[str, int] = {}
        dialect = writer.dialect
        self._journal = Insert(dialect, schema.journal, ("hall", "index", "count", "at", "blob"))
        self._quarantine = Insert(dialect, schema.quarantine, _QUARANTINE)
        self._changes = ChangesWriter(dialect)

    async def commit(self, *batches: Batch) -> None:
        """Write batches of one hall in one transaction, durable when this returns.

        Raises `StoreError`; nothing is written then.
        """
        last = batches[-1]
        end = self._ends.pop(last.hall, None)
        behind = last.index + last.count
        counters = {name: value for batch in batches for name, value in batch.changes.counters.items()}
        await self._writer.run(
            lambda connection: self._commit(connection, batches, end),
            lambda: self._witnesses.of(last.hall).saw(behind, last.at, counters),
        )
        self._ends[last.hall] = behind

    def _commit(self, connection: Connection, batches: Sequence[Batch], end: int | None) -> None:
        if end is None:
            end = _end(connection, batches[0].hall)
            if _are_held(connection, batches, end):
                return
        for batch in batches:
            if batch.index != end:
                raise StoreError("store_refused", f"the journal of {batch.hall} ends at {end}, not at {batch.index}")
            self._put(connection, batch)
            end += batch.count

    def _put(self, connection: Connection, batch: Batch) -> None:
        if batch.count:
            self._journal(connection, [(batch.hall, batch.index, batch.count, batch.at, batch.blob)])
        self._quarantine(connection, [_held(one) for one in batch.quarantined])
        for settled in batch.released:
            settle(connection, batch.hall, "replayed", settled)
        if batch.changes:
            self._changes(connection, batch.hall, batch.at, batch.changes)

    async def mend(self, hall: str) -> Lost | None:
        """Close the holes of a journal that has lost something; None where it is whole. Before the first commit."""
        seen = self._witnesses.of(hall).seen
        return await self._writer.run(lambda connection: close_holes(connection, hall, seen))

    async def blank(self, hall: str, row: JournalRow) -> Lost:
        """Put a hole in the place of a row that nobody can read."""
        return await self._writer.run(lambda connection: blank(connection, hall, row))

    async def read(self, hall: str, index: int, limit: int) -> Sequence[JournalRow]:
        """Up to `limit` batches whose last input is at or after `index`, in order."""
        return await self._reader.run(lambda connection: read_rows(connection, hall, index, limit))

    async def back(self, hall: str, before: int, limit: int) -> Sequence[JournalRow]:
        """Up to `limit` batches that begin before the input `before`, newest first."""
        c = schema.journal.c
        query = select(c.index, c.count, c.at, c.blob).where(c.hall == hall, c.index < before)
        newest = query.order_by(c.index.desc()).limit(limit)
        return await self._reader.run(lambda connection: [JournalRow(*row) for row in connection.execute(newest)])

    async def end(self, hall: str) -> int:
        """The index that the next input will have."""
        known = self._ends.get(hall)
        if known is None:
            # Asked of the writer, behind any commit that is on its way.
            known = await self._writer.run(lambda connection: _end(connection, hall))
        return known

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; older ones but the last two are dropped."""
        await self._writer.run(lambda connection: _save(connection, snapshot))

    async def snapshot(self, hall: str) -> Snapshot | None:
        """The newest snapshot whose digest is right, or None."""
        rows = await self._reader.run(lambda connection: _snapshots(connection, hall))
        return next((one for one in rows if hashlib.sha256(one.blob).hexdigest() == one.digest), None)

    async def book(self, hall: str) -> Book:
        """What is open: alarms, runs, tickets, messages, counters."""
        book = await self._writer.run(lambda connection: _book(connection, hall))
        # An id is a key by which others know a message: none is given twice, whatever rows were lost.
        for name, value in self._witnesses.of(hall).seen.counters.items():
            book.counters[name] = max(value, book.counters.get(name, 0))
        return book


def read_rows(connection: Connection, hall: str, index: int, limit: int) -> list[JournalRow]:
    """Up to `limit` rows of the journal whose last input is at or after `index`, in order."""
    table = schema.journal
    mine = table.c.hall == hall
    # The row that holds `index` begins at or before it; it is the newest of those.
    first = select(func.max(table.c.index)).where(mine, table.c.index <= index).scalar_subquery()
    query = (
        select(table.c.index, table.c.count, table.c.at, table.c.blob)
        .where(mine, table.c.index >= func.coalesce(first, index), table.c.index + table.c.count > index)
        .order_by(table.c.index)
        .limit(limit)
    )
    return [JournalRow(*row) for row in connection.execute(query)]


def _end(connection: Connection, hall: str) -> int:
    table = schema.journal
    query = select(table.c.index + table.c.count).where(table.c.hall == hall).order_by(table.c.index.desc()).limit(1)
    return connection.scalar(query) or 0


def _are_held(connection: Connection, batches: Sequence[Batch], end: int) -> bool:
    """Whether a commit of ours has failed in its answer alone: then its batches are there, whole."""
    counted = [batch for batch in batches if batch.count]
    return bool(counted) and end == counted[-1].index + counted[-1].count and _holds(connection, counted)


def _holds(connection: Connection, batches: Sequence[Batch]) -> bool:
    rows = read_rows(connection, batches[0].hall, batches[0].index, len(batches))
    return rows == [JournalRow(batch.index, batch.count, batch.at, batch.blob) for batch in batches]


def _held(one: Quarantined) -> tuple[object, ...]:
    what = (one.payload, one.length, one.digest, one.reason, storable(one.detail), one.retained, one.lane)
    return (one.hall, one.at, storable(one.device), storable(one.topic), *what, "held")


def _save(connection: Connection, snapshot: Snapshot) -> None:
    table = schema.snapshots
    mine = table.c.hall == snapshot.hall
    connection.execute(delete(table).where(mine, table.c.index == snapshot.index))
    connection.execute(
        table.insert().values(
            hall=snapshot.hall,
            index=snapshot.index,
            at=snapshot.at,
            version=snapshot.version,
            digest=snapshot.digest,
            blob=snapshot.blob,
        )
    )
    kept = select(table.c.index).where(mine).order_by(table.c.index.desc()).limit(SNAPSHOTS_KEPT)
    connection.execute(delete(table).where(mine, table.c.index.not_in(kept)))


def _snapshots(connection: Connection, hall: str) -> list[Snapshot]:
    c = schema.snapshots.c
    query = select(c.hall, c.index, c.at, c.version, c.blob, c.digest).where(c.hall == hall).order_by(c.index.desc())
    return [Snapshot(*row) for row in connection.execute(query)]


def _book(connection: Connection, hall: str) -> Book:
    alarms, runs, tickets, messages = schema.alarms, schema.runs, schema.tickets, schema.messages
    open_alarms = (alarms.c.hall == hall) & alarms.c.open_key.is_not(None)
    open_runs = (runs.c.hall == hall) & runs.c.ended.is_(None)
    open_tickets = (tickets.c.hall == hall) & tickets.c.open_key.is_not(None)
    # A message that was told may still be answered while what it is about is open.
    about = select(alarms.c.id).where(open_alarms).union_all(select(runs.c.id).where(open_runs))
    answerable = messages.c.answerable & messages.c.answered.is_(None) & messages.c.about.in_(about)
    waiting = messages.c.state.in_(_ON_ITS_WAY) | (messages.c.state.in_(_TOLD) & answerable)
    counters = select(schema.counters.c.name, schema.counters.c.value).where(schema.counters.c.hall == hall)
    return Book(
        alarms={row.id: ALARMS.value(row.body) for row in connection.execute(select(alarms).where(open_alarms))},
        runs={row.id: RUNS.value(row.body) for row in connection.execute(select(runs).where(open_runs))},
        tickets={row.id: TICKETS.value(row.body) for row in connection.execute(select(tickets).where(open_tickets))},
        messages={
            row.id: MESSAGES.value(row.body)
            for row in connection.execute(select(messages).where(messages.c.hall == hall, waiting))
        },
        counters={row.name: row.value for row in connection.execute(counters)},
    )
