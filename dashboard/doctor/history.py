"""InfluxDB as the shipper finds it: it answers, knows the token and the bucket, and gives back what it was given."""

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import aiohttp

from alerts.notify.secret import SecretMissingError, read_secret
from dashboard.doctor.clock import Heard, hear
from gateway.store.check import Finding, State, verdict
from sensors.site.model import Influx

LIMIT: Final = aiohttp.ClientTimeout(total=15)
MEASUREMENT: Final = "hallwatch_doctor"
# Below this, last week is gone when somebody compares with it.
SHORT_D: Final = 14
_DAY_S: Final = 86_400


async def history_findings(influx: Influx, clocks: list[Heard]) -> list[Finding]:
    """All of it; what its clock says is put into `clocks`."""
    try:
        token = read_secret(influx.token).get_secret_value()
    except SecretMissingError as error:
        return [Finding("influx_token", State.WRONG, str(error))]
    headers = {"Authorization": f"Token {token}"}
    try:
        async with aiohttp.ClientSession(influx.url, timeout=LIMIT, headers=headers) as session:
            return await _look(session, influx, clocks)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        said = f"{influx.url}: {type(error).__name__} {error}".replace(token, "…").rstrip()
        return [Finding("influx_reach", State.WRONG, said[:300])]


async def _look(session: aiohttp.ClientSession, influx: Influx, clocks: list[Heard]) -> list[Finding]:
    async with session.get("/health") as answer:
        clocks += hear("influx", answer)
        if answer.status != HTTPStatus.OK:
            return [Finding("influx_reach", State.WRONG, f"{influx.url}: HTTP {answer.status}")]
        version = dict(await answer.json(content_type=None)).get("version", "?")
    found = [Finding("influx_reach", State.OK, f"{influx.url}, {version}")]
    at = time.time_ns()
    line = f"{MEASUREMENT} at={at}i {at}"
    where = {"org": influx.org, "bucket": influx.bucket}
    async with session.post("/api/v2/write", params=where, data=line) as answer:
        match answer.status:
            case HTTPStatus.NO_CONTENT:
                found.append(Finding("influx_token", State.OK, "may write"))
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN as status:
                return [*found, Finding("influx_token", State.WRONG, f"HTTP {int(status)}")]
            case HTTPStatus.NOT_FOUND:
                return [*found, Finding("influx_bucket", State.WRONG, f"{influx.org}/{influx.bucket}")]
            case status:
                return [*found, Finding("influx_write", State.WRONG, f"HTTP {status}")]
    found.append(await _read_back(session, influx.bucket, at))
    found.append(await _retention(session, influx))
    # What was written is taken away again where the token may; else it stays one point.
    taken = {"start": "1970-01-01T00:00:00Z", "stop": datetime.fromtimestamp(at / 1e9 + 60, UTC).isoformat()}
    taken["predicate"] = f'_measurement="{MEASUREMENT}"'
    async with session.post("/api/v2/delete", params=where, json=taken):
        return found


async def _read_back(session: aiohttp.ClientSession, bucket: str, at: int) -> Finding:
    """A success status is no proof."""
    query = f'SELECT "at" FROM "{MEASUREMENT}" ORDER BY time DESC LIMIT 1'  # noqa: S608 (our own word)
    asked = {"db": bucket, "epoch": "ns", "q": query}
    async with session.post("/query", data=asked) as answer:
        text = await answer.text()
    return verdict("influx_write", "read back" if str(at) in text else "not read back", well=str(at) in text)


async def _retention(session: aiohttp.ClientSession, influx: Influx) -> Finding:
    async with session.get("/api/v2/buckets", params={"name": influx.bucket, "org": influx.org}) as answer:
        known = dict(await answer.json(content_type=None)).get("buckets") if answer.status == HTTPStatus.OK else None
    if not known:
        return Finding("influx_bucket", State.NOTE, "its retention cannot be seen with this token")
    days = [int(rule.get("everySeconds", 0)) // _DAY_S for rule in known[0].get("retentionRules", [])]
    if not any(days):
        return Finding("influx_bucket", State.NOTE, f"{influx.bucket}: for ever")
    short = min(filter(None, days)) < SHORT_D
    return Finding("influx_bucket", State.WARN if short else State.OK, f"{influx.bucket}: {min(days)} d")
