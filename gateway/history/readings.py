"""The default history: the readings table beside the journal.

A series (kind, field, tags) has a number, a value is its series, its ns and a number or a text: rows are small and
lie in the order in which they are asked for. Written in short transactions by the one writer.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Double, Label, Select, bindparam, cast, func, insert, null, select

from gateway.history.contract import (
    MOST_SAMPLES,
    Asked,
    HistoryDownError,
    How,
    PointsRefusedError,
    Sample,
    Spread,
    check_spread,
    check_windows,
)
from gateway.history.points import Point
from gateway.store import schema
from gateway.store.errors import StoreError
from gateway.store.rows import storable
from gateway.store.statements import Insert
from gateway.store.worker import Worker

_series: Final = schema.series
_readings: Final = schema.readings
_NS: Final = 1_000_000
Fold = Callable[[ColumnElement[float]], ColumnElement[float]]
_FUNCTIONS: Final[dict[How, Fold]] = {
    How.MEAN: func.avg,
    How.MAX: func.max,
    How.MIN: func.min,
    How.SUM: func.sum,
}
# Up to so many windows of all series are asked for one by one; more of them cost more than a sort does.
WINDOWS_ONE_BY_ONE: Final = 2_000
_number_of: Final = _readings.c.number
_FOUR: Final = (func.avg(_number_of), func.min(_number_of), func.max(_number_of), func.count(_number_of))
_SERIES: Final = select(_series.c.id, _series.c.device)
_WINDOW: Final = select(*_FOUR).where(
    _readings.c.series == bindparam("id"), _readings.c.ns >= bindparam("first"), _readings.c.ns < bindparam("after")
)
# hall, kind, field, device, zone, window
Key = tuple[str, str, str, str, str, str]


class ReadingsSink:
    """Writes points into the readings table."""

    def __init__(self, writer: Worker) -> None:
        self._writer = writer
        self._numbers: dict[Key, int] = {}
        columns = ("series", "ns", "number", "text")
        self._insert = Insert(writer.dialect, _readings, columns, replace=("series", "ns"))

    async def write(self, points: Sequence[Point]) -> None:
        """Keep the points, in one transaction."""
        fresh: dict[Key, int] = {}

        def put(connection: Connection) -> None:
            self._insert(connection, [row for point in points for row in self._rows(connection, point, fresh)])

        try:
            await self._writer.run_behind(put)
        except StoreError as error:
            if error.transient:
                raise HistoryDownError(str(error)) from error
            raise PointsRefusedError(error.detail) from error
        # Only now: the numbers of a transaction that was undone are nobody's.
        self._numbers.update(fresh)

    def _rows(self, connection: Connection, point: Point, fresh: dict[Key, int]) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        for name, value in point.fields:
            key = (point.hall, str(point.kind), name, storable(point.device), point.zone, point.window)
            number = self._numbers.get(key) or fresh.get(key)
            if number is None:
                number = fresh[key] = _number(connection, key)
            text = storable(value) if isinstance(value, str) else None
            rows.append((number, point.ns, None if isinstance(value, str) else value, text))
        return rows


def _number(connection: Connection, key: Key) -> int:
    names = ("hall", "kind", "field", "device", "zone", "window")
    match = [_series.c[name] == value for name, value in zip(names, key, strict=True)]
    known: int | None = connection.scalar(select(_series.c.id).where(*match))
    if known is not None:
        return known
    made = connection.execute(insert(_series).values(dict(zip(names, key, strict=True))).returning(_series.c.id))
    return int(made.scalar_one())


class ReadingsHistory:
    """Answers questions from the readings table, on the reader's thread."""

    def __init__(self, reader: Worker) -> None:
        self._reader = reader

    async def range(self, asked: Asked, start: int, end: int, limit: int = MOST_SAMPLES) -> Sequence[Sample]:
        """The first `limit` values of a stretch of time, in order."""
        c = _readings.c
        query = (
            select(c.ns, c.number, c.text, _series.c.device)
            .join_from(_readings, _series, _series.c.id == c.series)
            .where(*_within(asked, start, end))
            .order_by(c.ns, _series.c.device)
            .limit(limit)
        )
        return await self._ask(query)

    async def latest(self, asked: Asked, before: int) -> Sample | None:
        """The newest value before an instant."""
        c = _readings.c
        # The newest of each series is one step into its index; a sort over all of them would read every value.
        newest = (
            select(func.max(c.ns)).where(c.series == _series.c.id, c.ns < before * _NS).scalar_subquery().label("ns")
        )
        each = select(_series.c.id, newest).where(*_matching(asked)).subquery()
        query = (
            select(c.ns, c.number, c.text, _series.c.device)
            .join_from(each, _readings, (c.series == each.c.id) & (c.ns == each.c.ns))
            .join(_series, _series.c.id == each.c.id)
            .order_by(c.ns.desc())
            .limit(1)
        )
        found = await self._ask(query)
        return found[0] if found else None

    async def aggregate(self, asked: Asked, start: int, end: int, every_ms: int, how: How) -> Sequence[Sample]:
        """One value for each `every_ms` from `start` on; a stretch without values has none."""
        check_windows(start, end, every_ms)
        place = ((_readings.c.ns - start * _NS) // (every_ms * _NS)).label("place")
        query = _last(asked, start, end, place) if how == How.LAST else _folded(asked, start, end, place, how)

        def fetch(connection: Connection) -> list[Sample]:
            return [
                Sample(start + number * every_ms, _value(value, text))
                for number, value, text in connection.execute(query)
            ]

        return await self._run(fetch)

    async def spread(self, asked: Asked, start: int, end: int, every_ms: int) -> Sequence[Spread]:
        """For each `every_ms` from `start` on and each device that gave numbers in it: mean, lowest and highest."""
        check_spread(asked, start, end, every_ms)
        windows = -(-(end - start) // every_ms)

        def fetch(connection: Connection) -> list[Spread]:
            found = [(row.id, row.device) for row in connection.execute(_SERIES.where(*_matching(asked)))]
            # A server is asked once: each question is a way there and back.
            if connection.dialect.name != "sqlite" or len(found) * windows > WINDOWS_ONE_BY_ONE:
                return _grouped(connection, asked, start, end, every_ms)
            return _one_by_one(connection, found, start, end, every_ms)

        try:
            return await self._reader.run(fetch)
        except StoreError as error:
            raise HistoryDownError(str(error)) from error

    async def _ask(self, query: Select[int, float | None, str | None, str]) -> list[Sample]:
        def fetch(connection: Connection) -> list[Sample]:
            return [
                Sample(ns // _NS, _value(number, text), device)
                for ns, number, text, device in connection.execute(query)
            ]

        return await self._run(fetch)

    async def _run(self, fetch: Callable[[Connection], list[Sample]]) -> list[Sample]:
        try:
            return await self._reader.run(fetch)
        except StoreError as error:
            raise HistoryDownError(str(error)) from error


def _value(number: float | None, text: str | None) -> float | str:
    return float(number) if number is not None else text or ""


def _matching(asked: Asked) -> list[ColumnElement[bool]]:
    tags = [_series.c[name] == value for name, value in asked.tags]
    if asked.devices:
        tags.append(_series.c.device.in_(asked.devices))
    return [_series.c.kind == str(asked.kind), _series.c.field == asked.field, *tags]


def _within(asked: Asked, start: int, end: int) -> list[ColumnElement[bool]]:
    return [*_matching(asked), _readings.c.ns >= start * _NS, _readings.c.ns < end * _NS]


def _one_by_one(
    connection: Connection, found: Sequence[tuple[int, str]], start: int, end: int, every_ms: int
) -> list[Spread]:
    """Each window is one step into the index and a walk along it: nothing is sorted, which halves the time."""
    made = []
    for at in range(start, end, every_ms):
        ends = {"first": at * _NS, "after": min(at + every_ms, end) * _NS}
        for number, device in found:
            mean, low, high, count = connection.execute(_WINDOW, {"id": number, **ends}).one()
            if count:
                made.append(Spread(at, device, mean, low, high, count))
    return _joined(made)


def _grouped(connection: Connection, asked: Asked, start: int, end: int, every_ms: int) -> list[Spread]:
    place = ((_readings.c.ns - start * _NS) // (every_ms * _NS)).label("place")
    query = (
        select(place, _series.c.device, *_FOUR)
        .join_from(_readings, _series, _series.c.id == _readings.c.series)
        .where(*_within(asked, start, end), _readings.c.number.is_not(None))
        .group_by(place, _series.c.device)
        .order_by(place, _series.c.device)
    )
    return [Spread(start + number * every_ms, *rest) for number, *rest in connection.execute(query)]


def _joined(spreads: Sequence[Spread]) -> list[Spread]:
    """One spread for each window and device: a device that was put elsewhere has two series."""
    made: dict[tuple[int, str], Spread] = {}
    for one in spreads:
        had = made.get((one.at, one.device))
        if had is not None:
            count = had.count + one.count
            mean = (had.mean * had.count + one.mean * one.count) / count
            one = Spread(one.at, one.device, mean, min(had.low, one.low), max(had.high, one.high), count)  # noqa: PLW2901
        made[one.at, one.device] = one
    return [made[key] for key in sorted(made)]


def _folded(asked: Asked, start: int, end: int, place: Label[int], how: How) -> Select[int, float | None, str | None]:
    numbers = _readings.c.number
    if how == How.COUNT:
        folded: ColumnElement[float] = cast(func.count(), Double)
        only: list[ColumnElement[bool]] = []
    else:
        folded = _FUNCTIONS[how](numbers)
        only = [numbers.is_not(None)]
    return (
        select(place, folded, null())
        .join_from(_readings, _series, _series.c.id == _readings.c.series)
        .where(*_within(asked, start, end), *only)
        .group_by(place)
        .order_by(place)
    )


def _last(asked: Asked, start: int, end: int, place: Label[int]) -> Select[int, float | None, str | None]:
    c = _readings.c
    rank = func.row_number().over(partition_by=place, order_by=c.ns.desc()).label("rank")
    ranked = (
        select(place, c.number, c.text, rank)
        .join_from(_readings, _series, _series.c.id == c.series)
        .where(*_within(asked, start, end))
        .subquery()
    )
    return select(ranked.c.place, ranked.c.number, ranked.c.text).where(ranked.c.rank == 1).order_by(ranked.c.place)
