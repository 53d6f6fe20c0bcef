"""Asks InfluxDB for history, in InfluxQL over HTTP, which every generation of it speaks."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from gateway.history.contract import (
    MOST_SAMPLES,
    Asked,
    HistoryDownError,
    How,
    QuestionError,
    Sample,
    Spread,
    check_spread,
    check_windows,
)
from gateway.influx.line import tag_text, untagged

TIMEOUT: Final = ClientTimeout(total=10)
_NS: Final = 1_000_000


class _Series(msgspec.Struct):
    tags: dict[str, str] = {}
    values: list[list[int | float | str | None]] = []


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""
    message: str = ""


_ANSWER: Final = msgspec.json.Decoder(_Answer)


class InfluxHistory:
    """Answers questions from one bucket. `token` needs to read it."""

    def __init__(self, session: ClientSession, url: str, bucket: str, token: str) -> None:
        self._session = session
        self._url = f"{url.rstrip('/')}/query"
        self._bucket = bucket
        self._token = token
        self._headers = {"Authorization": f"Token {token}"}

    async def range(self, asked: Asked, start: int, end: int, limit: int = MOST_SAMPLES) -> Sequence[Sample]:
        """The first `limit` values of a stretch of time, in order."""
        where = _where(asked, start, end)
        return await self._values(f"{_values(asked)} WHERE {where} ORDER BY time LIMIT {limit:d}")

    async def latest(self, asked: Asked, before: int) -> Sample | None:
        """The newest value before an instant."""
        found = await self._values(f"{_values(asked)} WHERE {_where(asked, None, before)} ORDER BY time DESC LIMIT 1")
        return found[0] if found else None

    async def aggregate(self, asked: Asked, start: int, end: int, every_ms: int, how: How) -> Sequence[Sample]:
        """One value for each `every_ms` from `start` on; a stretch without values has none."""
        check_windows(start, end, every_ms)
        # InfluxDB's windows begin at multiples of their width; the offset moves the first one to `start`.
        windows = f"time({every_ms:d}ms, {start % every_ms:d}ms)"
        folded = f"{how.upper()}({_name(asked.field)})"
        where = _where(asked, start, end)
        rows = await self._rows(f"{_select(asked, folded)} WHERE {where} GROUP BY {windows} fill(none)")
        return [Sample(int(at) // _NS, _value(value)) for at, value in rows if at is not None and value is not None]

    async def spread(self, asked: Asked, start: int, end: int, every_ms: int) -> Sequence[Spread]:
        """For each `every_ms` from `start` on and each device that gave numbers in it: mean, lowest and highest."""
        check_spread(asked, start, end, every_ms)
        windows = f"time({every_ms:d}ms, {start % every_ms:d}ms), device"
        name = _name(asked.field)
        what = _select(asked, ", ".join(f"{how}({name})" for how in ("MEAN", "MIN", "MAX", "COUNT")))
        series = await self._series(f"{what} WHERE {_where(asked, start, end)} GROUP BY {windows} fill(none)")
        found = [
            Spread(
                int(at) // _NS, untagged(one.tags.get("device", "")), float(mean), float(low), float(high), int(count)
            )
            for one in series
            for at, mean, low, high, count in one.values
            if at is not None and mean is not None and low is not None and high is not None and count
        ]
        return sorted(found, key=lambda one: (one.at, one.device))

    async def _values(self, query: str) -> list[Sample]:
        rows = await self._rows(query)
        return [
            Sample(int(at) // _NS, _value(value), untagged(str(device or "")))
            for at, value, device in rows
            if at is not None and value is not None
        ]

    async def _rows(self, query: str) -> list[list[int | float | str | None]]:
        return [row for one in await self._series(query) for row in one.values]

    async def _series(self, query: str) -> list[_Series]:
        form = {"db": self._bucket, "epoch": "ns", "q": query}
        try:
            async with self._session.post(self._url, data=form, headers=self._headers, timeout=TIMEOUT) as response:
                body = await response.read()
                status = response.status
            answer = _ANSWER.decode(body) if body.startswith(b"{") else _Answer(message=body.decode(errors="replace"))
        except (ClientError, OSError, TimeoutError, msgspec.DecodeError) as error:
            raise HistoryDownError(f"InfluxDB: {type(error).__name__} {error}".rstrip()) from error
        failure = answer.error or answer.message or next((one.error for one in answer.results if one.error), "")
        failure = failure.replace(self._token, "…")  # whatever answers there may repeat what it was sent
        if status != HTTPStatus.OK:
            raise HistoryDownError(f"InfluxDB {status}: {failure}"[:500])
        if failure:
            raise QuestionError("history_refused", failure[:500])
        return [one for result in answer.results for one in result.series]


def _select(asked: Asked, what: str) -> str:
    # Kinds, fields and functions are our own words; names that the site chooses stand only in `_where`, escaped.
    return f"SELECT {what} FROM {_name(asked.kind)}"  # noqa: S608


def _values(asked: Asked) -> str:
    return _select(asked, f"{_name(asked.field)}, device::tag")


def _where(asked: Asked, start: int | None, end: int) -> str:
    tags = [f"{_name(name)} = {_literal(tag_text(value))}" for name, value in asked.tags]
    if asked.devices:
        tags.append(f"({' OR '.join(f'device = {_literal(tag_text(one))}' for one in asked.devices)})")
    since = [] if start is None else [f"time >= {start * _NS:d}"]
    return " AND ".join([*tags, *since, f"time < {end * _NS:d}"])


def _name(text: str) -> str:
    # Kinds and fields are our own words; quoted because some of them are words of the language as well.
    return f'"{text}"'


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _value(value: float | str) -> float | str:
    return value if isinstance(value, str) else float(value)
