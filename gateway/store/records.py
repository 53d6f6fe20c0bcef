"""What the page asks: alarms, runs, tickets, messages and events, open or past. Reads only, on the reader's thread."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select

from alerts.chronicle import STAFFING
from alerts.model import Alarm, Event, Message, MessageState, Run, Ticket
from gateway.store import schema
from gateway.store.rows import ALARMS, MESSAGES, RUNS, TICKETS, Shelf, T
from gateway.store.worker import Worker

# Where a page ended: the instant by which the list is ordered, and the id of its last row.
Before = tuple[int, str]


@dataclass(frozen=True, slots=True)
class EventRow:
    """A line of the log with its number."""

    id: int
    event: Event


@dataclass(frozen=True, slots=True)
class GapRow:
    """What the disk budget has cost: telemetry that the histories in `name` had not got yet.

    Inputs `first` to `last` of the journal, received between `from_at` and `to_at` (ms); `dropped` counts messages.
    """

    name: str
    first: int
    last: int
    from_at: int
    to_at: int
    dropped: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows and bytes of a hall's journal, and rows of what stands beside it."""

    journal_rows: int
    journal_bytes: int
    quarantine: int
    events: int


class Records:
    """Questions about what the alert engine has decided."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def alarms(
        self, hall: str, *, open_only: bool = False, before: Before | None = None, limit: int = 100
    ) -> Sequence[Alarm]:
        """The newest alarms first, by the time they were raised."""
        only = (schema.alarms.c.open_key.is_not(None),) if open_only else ()
        return await self._list(ALARMS, hall, "raised", only, before, limit)

    async def runs(
        self, hall: str, *, open_only: bool = False, before: Before | None = None, limit: int = 100
    ) -> Sequence[Run]:
        """The newest runs of plans first, by their start."""
        only = (schema.runs.c.ended.is_(None),) if open_only else ()
        return await self._list(RUNS, hall, "started", only, before, limit)

    async def tickets(
        self, hall: str, *, open_only: bool = False, before: Before | None = None, limit: int = 100
    ) -> Sequence[Ticket]:
        """The newest tickets first, by their opening."""
        only = (schema.tickets.c.open_key.is_not(None),) if open_only else ()
        return await self._list(TICKETS, hall, "opened", only, before, limit)

    async def messages(
        self,
        hall: str,
        *,
        about: str | None = None,
        state: MessageState | None = None,
        before: Before | None = None,
        limit: int = 100,
    ) -> Sequence[Message]:
        """The newest messages first; `about` is the id of an alarm or a run."""
        columns = schema.messages.c
        only: tuple[ColumnElement[bool], ...] = () if about is None else (columns.about == about,)
        if state is not None:
            only += (columns.state == str(state),)
        return await self._list(MESSAGES, hall, "created", only, before, limit)

    async def alarm(self, hall: str, id: str) -> Alarm | None:
        """One alarm."""
        return await self._one(ALARMS, hall, id)

    async def run(self, hall: str, id: str) -> Run | None:
        """One run."""
        return await self._one(RUNS, hall, id)

    async def ticket(self, hall: str, id: str) -> Ticket | None:
        """One ticket."""
        return await self._one(TICKETS, hall, id)

    async def message(self, hall: str, id: str) -> Message | None:
        """One message."""
        return await self._one(MESSAGES, hall, id)

    async def events(
        self, hall: str, *, about: str | None = None, before: int | None = None, limit: int = 100
    ) -> Sequence[EventRow]:
        """The newest lines of the log first; `before` is the number of the last line of the page before.

        How windows are staffed is told only of one of them: it is no news, and there is too much of it.
        """
        table = schema.events
        query = select(table).where(table.c.hall == hall).order_by(table.c.id.desc()).limit(limit)
        query = query.where(table.c.about == about if about is not None else table.c.what != STAFFING)
        if before is not None:
            query = query.where(table.c.id < before)
        return await self._reader.run(
            lambda connection: [
                EventRow(row.id, Event(row.hall, row.at, row.about, row.what, row.actor, row.detail))
                for row in connection.execute(query)
            ]
        )

    async def gaps(self, hall: str) -> Sequence[GapRow]:
        """What the disk budget has cost, oldest first."""
        c = schema.gaps.c
        columns = (c.name, c.first, c.last, c.from_at, c.to_at, c.dropped, c.bytes)
        query = select(*columns).where(c.hall == hall, c.dropped > 0).order_by(c.id)
        return await self._reader.run(lambda connection: [GapRow(*row) for row in connection.execute(query)])

    async def sizes(self, hall: str) -> Sizes:
        """How much is kept."""
        journal = schema.journal.c

        def count(connection: Connection) -> Sizes:
            rows, size = connection.execute(
                select(func.count(), func.coalesce(func.sum(func.length(journal.blob)), 0)).where(journal.hall == hall)
            ).one()
            others = [
                connection.scalar(select(func.count()).where(table.c.hall == hall)) or 0
                for table in (schema.quarantine, schema.events)
            ]
            return Sizes(rows, size, *others)

        return await self._reader.run(count)

    async def secret(self, name: str) -> bytes:
        """32 random bytes that this store keeps under `name`, made when first asked for (a salt, a signing key)."""
        table = schema.meta

        def fetch(connection: Connection) -> bytes:
            kept = connection.scalar(select(table.c.value).where(table.c.key == name))
            if kept is None:
                kept = secrets.token_hex(32)
                connection.execute(insert(table).values(key=name, value=kept))
            return bytes.fromhex(kept)

        return await self._writer.run(fetch)

    async def _list(
        self,
        shelf: Shelf[T],
        hall: str,
        time: str,
        only: tuple[ColumnElement[bool], ...],
        before: Before | None,
        limit: int,
    ) -> Sequence[T]:
        columns = shelf.table.c
        query = _newest(shelf, time).where(columns.hall == hall, *only).limit(limit)
        if before is not None:
            at, id_ = before
            query = query.where(or_(columns[time] < at, and_(columns[time] == at, columns.id < id_)))
        return await self._reader.run(lambda connection: [shelf.value(body) for body in connection.scalars(query)])

    async def _one(self, shelf: Shelf[T], hall: str, id: str) -> T | None:
        columns = shelf.table.c
        query = select(columns.body).where(columns.hall == hall, columns.id == id)

        def look(connection: Connection) -> T | None:
            body = connection.scalar(query)
            return None if body is None else shelf.value(body)

        return await self._reader.run(look)


def _newest(shelf: Shelf[Any], time: str) -> Select[str]:
    columns = shelf.table.c
    return select(columns.body).order_by(columns[time].desc(), columns.id.desc())
