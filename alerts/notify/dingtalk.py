r"""DingTalk's (钉钉) custom robot: markdown that mentions a mobile number or a userid.

Its signature (加签) is the base64 of HMAC-SHA256 with the key over "<unix ms>\n<key>", in the address. Bounds: 20
messages a minute, and whoever sends more is not heard for ten; 20 000 bytes. 130101, 410100: too fast; 310000: the
signature, keyword or address is not the robot's; 400101, 400106: no such robot; 400102: stopped (自定义机器人接入).
"""

import base64
import hashlib
import hmac
import re
from typing import Final
from urllib.parse import urlencode

from alerts.model import Lane, Message
from alerts.notify.robot import Content, Dialect, answer_of, body_of, cut, fit, not_now, tail_of
from alerts.notify.sender import Text

# Half of what it takes: a letter that JSON must escape is two.
TEXT_MAX: Final = 9000
_TITLE_MAX: Final = 200
_MOBILE: Final = re.compile(r"\+?[\d-]{8,20}")


def compose(message: Message, text: Text, to: str) -> Content:
    """The body of the POST. Only a blank line begins a new line in its markdown."""
    mark = "🔴 " if message.lane is Lane.LIFE_SAFETY else ""
    lines = [f"### {mark}{text.title_zh}"]
    lines += [f"@{to}"] if to else []
    lines += [f"[{words}]({link})" for words, link in answer_of(text).items()]
    quoted = "\n".join(f"> {line}" for line in tail_of(text).splitlines())
    whole = fit("\n".join(lines), body_of(text), quoted, TEXT_MAX)
    at = {"atMobiles" if _MOBILE.fullmatch(to) else "atUserIds": [to]} if to else {}
    return {
        "msgtype": "markdown",
        "markdown": {"title": cut(mark + text.title_zh, _TITLE_MAX), "text": whole.replace("\n", "\n\n")},
        "at": {**at, "isAtAll": False},
    }


def sign(url: str, content: Content, key: str, at: int) -> tuple[str, Content]:
    """Put instant (ms since the epoch) and signature into the address."""
    digest = hmac.new(key.encode(), f"{at}\n{key}".encode(), hashlib.sha256).digest()
    proof = urlencode({"timestamp": at, "sign": base64.b64encode(digest).decode()})
    return f"{url}{'&' if '?' in url else '?'}{proof}", content


DINGTALK: Final = Dialect(
    code="errcode",
    words="errmsg",
    not_now=not_now(130101, 410100),
    pause_s=60,
    per_minute=20,
    compose=compose,
    sign=sign,
)
