"""How far each history has got in the journal, and the points that a history refused.

A cursor is the index of the first input that has not been shipped. What is refused is put aside in the same
transaction that moves the cursor past it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, func, select

from gateway.history.points import Field, Point
from gateway.store import schema
from gateway.store.rows import storable
from gateway.store.statements import Insert
from gateway.store.worker import Worker

_FIELDS: Final = msgspec.json.Decoder(tuple[Field, ...])
_REFUSED: Final = ("hall", "cursor", "kind", "device", "ns", "index", "reason", "body")


@dataclass(frozen=True, slots=True)
class Refused:
    """A point that a history would not take, with the reason it gave."""

    point: Point
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A refused point as it was put aside."""

    kind: str
    device: str
    ns: int
    index: int
    reason: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A history and the index of the first input that it has not got."""

    name: str
    index: int


class Cursors:
    """Cursors and refused points of all halls."""

    def __init__(self, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader
        dialect = writer.dialect
        self._move = Insert(dialect, schema.cursors, ("hall", "name", "index"), replace=("hall", "name"))
        key = ("hall", "cursor", "kind", "device", "ns")
        self._refuse = Insert(dialect, schema.refused_points, _REFUSED, replace=key)

    async def get(self, hall: str, name: str) -> int:
        """Where a history stands; one that was not known is entered at the beginning, and held for from now on."""

        def fetch(connection: Connection) -> int:
            c = schema.cursors.c
            index = connection.scalar(select(c.index).where(c.hall == hall, c.name == name))
            if index is None:
                index = 0
                self._move(connection, [(hall, name, index)])
            return index

        return await self._writer.run(fetch)

    async def advance(self, hall: str, name: str, index: int, refused: Sequence[Refused] = ()) -> None:
        """Everything before `index` is shipped, but for what was refused."""

        def move(connection: Connection) -> None:
            self._move(connection, [(hall, name, index)])
            self._refuse(connection, [_row(hall, name, one) for one in refused])

        await self._writer.run_behind(move)

    async def all(self, hall: str) -> Sequence[Cursor]:
        """Every history that the journal is kept for."""
        c = schema.cursors.c
        query = select(c.name, c.index).where(c.hall == hall).order_by(c.name)
        return await self._reader.run(lambda connection: [Cursor(*row) for row in connection.execute(query)])

    async def forget(self, hall: str, name: str) -> None:
        """This history is no longer fed: the journal need not wait for it."""
        c = schema.cursors.c
        statement = delete(schema.cursors).where(c.hall == hall, c.name == name)
        await self._writer.execute(statement)

    async def refused(self, hall: str, name: str, limit: int = 100) -> Sequence[RefusedRow]:
        """The newest points that a history refused."""
        c = schema.refused_points.c
        query = (
            select(c.kind, c.device, c.ns, c.index, c.reason, c.body)
            .where(c.hall == hall, c.cursor == name)
            .order_by(c.index.desc())
            .limit(limit)
        )
        return await self._reader.run(
            lambda connection: [
                RefusedRow(*row[:5], fields=_FIELDS.decode(row.body)) for row in connection.execute(query)
            ]
        )

    async def refused_count(self, hall: str, name: str) -> int:
        """How many points a history has refused."""
        c = schema.refused_points.c
        query = select(func.count()).where(c.hall == hall, c.cursor == name)
        return await self._reader.run(lambda connection: connection.scalar(query) or 0)


def _row(hall: str, name: str, one: Refused) -> tuple[object, ...]:
    point = one.point
    body = msgspec.json.encode(point.fields).decode()
    return (hall, name, str(point.kind), storable(point.device), point.ns, point.index, storable(one.reason), body)
