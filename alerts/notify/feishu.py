r"""Feishu's (飞书) custom robot: a card with a button, which mentions an open_id or a user_id.

Its signature (签名校验) is the base64 of HMAC-SHA256 with "<unix s>\n<key>" as the key over nothing, in the body.
Bounds: 100 messages a minute and 5 a second, 20 KB. 11232 and 9499 "too many request" (with HTTP 400): not now; 9499
else: a form that is refused; 19001, 19021, 19022, 19024: address, signature, network, keyword (自定义机器人使用指南).
"""

import base64
import hashlib
import hmac
from typing import Final

from alerts.model import Lane, Message
from alerts.notify.robot import Content, Dialect, answer_of, body_of, cut, fit, not_now, tail_of
from alerts.notify.sender import Text

# With title and tail half of what it takes: a letter that JSON must escape is two.
TEXT_MAX: Final = 7000
_TAIL_MAX: Final = 1000
_TITLE_MAX: Final = 300


def compose(message: Message, text: Text, to: str) -> Content:
    """The body of the POST."""
    middle = fit(f"<at id={to}></at>" if to else "", body_of(text), "", TEXT_MAX).strip()
    elements: list[Content] = [{"tag": "div", "text": {"tag": "lark_md", "content": middle}}]
    for words, link in answer_of(text).items():
        button = {"tag": "button", "type": "primary", "text": {"tag": "plain_text", "content": words}, "url": link}
        elements.append({"tag": "action", "actions": [button]})
    note = {"tag": "plain_text", "content": cut(tail_of(text), _TAIL_MAX)}
    elements.append({"tag": "note", "elements": [note]})
    colour = "red" if message.lane is Lane.LIFE_SAFETY else "orange"
    title = {"tag": "plain_text", "content": cut(text.title_zh, _TITLE_MAX)}
    card: Content = {
        "config": {"wide_screen_mode": True},
        "header": {"template": colour, "title": title},
        "elements": elements,
    }
    return {"msg_type": "interactive", "card": card}


def sign(url: str, content: Content, key: str, at: int) -> tuple[str, Content]:
    """Put instant (ms since the epoch, sent in s) and signature into the body."""
    seconds = at // 1000
    digest = hmac.new(f"{seconds}\n{key}".encode(), b"", hashlib.sha256).digest()
    return url, {"timestamp": str(seconds), "sign": base64.b64encode(digest).decode(), **content}


FEISHU: Final = Dialect(
    code="code",
    words="msg",
    not_now=not_now(11232, 99991400),
    pause_s=5,
    per_minute=100,
    compose=compose,
    sign=sign,
)
