"""Writes points to InfluxDB (1.8, 2, 3) by its v2 write API."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import ClientError
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.client.write_api_async import WriteApiAsync
from influxdb_client.rest import ApiException

from gateway.history.contract import HistoryDownError, PointsRefusedError
from gateway.history.points import Point
from gateway.influx.line import line

TIMEOUT_MS: Final = 10_000
LINES_AT_ONCE: Final = 200
# Bad request, too large, cannot be processed (a type conflict, beyond retention): these points are refused.
# Every other failure (also a token or a bucket that is wrong) is the store's and not the data's.
_REFUSING: Final = (400, 413, 422)


class InfluxSink:
    """One bucket of one server."""

    def __init__(self, api: WriteApiAsync, bucket: str, token: str) -> None:
        self._api = api
        self._token = token
        self._bucket = bucket

    async def write(self, points: Sequence[Point]) -> None:
        """Keep the points; a point that is written again replaces itself."""
        record = await _lines(points)
        try:
            kept = await self._api.write(bucket=self._bucket, record=record)
        except ApiException as error:
            raise _failure(error, self._token) from None
        except (TimeoutError, ClientError, OSError) as error:
            raise HistoryDownError(f"InfluxDB: {type(error).__name__} {error}".rstrip()) from error
        # Only 204 (or 201) says that points are kept. A proxy, or a stranger on the port, may answer 200 to anything.
        if not kept:
            raise HistoryDownError(f"{self._bucket}: what answers there is no InfluxDB")


@asynccontextmanager
async def open_sink(url: str, org: str, bucket: str, token: str) -> AsyncIterator[InfluxSink]:
    """A sink into a bucket. Nothing is asked of the server yet: it may be away."""
    async with InfluxDBClientAsync(url, token, org=org, timeout=TIMEOUT_MS, enable_gzip=False) as client:
        yield InfluxSink(client.write_api(), bucket, token)


async def _lines(points: Sequence[Point]) -> str:
    made: list[str] = []
    for number, point in enumerate(points, 1):
        made.append(line(point))
        if number % LINES_AT_ONCE == 0:
            await asyncio.sleep(0)
    return "\n".join(made)


def _failure(error: ApiException, token: str) -> HistoryDownError | PointsRefusedError:
    words = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
    # Whatever answers there (a proxy, a page for developers) may repeat what it was sent.
    detail = f"InfluxDB {error.status}: {words or error.reason}".replace(token, "…")[:500]
    if error.status in _REFUSING:
        return PointsRefusedError(detail)
    headers: Mapping[str, str] = error.headers or {}
    wait = headers.get("Retry-After", "")
    return HistoryDownError(detail, float(wait) if wait.isdecimal() else 0.0)
