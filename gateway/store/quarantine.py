"""The quarantine: messages that could not be read, kept with their reason until a person has looked.

Rows are written by the batch they came with (`journal.py`), and a replay is marked by the batch that carries it.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, select, update

from gateway.store import schema
from gateway.store.contract import Quarantined, QuarantineRow
from gateway.store.worker import Worker
from sensors.decode.bounds import ROW_BYTES

STATES: Final = ("held", "replayed", "discarded")
ROWS_AT_ONCE: Final = 200
_table: Final = schema.quarantine


class Quarantine:
    """Listing, looking, discarding."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def page(
        self, hall: str, *, state: str | None = "held", before: int | None = None, limit: int = 100
    ) -> Sequence[QuarantineRow]:
        """The newest rows first; `before` is the id of the last row of the page before."""
        query = select(_table).where(_table.c.hall == hall).order_by(_table.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(_table.c.state == state)
        if before is not None:
            query = query.where(_table.c.id < before)
        return await self._reader.run(lambda connection: [_row(one) for one in connection.execute(query)])

    async def get(self, hall: str, id: int) -> QuarantineRow | None:
        """One row."""
        query = select(_table).where(_table.c.hall == hall, _table.c.id == id)

        def look(connection: Connection) -> QuarantineRow | None:
            found = connection.execute(query).first()
            return None if found is None else _row(found)

        return await self._reader.run(look)

    async def discard(self, hall: str, id: int) -> bool:
        """A person says that it is rubbish; False when it is not held."""
        mine = (_table.c.hall == hall) & (_table.c.id == id) & (_table.c.state == "held")
        statement = update(_table).where(mine).values(state="discarded")
        return await self._writer.execute(statement) == 1

    async def held(self, hall: str) -> int:
        """How many rows wait for a person."""
        query = select(func.count()).where(_table.c.hall == hall, _table.c.state == "held")
        return await self._reader.run(lambda connection: connection.scalar(query) or 0)

    async def trim(self, hall: str, keep: int, keep_bytes: int) -> int:
        """Drop rows, what was settled first and then the oldest, until at most `keep` of `keep_bytes` are left.

        Returns how many held ones were dropped.
        """
        # Adding them up takes a while: not where commits wait.
        doomed = await self._reader.run(lambda connection: _excess(connection, hall, keep, keep_bytes))
        for at in range(0, len(doomed), ROWS_AT_ONCE):
            some = [row.id for row in doomed[at : at + ROWS_AT_ONCE]]
            await self._writer.execute(delete(_table).where(_table.c.id.in_(some)))
        return sum(row.state == "held" for row in doomed)


def _excess(connection: Connection, hall: str, keep: int, keep_bytes: int) -> list[Row[Any]]:
    size = func.length(_table.c.payload).label("size")
    query = select(_table.c.id, _table.c.state, size).where(_table.c.hall == hall)
    rows = connection.execute(query.order_by(_table.c.state == "held", _table.c.id)).all()
    count, total = len(rows), sum(row.size + ROW_BYTES for row in rows)
    doomed: list[Row[Any]] = []
    for row in rows:
        if count <= keep and total <= keep_bytes:
            break
        doomed.append(row)
        count, total = count - 1, total - row.size - ROW_BYTES
    return doomed


def _row(row: Row[Any]) -> QuarantineRow:
    return QuarantineRow(
        id=row.id,
        state=row.state,
        message=Quarantined(
            hall=row.hall,
            at=row.at,
            device=row.device,
            topic=row.topic,
            payload=row.payload,
            length=row.length,
            digest=row.digest,
            reason=row.reason,
            detail=row.detail,
            retained=row.retained,
            lane=row.lane,
        ),
    )
