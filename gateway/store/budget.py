"""The journal's disk budget.

What every history has got and every kept snapshot covers goes first. If that is not enough, telemetry that some
history has not got yet goes, oldest first, and the loss stands as a named gap. Life-safety messages and what
people did keep their place; inputs that no snapshot covers are never touched, nor alarms, outbox rows and events.
The work is done in small transactions, so that no commit waits long behind it.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from gateway.store import schema
from gateway.store.contract import JournalRow
from gateway.store.journal import read_rows
from gateway.store.worker import Worker
from sensors.inputs import AnyInput, Heard, Lane, Probed, Tallied, Ticked, pack, unpack

ROWS_AT_ONCE: Final = 64
_journal: Final = schema.journal
_gaps: Final = schema.gaps


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Rows removed, messages dropped into a gap, and the bytes by which the budget is still exceeded."""

    rows: int = 0
    dropped: int = 0
    over: int = 0


@dataclass(frozen=True, slots=True)
class _Loss:
    """What thinning one run of rows has cost."""

    first: int
    last: int
    from_at: int
    to_at: int
    dropped: int
    bytes: int


class Budget:
    """Keeps the journal of a hall within its bytes."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    async def trim(self, hall: str, keep_from_index: int) -> int:
        """Drop what lies before `keep_from_index`, every history has got and the kept snapshots cover; rows dropped."""
        rows, _ = await self._drop_shipped(hall, keep_from_index, None)
        return rows

    async def enforce(self, hall: str, limit_bytes: int) -> Trimmed:
        """Bring the blobs of a hall's journal down to `limit_bytes`, as far as that is allowed."""
        # Adding up a long journal takes a while: not where commits wait.
        size = await self._reader.run(lambda connection: _size(connection, hall))
        over = size - limit_bytes
        if over <= 0:
            return Trimmed()
        rows, freed = await self._drop_shipped(hall, None, over)
        over -= freed
        dropped = 0
        while over > 0:
            loss = await self._writer.run(partial(_thin, hall=hall, need=over))
            if loss is None:
                break
            over -= loss.bytes
            dropped += loss.dropped
        return Trimmed(rows, dropped, max(over, 0))

    async def _drop_shipped(self, hall: str, keep_from: int | None, need: int | None) -> tuple[int, int]:
        rows = freed = 0
        while need is None or freed < need:
            count, size = await self._writer.run(lambda connection: _drop(connection, hall, keep_from))
            rows += count
            freed += size
            if count < ROWS_AT_ONCE:
                break
        return rows, freed


def _size(connection: Connection, hall: str) -> int:
    total = select(func.sum(func.length(_journal.c.blob))).where(_journal.c.hall == hall)
    return int(connection.scalar(total) or 0)


def _covered(connection: Connection, hall: str) -> int:
    """Before this index every kept snapshot stands, so the older one can still be used if the newer is damaged."""
    oldest = select(func.min(schema.snapshots.c.index)).where(schema.snapshots.c.hall == hall)
    return connection.scalar(oldest) or 0


def _drop(connection: Connection, hall: str, keep_from: int | None) -> tuple[int, int]:
    cursors = schema.cursors.c
    shipped = connection.scalar(select(func.min(cursors.index)).where(cursors.hall == hall))
    bounds = [bound for bound in (_covered(connection, hall), shipped, keep_from) if bound is not None]
    table = _journal.c
    # The last row stays: it says where the journal ends.
    last = select(func.max(table.index)).where(table.hall == hall).scalar_subquery()
    query = (
        select(table.index, func.length(table.blob))
        .where(table.hall == hall, table.index + table.count <= min(bounds), table.index < last)
        .order_by(table.index)
        .limit(ROWS_AT_ONCE)
    )
    found = connection.execute(query).all()
    if found:
        old = (table.hall == hall) & (table.index <= found[-1][0])
        connection.execute(delete(_journal).where(old))
    return len(found), sum(row[1] for row in found)


def _thin(connection: Connection, hall: str, need: int) -> _Loss | None:
    """Take telemetry out of the oldest rows that still have it, until `need` bytes are free; None when none is left."""
    covered = _covered(connection, hall)
    start = connection.scalar(select(func.max(_gaps.c.last)).where(_gaps.c.hall == hall))
    start = 0 if start is None else start + 1
    rows = [row for row in read_rows(connection, hall, start, ROWS_AT_ONCE) if row.index + row.count <= covered]
    loss: _Loss | None = None
    for row in rows:
        one = _thin_row(connection, hall, row)
        loss = one if loss is None else _joined(loss, one)
        if loss.bytes >= need:
            break
    if loss is not None:
        _note(connection, hall, loss)
    return loss


def _thin_row(connection: Connection, hall: str, row: JournalRow) -> _Loss:
    inputs = unpack(row.blob)
    kept = [_thinned(one) for one in inputs]
    dropped = sum(new is not old for new, old in zip(kept, inputs, strict=True) if isinstance(old, Heard))
    mine = (_journal.c.hall == hall) & (_journal.c.index == row.index)
    if all(isinstance(one, Ticked) for one in kept) and not _is_last(connection, hall, row):
        connection.execute(delete(_journal).where(mine))
        freed = len(row.blob)
    else:
        blob = pack(kept)
        connection.execute(update(_journal).where(mine).values(blob=blob))
        freed = len(row.blob) - len(blob)
    return _Loss(row.index, row.index + row.count - 1, row.at, row.at, dropped, freed)


def _thinned(one: AnyInput) -> AnyInput:
    # A tick in its place keeps the position of everything behind it, and with it the times of their points.
    telemetry = isinstance(one, Heard) and one.lane != Lane.SAFETY
    return Ticked(one.at) if telemetry or isinstance(one, Tallied | Probed) else one


def _is_last(connection: Connection, hall: str, row: JournalRow) -> bool:
    newest: int | None = connection.scalar(select(func.max(_journal.c.index)).where(_journal.c.hall == hall))
    return newest == row.index


def _joined(a: _Loss, b: _Loss) -> _Loss:
    return _Loss(a.first, b.last, a.from_at, b.to_at, a.dropped + b.dropped, a.bytes + b.bytes)


def _note(connection: Connection, hall: str, loss: _Loss) -> None:
    """Write the gap down, named after the histories that miss it; a gap that goes on is one row."""
    cursors = schema.cursors.c
    behind = select(cursors.name).where(cursors.hall == hall, cursors.index <= loss.last).order_by(cursors.name)
    name = ",".join(connection.scalars(behind))[:64]
    latest = select(_gaps).where(_gaps.c.hall == hall).order_by(_gaps.c.id.desc()).limit(1)
    before = connection.execute(latest).first()
    if before is not None and before.name == name:
        values = {"last": loss.last, "to_at": loss.to_at}
        sums = {"dropped": before.dropped + loss.dropped, "bytes": before.bytes + loss.bytes}
        connection.execute(update(_gaps).where(_gaps.c.id == before.id).values(**values, **sums))
        return
    connection.execute(
        insert(_gaps).values(
            hall=hall,
            name=name,
            first=loss.first,
            last=loss.last,
            from_at=loss.from_at,
            to_at=loss.to_at,
            dropped=loss.dropped,
            bytes=loss.bytes,
        )
    )
