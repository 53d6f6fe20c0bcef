"""The webhook channel: one POST of JSON, signed, to an address outside that is not trusted either.

The signature is HMAC-SHA256 over "<unix seconds>.<body>", so a receiver can refuse what was changed and what is
old. The answer's body is not read: a status is all that is asked of it. `docs/notify.md` tells a receiver how to check.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import aiohttp
from pydantic import SecretStr

from alerts.model import Message
from alerts.notify.guard import PrivateAddressError, socket_factory
from alerts.notify.secret import read_secret
from alerts.notify.sender import Answer, Never, Sent, Text, TryAgain
from sensors.site.model import WebhookChannel

LOG = logging.getLogger(__name__)
RETRY_AFTER_MAX_S = 60.0


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
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"{message.hall}/{message.id}"}
        if self._secret is not None:
            headers["X-Hallwatch-Signature"] = sign(self._secret, body, self._now())
        try:
            async with self._session.post(
                self._channel.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return _judge(response.status, response.headers.get("Retry-After", ""), self._now())
        except TimeoutError:
            return TryAgain("timeout")
        except aiohttp.ClientConnectorError as error:
            return _unreachable(error)
        except aiohttp.InvalidURL:
            return Never("bad_url")
        except (aiohttp.ClientError, OSError) as error:
            LOG.info("webhook %s: %s", self._channel.id, type(error).__name__)
            return TryAgain("network")


@asynccontextmanager
async def open_webhook(channel: WebhookChannel, now: Callable[[], int]) -> AsyncIterator[WebhookSender]:
    """Open the channel's connections; raises `SecretMissingError`."""
    secret = read_secret(channel.secret) if channel.secret is not None else None
    # ceil_threshold: without it aiohttp rounds time-outs above 5 s up to whole seconds.
    timeout = aiohttp.ClientTimeout(total=channel.timeout_s, connect=min(channel.timeout_s, 4), ceil_threshold=60)
    connector = aiohttp.TCPConnector(
        limit=8, socket_factory=socket_factory(allow_private=channel.allow_private), ttl_dns_cache=30
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": "hallwatch"},
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
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return TryAgain(f"http_{status}")
    return Never(f"http_{status}")


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
