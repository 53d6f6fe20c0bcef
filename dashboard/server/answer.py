"""The page behind a message's one-time link. Opening it (GET) shows and never acts; its button (POST) answers once.

It needs no login and no script, and works on any phone: the signed token is the proof.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from string import Template
from typing import Final

from aiohttp import web

from alerts.model import Message
from alerts.notify.links import LinkError, Links
from alerts.notify.sender import Text
from dashboard.server.audit import came, note
from dashboard.server.desk import HOUSE, HallDesk
from sensors.actions import AnswerMessage
from sensors.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Answering:
    """The links' signer, the words of a message, and the real time (ms since the epoch) by which links end."""

    links: Links
    words: Callable[[Message], Text]
    now: Callable[[], int]


ANSWERING = web.AppKey("answering", Answering)

STYLE: Final = """
body { font: 18px/1.5 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; margin: 0; color: #1b1f24;
  background: #f4f5f7; }
main { max-width: 34rem; margin: 8vh auto; padding: 1.5rem; background: #fff; border-radius: 12px; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; }
p { margin: .6rem 0; white-space: pre-line; }
.tail { color: #57606a; font-size: .85rem; }
button { font: inherit; font-weight: 600; width: 100%; padding: .9rem; border: 0; border-radius: 8px; color: #fff;
  background: #0b5cad; }
"""

_PAGE: Final = Template("""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>Hallwatch</title><link rel="icon" href="../icon.svg">
<link rel="stylesheet" href="style.css"></head>
<body><main>$content</main></body></html>
""")
_ASK: Final = Template("""<h1>$title_zh</h1><p>$body_zh</p><h1 lang="en">$title_en</h1><p lang="en">$body_en</p>
<form method="post"><button>确认收到 · Acknowledge</button></form><p class="tail">$tail_zh
$tail_en</p>""")
_SAID: Final = {
    "link_bad": ("这个链接无效。", "This link is not valid.", 404),
    "link_expired": ("这个链接已过期，请登录后处理。", "This link has expired; please log in.", 410),
    "answered": ("已确认，谢谢。", "Acknowledged, thank you.", 200),
    "already_answered": ("此前已经确认过，无需重复。", "This was already answered; nothing more to do.", 200),
    "refused": ("此事已结束或无法由此链接确认。", "This has ended, or cannot be answered by this link.", 409),
}


async def show(request: web.Request) -> web.Response:
    """`GET /a/{token}`: what the message says, and a button. Changes nothing, however often it is fetched."""
    try:
        _, message = await _find(request)
    except LinkError as error:
        return _said(error.code)
    if message.answered is not None:
        return _said("already_answered")
    text = request.app[ANSWERING].words(message)
    fields = ("title_zh", "title_en", "body_zh", "body_en", "tail_zh", "tail_en")
    return _html(_ASK.substitute({name: escape(getattr(text, name)) for name in fields}), 200)


async def answer(request: web.Request) -> web.Response:
    """`POST /a/{token}`: the person to whom the message went answers it."""
    note(request, "answer_message")
    try:
        desk, message = await _find(request)
    except LinkError as error:
        return _said(error.code)
    note(request, "answer_message", message.id)
    came(request, f"link:{message.person or ''}")
    if message.answered is not None:
        return _said("already_answered")
    try:
        await desk.path.act(message.person or "link", AnswerMessage(message.id))
    except RefusedError:
        # Two taps on the button, or answered on the page a moment ago; else what it is about has ended.
        kept = await desk.records.message(desk.id, message.id)
        return _said("refused" if kept is None or kept.answered is None else "already_answered")
    return _said("answered")


async def style(_: web.Request) -> web.Response:
    """`GET /a/style.css`."""
    return web.Response(text=STYLE, content_type="text/css")


async def _find(request: web.Request) -> tuple[HallDesk, Message]:
    answering = request.app[ANSWERING]
    link = answering.links.read(request.match_info["token"], answering.now())
    desk = request.app[HOUSE].hall(link.hall)
    if desk is None:
        raise LinkError("link_bad")
    message = desk.view.book.messages.get(link.message) or await desk.records.message(desk.id, link.message)
    if message is None:
        raise LinkError("link_bad")
    return desk, message


def _said(code: str) -> web.Response:
    zh, en, status = _SAID[code]
    return _html(f'<h1>{escape(zh)}</h1><p lang="en">{escape(en)}</p>', status)


def _html(content: str, status: int) -> web.Response:
    return web.Response(text=_PAGE.substitute(content=content), content_type="text/html", status=status)
