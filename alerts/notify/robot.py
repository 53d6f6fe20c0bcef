"""Robots of group chats: one POST, whose answer's body says whether it was taken. HTTP 200 is not "sent".

What the three services share stands here: the pace that they bear, whom a message mentions, how a text is cut to
their limit and made harmless, and what an answer means. Each has a file beside this one with its own dialect.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from alerts.model import Lane, Message
from alerts.notify.post import Poster, Reply, field_of, judge_status, open_poster
from alerts.notify.secret import SecretMissingError, read_secret
from alerts.notify.sender import Answer, Never, Sent, Text, TryAgain, Unknown
from sensors.site.robots import Robot
from sensors.site.secret import Secret

Content = dict[str, object]
# The contact of a person who is not to be mentioned.
NOBODY: Final = "group"
# Who reads the robot's group sees it, and a robot whose security is a keyword (自定义关键词) is given this one.
KEYWORD: Final = "Hallwatch"
_MENTION: Final = re.compile(r"[A-Za-z0-9_.@+-]{1,64}")
# A name for everybody is no person's address; only a whole hall's plan may wake everybody, and that names them.
_EVERYBODY: Final = {"all", "@all"}
# What a service says when its code is one that nobody has written down. A wrong guess costs a few tries.
_BUSY_WORDS: Final = re.compile(r"too (many|fast)|freq|rate.?limit|system busy|频繁|限流|系统繁忙", re.IGNORECASE)
_CODE_MAX: Final = 10**9
# Letters that mark up, mention or link, as letters that only look like them: device text is text.
_HARMLESS: Final = str.maketrans("<>[]*`", "＜＞［］＊｀")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One service: where its answer's code stands (0 is taken), which codes mean not now, its pace and its forms.

    `compose` makes the content from a message, its text and whom to mention ("" for nobody). `sign` gives address and
    content with the signature, from address, content, key and instant (ms since the epoch).
    """

    code: str
    words: str
    not_now: frozenset[int]
    pause_s: float
    per_minute: int
    compose: Callable[[Message, Text, str], Content]
    sign: Callable[[str, Content, str, int], tuple[str, Content]] | None = None

    def read(self, body: bytes) -> Answer:
        """What an answer's body says."""
        code = field_of(body, self.code)
        if not isinstance(code, int) or isinstance(code, bool):
            return Unknown("answer_unreadable")
        if code == 0:
            return Sent()
        error = f"answer_{code}" if abs(code) < _CODE_MAX else "answer_refused"
        if code in self.not_now or _BUSY_WORDS.search(str(field_of(body, self.words) or "")):
            return TryAgain(error, self.pause_s)
        return Never(error)


class Pace:
    """Keeps routine messages below what a service bears: beyond it, it is silent for minutes, for life safety too.

    A quarter of a minute's allowance may go at once, a half of it evenly; the last quarter is never routine's.
    """

    def __init__(self, per_minute: int) -> None:
        self._apart_s = 120 / per_minute
        self._at_once_s = self._apart_s * (per_minute // 4 - 1)
        self._full_at = 0.0

    def take(self, now_s: float, *, urgent: bool) -> float:
        """Count one message; returns how long it waits (s): life safety never does."""
        wait_s = self._full_at - self._at_once_s - now_s
        # What life safety has used above its share is not held against the routine for ever.
        self._full_at = min(max(self._full_at, now_s) + self._apart_s, now_s + self._at_once_s + 2 * self._apart_s)
        return 0.0 if urgent else max(0.0, wait_s)


class RobotSender:
    """Sends to one group; made by `open_robot`."""

    def __init__(
        self, channel: Robot, dialect: Dialect, poster: Poster, url: str, key: str | None, now: Callable[[], int]
    ) -> None:
        """`key` signs; `now` (ms since the epoch) dates the signature."""
        self._channel = channel
        self._dialect = dialect
        self._poster = poster
        self._url = url
        self._key = key
        self._now = now
        self._pace = Pace(dialect.per_minute)

    async def send(self, message: Message, text: Text) -> Answer:
        """POST once."""
        urgent = message.lane is Lane.LIFE_SAFETY
        await asyncio.sleep(self._pace.take(asyncio.get_running_loop().time(), urgent=urgent))
        dialect = self._dialect
        shown = harmless(text if self._channel.link else replace(text, link=None))
        url, content = self._url, dialect.compose(message, shown, mentioned(message.address))
        if dialect.sign is not None and self._key is not None:
            url, content = dialect.sign(url, content, self._key, self._now())
        body = json.dumps(content, ensure_ascii=False).encode()
        reply = await self._poster.post(url, body, {}, read_below=HTTPStatus.INTERNAL_SERVER_ERROR)
        return self._judge(reply) if isinstance(reply, Reply) else reply

    def _judge(self, reply: Reply) -> Answer:
        """The body first: Feishu says "too many" with 400. Without a body of its own, a refusal is the status's."""
        said = self._dialect.read(reply.body)
        by_status = judge_status(reply, self._now())
        if isinstance(by_status, Sent) or (isinstance(by_status, Never) and isinstance(said, TryAgain | Never)):
            return said
        return by_status


@asynccontextmanager
async def open_robot(
    channel: Robot, dialect: Dialect, secret: Secret | None, now: Callable[[], int]
) -> AsyncIterator[RobotSender]:
    """Open the channel's connections; raises `SecretMissingError`, for an address that is none as well."""
    url = read_secret(channel.url).get_secret_value().strip()
    if not url.startswith(("https://", "http://") if channel.allow_private else "https://"):
        raise SecretMissingError(f"the robot address of channel {channel.id} does not begin with https://")
    key = read_secret(secret).get_secret_value() if secret is not None else None
    async with open_poster(channel.id, channel.timeout_s, allow_private=channel.allow_private) as poster:
        yield RobotSender(channel, dialect, poster, url, key, now)


def mentioned(address: str) -> str:
    """Whom a contact's address mentions; "" for nobody."""
    named = address != NOBODY and address not in _EVERYBODY and _MENTION.fullmatch(address)
    return address if named else ""


def harmless(text: Text) -> Text:
    """The text with nothing in it that marks up or mentions; the link is ours and stays."""
    parts = ("title_zh", "title_en", "body_zh", "body_en", "tail_zh", "tail_en")
    return replace(text, **{part: getattr(text, part).translate(_HARMLESS) for part in parts})


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8, with an ellipsis where something was cut."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    return raw[: max(0, limit - 3)].decode(errors="ignore") + "…"


def fit(head: str, middle: str, end: str, limit: int) -> str:
    """Three paragraphs in at most `limit` bytes: what it is and how to answer stays, the middle is cut first."""
    room = limit - len(f"{head}\n\n{end}".encode())
    return cut("\n".join((head, cut(middle, max(room, 3)), end)), limit)


def body_of(text: Text) -> str:
    """Both languages, Chinese first, without the Chinese title."""
    english = (text.title_en, text.body_en) if text.title_en != text.title_zh else ()
    return "\n".join(filter(None, (text.body_zh, "", *english))).strip()


def tail_of(text: Text) -> str:
    """By what a person tells two messages apart, and who says it."""
    return f"{text.tail_zh}\n{text.tail_en} · {KEYWORD}"


def not_now(*codes: int) -> frozenset[int]:
    """Codes by which a service says "not now"; -1 is every service's "busy"."""
    return frozenset((-1, *codes))


def answer_of(text: Text) -> Mapping[str, str]:
    """The words of the link and where it leads; empty where there is none."""
    return {} if text.link is None else {"确认收到 / Acknowledge": text.link}
