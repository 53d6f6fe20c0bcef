"""The webhook channel: one POST of JSON, signed, to an address outside that is not trusted either.

The signature is HMAC-SHA256 over "<unix seconds>.<body>", so a receiver can refuse what was changed and what is
old. Of the answer the status counts; its body is read, up to 64 KiB, only where the site says by `accept` what it must
hold: chat robots answer 200 while they refuse. `docs/notify.md` tells a receiver how to check.
"""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Final

import aiohttp
from pydantic import SecretStr

from alerts.model import Message
from alerts.notify.guard import PrivateAddressError, socket_factory
from alerts.notify.secret import read_secret
from alerts.notify.sender import Answer, Never, Sent, Text, TryAgain, Unknown
from sensors.site.model import Accept, WebhookChannel

LOG = logging.getLogger(__name__)
RETRY_AFTER_MAX_S: Final = 60.0
BODY_MAX: Final = 65_536
# A connection that the service has closed meanwhile would swallow a message without a word: keep it for a burst only.
KEEPALIVE_S: Final = 2.0
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,24}")


def sign(secret: SecretStr, body: bytes, at: int) -> str:
    """The value of `X-Hallwatch-Signature` for a body sent at `at` (ms since the epoch)."""
    seconds = at // 1000
    digest = hmac.new(secret.get_secret_value().encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


class WebhookSender:
    """POSTs messages to one address; made by `open_webhook`."""

    def __init__(
        self, channel: WebhookChannel, session: aiohttp.ClientSession, secret: SecretStr | None, now: Callable[[], int]
    ) -> None:
        """`now` (ms since the epoch) dates the signature."""
        self._channel = channel
        self._session = session
        self._secret = secret
        self._now = now

    async def send(self, message: Message, text: Text) -> Answer:
        """POST once. The sort of failure decides whether to try again."""
        body = _body(message, text)
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Idempotency-Key": f"{message.hall}/{message.id}",
        }
        if self._secret is not None:
            headers["X-Hallwatch-Signature"] = sign(self._secret, body, self._now())
        way = _Way()
        try:
            async with self._session.post(
                self._channel.url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=way
            ) as response:
                answer = _judge(response.status, response.headers.get("Retry-After", ""), self._now())
                if isinstance(answer, Sent) and self._channel.accept is not None:
                    return _read(self._channel.accept, await _body_of(response))
                return answer
        except TimeoutError:
            return way.failed("timeout")
        except aiohttp.ClientConnectorError as error:
            return _unreachable(error)
        except aiohttp.InvalidURL:
            return Never("bad_url")
        except (aiohttp.ClientError, OSError) as error:
            LOG.info("webhook %s: %s", self._channel.id, type(error).__name__)
            return way.failed("network")


@dataclass(slots=True)
class _Way:
    """How far one request came. From its first byte on nobody knows what the service has made of it."""

    left: bool = False

    def failed(self, error: str) -> Answer:
        return Unknown(error) if self.left else TryAgain(error)


async def _on_left(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    way: _Way = context.trace_request_ctx
    way.left = True


@asynccontextmanager
async def open_webhook(channel: WebhookChannel, now: Callable[[], int]) -> AsyncIterator[WebhookSender]:
    """Open the channel's connections; raises `SecretMissingError`."""
    secret = read_secret(channel.secret) if channel.secret is not None else None
    # ceil_threshold: without it aiohttp rounds time-outs above 5 s up to whole seconds.
    timeout = aiohttp.ClientTimeout(total=channel.timeout_s, connect=min(channel.timeout_s, 4), ceil_threshold=60)
    # No limit here: the sending loop has one for each lane, and a common one would let routine block life safety.
    connector = aiohttp.TCPConnector(
        limit=0,
        socket_factory=socket_factory(allow_private=channel.allow_private),
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
        headers={"User-Agent": "hallwatch"},
        trace_configs=[tracing],
    ) as session:
        yield WebhookSender(channel, session, secret, now)


def _body(message: Message, text: Text) -> bytes:
    content = {
        "id": message.id,
        "hall": message.hall,
        "about": message.about,
        "lane": message.lane.value,
        "code": message.note.code,
        "to": message.address,
        "created": message.created,
        "attempt": message.attempts,
        "drill": message.drill,
        "possible_duplicate": message.duplicate,
        "unwritten": message.unwritten,
        "title": {"zh": text.title_zh, "en": text.title_en},
        "body": {"zh": text.body_zh, "en": text.body_en},
        "tail": {"zh": text.tail_zh, "en": text.tail_en},
        "text": "\n".join(text.lines()),
        "acknowledge": text.link,
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _judge(status: int, retry_after: str, now: int) -> Answer:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Sent()
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return TryAgain(f"http_{status}", _wait_s(retry_after, now))
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        # A proxy gave it to the service, and that did not answer in time (RFC 9110 §15.6.5).
        return Unknown("http_504")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return TryAgain(f"http_{status}")
    return Never(f"http_{status}")


async def _body_of(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut one byte above its limit."""
    body = bytearray()
    while len(body) <= BODY_MAX and (part := await response.content.read(BODY_MAX + 1 - len(body))):
        body += part
    return bytes(body)


def _read(accept: Accept, body: bytes) -> Answer:
    """What the service says in its body. A body that is none of its own (a proxy's page) says nothing."""
    try:
        value = json.loads(body) if len(body) <= BODY_MAX else None
    except (ValueError, RecursionError):
        value = None
    for name in accept.field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict | list | float):
        return Unknown("answer_unreadable")
    if _same(value, accept.equals):
        return Sent()
    said = str(value)
    error = f"answer_{said}" if _PLAIN.fullmatch(said) else "answer_refused"
    return TryAgain(error) if any(_same(value, one) for one in accept.retry) else Never(error)


def _same(said: object, wanted: object) -> bool:
    # In Python True is 1; in an answer it is not.
    return type(said) is type(wanted) and said == wanted


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
