"""WeCom's (企业微信) group robot: markdown that mentions a userid, or plain text for a mobile number.

Bounds: 20 messages a minute, markdown 4096 and text 2048 bytes of UTF-8. Markdown cannot mention a number, and a robot
has no signature: its address is the secret. 45009: too many a minute; -1: busy; 93000: no such robot; 40058: a form
that is refused (developer document 91770 and its list of codes).
"""

import re
from typing import Final

from alerts.model import Lane, Message
from alerts.notify.robot import Content, Dialect, answer_of, body_of, fit, not_now, tail_of
from alerts.notify.sender import Text

MARKDOWN_MAX: Final = 4096
TEXT_MAX: Final = 2048
_MOBILE: Final = re.compile(r"\+?\d{11,15}")


def compose(message: Message, text: Text, to: str) -> Content:
    """The body of the POST."""
    if _MOBILE.fullmatch(to):
        lines = [text.title_zh, *(f"{words}: {link}" for words, link in answer_of(text).items())]
        content = fit("\n".join(lines), body_of(text), tail_of(text), TEXT_MAX)
        return {"msgtype": "text", "text": {"content": content, "mentioned_mobile_list": [to]}}
    colour = "warning" if message.lane is Lane.LIFE_SAFETY else "info"
    lines = [f'**<font color="{colour}">{text.title_zh}</font>**']
    lines += [f"<@{to}>"] if to else []
    lines += [f"[{words}]({link})" for words, link in answer_of(text).items()]
    quoted = "\n".join(f"> {line}" for line in tail_of(text).splitlines())
    return {
        "msgtype": "markdown",
        "markdown": {"content": fit("\n".join(lines), body_of(text), quoted, MARKDOWN_MAX)},
    }


WECOM: Final = Dialect(
    code="errcode", words="errmsg", not_now=not_now(45009), pause_s=30, per_minute=20, compose=compose
)
