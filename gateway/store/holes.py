"""Closes the holes of a journal that has lost something, so that the loss has a name, a place and a number.

The place of every input stays as it was given out: a position, and with it the time of a point, is never given twice.
A hole is one row that holds nothing but the passing of time; a gap's row says when it was, and how much it cost.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from gateway.store import schema
from gateway.store.contract import JournalRow
from gateway.store.witness import Seen
from sensors.inputs import Ticked, pack

NAME = "store_lost"


@dataclass(frozen=True, slots=True)
class Lost:
    """Inputs that were acknowledged and are not there any more; between which instants (ms)."""

    inputs: int
    from_at: int
    to_at: int


def close_holes(connection: Connection, hall: str, seen: Seen) -> Lost | None:
    """Find what the journal lacks, in its midst and at its end, and write it down."""
    holes = [*_within(connection, hall), *_behind(connection, hall, seen)]
    for first, count, from_at, to_at in holes:
        row = {"hall": hall, "index": first, "count": count, "at": from_at, "blob": pack([Ticked(from_at)])}
        connection.execute(insert(schema.journal).values(**row))
        _note(connection, hall, first, count, from_at, to_at)
    if not holes:
        return None
    return Lost(sum(hole[1] for hole in holes), min(hole[2] for hole in holes), max(hole[3] for hole in holes))


def blank(connection: Connection, hall: str, row: JournalRow) -> Lost:
    """A row that nobody can read becomes a hole of its length."""
    table = schema.journal
    mine = (table.c.hall == hall) & (table.c.index == row.index)
    connection.execute(update(table).where(mine).values(blob=pack([Ticked(row.at)])))
    _note(connection, hall, row.index, row.count, row.at, row.at)
    return Lost(row.count, row.at, row.at)


Hole = tuple[int, int, int, int]


def _within(connection: Connection, hall: str) -> list[Hole]:
    c = schema.journal.c
    before = func.lag(c.index + c.count).over(order_by=c.index)
    told = func.lag(c.at).over(order_by=c.index)
    rows = select(c.index, c.at, before.label("end"), told.label("told")).where(c.hall == hall).subquery()
    query = select(rows.c.end, rows.c.index - rows.c.end, rows.c.told, rows.c.at).where(rows.c.index > rows.c.end)
    # Rows that the disk budget has taken out are no loss: that stands as a gap already.
    gaps = schema.gaps.c
    named = connection.execute(select(gaps.first, gaps.last).where(gaps.hall == hall)).all()
    return [
        (end, count, from_at, to_at)
        for end, count, from_at, to_at in connection.execute(query)
        if not any(first <= end and end + count - 1 <= last for first, last in named)
    ]


def _behind(connection: Connection, hall: str, seen: Seen) -> list[Hole]:
    journal, snapshots, cursors = schema.journal.c, schema.snapshots.c, schema.cursors.c
    last = connection.execute(
        select(journal.index + journal.count, journal.at)
        .where(journal.hall == hall)
        .order_by(journal.index.desc())
        .limit(1)
    ).first()
    end, at = (0, seen.at) if last is None else (last[0], last[1])
    known = [
        seen.index,
        connection.scalar(select(func.max(snapshots.index)).where(snapshots.hall == hall)) or 0,
        connection.scalar(select(func.max(cursors.index)).where(cursors.hall == hall)) or 0,
    ]
    return [(end, max(known) - end, at, max(at, seen.at))] if max(known) > end else []


def _note(connection: Connection, hall: str, first: int, count: int, from_at: int, to_at: int) -> None:
    values = {"first": first, "last": first + count - 1, "from_at": from_at, "to_at": to_at}
    connection.execute(insert(schema.gaps).values(hall=hall, name=NAME, dropped=count, bytes=0, **values))
