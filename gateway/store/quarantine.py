"""The quarantine: messages that could not be read, kept with their reason until a person has looked.

Rows are written by the batch they came with (`journal.py`), and a replay is marked by the batch that carries it.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gateway.store import schema
from gateway.store.contract import Quarantined, QuarantineRow, Settled
from gateway.store.worker import Worker
from sensors.decode.bounds import ROW_BYTES

STATES: Final = ("held", "replayed", "discarded")
ROWS_AT_ONCE: Final = 200
_table: Final = schema.quarantine
_settled: Final = schema.settlements
_rows: Final = select(
    _table,
    _settled.c.actor,
    _settled.c.at.label("settled_at"),
    _settled.c.topic.label("mended_topic"),
    _settled.c.payload.label("mended_payload"),
).outerjoin(_settled, _settled.c.id == _table.c.id)


class Quarantine:
    """Listing, looking, discarding."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def page(
        self,
        hall: str,
        *,
        state: str | None = "held",
        before: int | None = None,
        limit: int = 100,
        device: str | None = None,
    ) -> Sequence[QuarantineRow]:
        """The newest rows first; `before` is the id of the last row of the page before."""
        query = _rows.where(_table.c.hall == hall).order_by(_table.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(_table.c.state == state)
        if device is not None:
            query = query.where(_table.c.device == device)
        if before is not None:
            query = query.where(_table.c.id < before)
        return await self._reader.run(lambda connection: [_row(one) for one in connection.execute(query)])

    async def get(self, hall: str, id: int) -> QuarantineRow | None:
        """One row."""
        query = _rows.where(_table.c.hall == hall, _table.c.id == id)

        def look(connection: Connection) -> QuarantineRow | None:
            found = connection.execute(query).first()
            return None if found is None else _row(found)

        return await self._reader.run(look)

    async def discard(self, hall: str, settled: Settled) -> bool:
        """A person says that it is rubbish; False when it is not held."""
        return await self._writer.run(lambda connection: settle(connection, hall, "discarded", settled))

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
            await self._writer.execute(delete(_settled).where(_settled.c.id.in_(some)))
        return sum(row.state == "held" for row in doomed)


def settle(connection: Connection, hall: str, state: str, settled: Settled) -> bool:
    """Write down what a person made of a held row, in the transaction that does it; False when it is not held."""
    mine = (_table.c.hall == hall) & (_table.c.id == settled.id) & (_table.c.state == "held")
    if connection.execute(update(_table).where(mine).values(state=state)).rowcount != 1:
        return False
    row = {"id": settled.id, "hall": hall, "at": settled.at, "actor": settled.by}
    connection.execute(insert(_settled).values(**row, topic=settled.topic, payload=settled.payload))
    return True


def _excess(connection: Connection, hall: str, keep: int, keep_bytes: int) -> list[Row[Any]]:
    size = func.length(_table.c.payload).label("size")
    query = select(_table.c.id, _table.c.state, size).where(_table.c.hall == hall)
    rows = connection.execute(query.order_by(_table.c.state == "held", _table.c.id)).all()
    count, total = len(rows), sum(row.size + ROW_BYTES for row in rows)
    doomed: list[Any] = []
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
        settled=None
        if row.settled_at is None
        else Settled(row.id, row.actor, row.settled_at, row.mended_topic, row.mended_payload),
    )
