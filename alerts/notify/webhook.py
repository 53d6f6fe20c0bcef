"""The webhook channel: one POST of JSON, signed, to an address outside that is not trusted either.

The signature is HMAC-SHA256 over "<unix seconds>.<body>", so a receiver can refuse what was changed and what is
old. Of the answer the status counts; its body is read, up to 64 KiB, only where the site says by `accept` what it must
hold. `docs/notify.md` tells a receiver how to check.
"""

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from pydantic import SecretStr

from alerts.model import Message
from alerts.notify.post import Poster, Reply, field_of, judge_status, open_poster
from alerts.notify.secret import read_secret
from alerts.notify.sender import Answer, Never, Sent, Text, TryAgain, Unknown
from sensors.site.model import Accept, WebhookChannel

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,24}")


def sign(secret: SecretStr, body: bytes, at: int) -> str:
    """The value of `X-Hallwatch-Signature` for a body sent at `at` (ms since the epoch)."""
    seconds = at // 1000
    digest = hmac.new(secret.get_secret_value().encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


class WebhookSender:
    """POSTs messages to one address; made by `open_webhook`."""

    def __init__(
        self, channel: WebhookChannel, poster: Poster, secret: SecretStr | None, now: Callable[[], int]
    ) -> None:
        """`now` (ms since the epoch) dates the signature."""
        self._channel = channel
        self._poster = poster
        self._secret = secret
        self._now = now

    async def send(self, message: Message, text: Text) -> Answer:
        """POST once. The sort of failure decides whether to try again."""
        body = _body(message, text)
        headers = {"Idempotency-Key": f"{message.hall}/{message.id}"}
        if self._secret is not None:
            headers["X-Hallwatch-Signature"] = sign(self._secret, body, self._now())
        accept = self._channel.accept
        read_below = 0 if accept is None else HTTPStatus.MULTIPLE_CHOICES
        reply = await self._poster.post(self._channel.url, body, headers, read_below=read_below)
        if not isinstance(reply, Reply):
            return reply
        answer = judge_status(reply, self._now())
        return _read(accept, reply.body) if isinstance(answer, Sent) and accept is not None else answer


@asynccontextmanager
async def open_webhook(channel: WebhookChannel, now: Callable[[], int]) -> AsyncIterator[WebhookSender]:
    """Open the channel's connections; raises `SecretMissingError`."""
    secret = read_secret(channel.secret) if channel.secret is not None else None
    async with open_poster(channel.id, channel.timeout_s, allow_private=channel.allow_private) as poster:
        yield WebhookSender(channel, poster, secret, now)


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


def _read(accept: Accept, body: bytes) -> Answer:
    """What the service says in its body. A body that is none of its own says nothing."""
    value = field_of(body, accept.field)
    if value is None:
        return Unknown("answer_unreadable")
    if _same(value, accept.equals):
        return Sent()
    said = str(value)
    error = f"answer_{said}" if _PLAIN.fullmatch(said) else "answer_refused"
    return TryAgain(error) if any(_same(value, one) for one in accept.retry) else Never(error)


def _same(said: bool | int | str, wanted: bool | int | str) -> bool:
    """Whether two values are written alike. A site file's values are text, and only the text tells true from 1."""
    return _written(said) == _written(wanted)


def _written(value: bool | int | str) -> str:
    return value if isinstance(value, str) else json.dumps(value)
