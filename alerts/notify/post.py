"""One POST to a service outside: guarded address, no redirect, bounded answer, and how far the request came.

Webhook and robots stand on it. What a status or a body means is theirs; what a silence means is said here, since it
does not depend on the service: a request that has left may have been taken.
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Final

import aiohttp

from alerts.notify.guard import PrivateAddressError, socket_factory
from alerts.notify.sender import Answer, Never, Sent, TryAgain, Unknown

LOG = logging.getLogger(__name__)
RETRY_AFTER_MAX_S: Final = 60.0
BODY_MAX: Final = 65_536
# A connection that the service has closed meanwhile would swallow a message without a word: keep it for a burst only.
KEEPALIVE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `body` is empty where it was not asked for, and one byte above `BODY_MAX` where it is longer."""

    status: int
    retry_after: str
    body: bytes


class Poster:
    """POSTs for one channel; made by `open_poster`."""

    def __init__(self, channel: str, session: aiohttp.ClientSession) -> None:
        """`channel` is its id, for the log. The address is not: it may hold a key."""
        self._channel = channel
        self._session = session

    async def post(self, url: str, body: bytes, headers: dict[str, str], *, read_below: int) -> Reply | Answer:
        """POST once; the body is read where the status is below `read_below`. An `Answer` where there is no reply."""
        way = _Way()
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=way
            ) as response:
                wanted = response.status < read_below
                said = await _body_of(response) if wanted else b""
                return Reply(response.status, response.headers.get("Retry-After", ""), said)
        except TimeoutError:
            return way.failed("timeout")
        except aiohttp.ClientConnectorError as error:
            return _unreachable(error)
        except aiohttp.InvalidURL:
            return Never("bad_url")
        except (aiohttp.ClientError, OSError) as error:
            LOG.info("channel %s: %s", self._channel, type(error).__name__)
            return way.failed("network")


@asynccontextmanager
async def open_poster(channel: str, timeout_s: float, *, allow_private: bool) -> AsyncIterator[Poster]:
    """Open one channel's connections."""
    # ceil_threshold: without it aiohttp rounds time-outs above 5 s up to whole seconds.
    timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(timeout_s, 4), ceil_threshold=60)
    # No limit here: the sending loop has one for each lane, and a common one would let routine block life safety.
    connector = aiohttp.TCPConnector(
        limit=0,
        socket_factory=socket_factory(allow_private=allow_private),
        ttl_dns_cache=30,
        keepalive_timeout=KEEPALIVE_S,
    )
    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(_on_left)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": "hallwatch", "Accept-Encoding": "identity", "Content-Type": "application/json"},
        trace_configs=[tracing],
    ) as session:
        yield Poster(channel, session)


def judge_status(reply: Reply, now: int) -> Answer:
    """What the status alone says; `now` (ms since the epoch) is what a date in Retry-After is measured by."""
    status = reply.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Sent()
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return TryAgain(f"http_{status}", _wait_s(reply.retry_after, now))
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        # A proxy gave it to the service, and that did not answer in time (RFC 9110 §15.6.5).
        return Unknown("http_504")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return TryAgain(f"http_{status}")
    return Never(f"http_{status}")


def field_of(body: bytes, path: str) -> bool | int | str | None:
    """One value of a JSON body, inner fields after dots. None where the body is no service's own (a proxy's page)."""
    try:
        value = json.loads(body) if len(body) <= BODY_MAX else None
    except (ValueError, RecursionError):
        value = None
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, bool | int | str) else None


@dataclass(slots=True)
class _Way:
    """How far one request came. From its first byte on nobody knows what the service has made of it."""

    left: bool = False

    def failed(self, error: str) -> Answer:
        return Unknown(error) if self.left else TryAgain(error)


async def _on_left(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    way: _Way = context.trace_request_ctx
    way.left = True


async def _body_of(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut one byte above its limit."""
    body = bytearray()
    while len(body) <= BODY_MAX and (part := await response.content.read(BODY_MAX + 1 - len(body))):
        body += part
    return bytes(body)


def _wait_s(retry_after: str, now: int) -> float:
    """What `Retry-After` asks for (RFC 9110 §10.2.3: seconds or a date), at most a minute."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:6]), RETRY_AFTER_MAX_S)
    try:
        seconds = parsedate_to_datetime(retry_after).timestamp() - now / 1000
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def _unreachable(error: aiohttp.ClientConnectorError) -> Answer:
    if isinstance(error.os_error, PrivateAddressError):
        return Never("private_address")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return TryAgain("dns")
    return TryAgain("tls" if isinstance(error, aiohttp.ClientSSLError) else "network")
