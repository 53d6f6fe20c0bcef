"""How a request is read and answered: its hall, its body, its numbers. Shared by the rooms of the API."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from dashboard.server.audit import seen
from dashboard.server.desk import HOUSE, HallDesk
from dashboard.server.guard import rights_of
from dashboard.server.names import People
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from gateway.store.records import Before

PAGE: Final = 100
BODY_S: Final = 20.0
WORD_LONGEST: Final = 200
PAGE_MOST: Final = 500
# As JSON writes one: no spaces, no plus, no zeros before it, no digits of other scripts.
WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,15}")


def the_hall(request: web.Request) -> HallDesk:
    """The hall that a request is about: `?hall=ID`, else the first. Raises `ProblemError` 404."""
    desk = request.app[HOUSE].hall(request.query.get("hall"))
    if desk is None:
        raise ProblemError(404, "no_hall")
    return desk


def people_of(request: web.Request, desk: HallDesk) -> People:
    """Names, as far as this reader may see them; that they were shown is written down."""
    shown = Right.NAMES in rights_of(request)
    if shown:
        seen(request)
    return People(desk.site, shown=shown)


async def body_of(request: web.Request) -> bytes:
    """The body, which is JSON and comes in good time; raises `ProblemError` 400, 408 or 415."""
    if request.content_type != "application/json":
        raise ProblemError(415, "json_needed")
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
    except TimeoutError as error:
        raise ProblemError(408, "too_slow") from error
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "bad_json") from error
    return body


def answer(value: Any, status: int = 200) -> web.Response:  # noqa: ANN401 (whatever msgspec writes)
    """An answer in JSON."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def desks_of(request: web.Request) -> Sequence[HallDesk]:
    """All halls."""
    return tuple(request.app[HOUSE].halls.values())


def whole(request: web.Request, key: str, default: int | None, least: int, most: int) -> int:
    """A whole number of the query; raises `ProblemError` 400."""
    text = request.query.get(key)
    if text is None and default is not None:
        return default
    if text is None or not WHOLE.fullmatch(text):
        raise ProblemError(400, "bad_query", f"{key} is a whole number")
    value = int(text)
    if not least <= value <= most:
        raise ProblemError(400, "bad_query", f"{key} is between {least} and {most}")
    return value


def flag(request: web.Request, key: str) -> bool:
    """A wish of the query, 0 (also without it) or 1; raises `ProblemError` 400."""
    return one_of(request, key, ("0", "1")) == "1"


def one_of(request: web.Request, key: str, words: Sequence[str]) -> str:
    """One of some words of the query, the first of them without it; raises `ProblemError` 400."""
    word = request.query.get(key, words[0])
    if word not in words:
        raise ProblemError(400, "bad_query", f"{key} is one of {', '.join(words)}")
    return word


def word_of(request: web.Request, key: str) -> str | None:
    """A name or an id of the query, None without it; raises `ProblemError` 400 for what is none (no store takes it)."""
    word = request.query.get(key)
    if word is not None and (len(word) > WORD_LONGEST or "\x00" in word):
        raise ProblemError(400, "bad_query", f"{key} is a name or an id")
    return word


def id_of(request: web.Request) -> str | None:
    """The id in the address, None for what can be none."""
    found = request.match_info["id"]
    return found if found.isprintable() else None


def limit_of(request: web.Request) -> int:
    """How many rows are asked for."""
    return whole(request, "limit", PAGE, 1, PAGE_MOST)


def before_of(request: web.Request) -> Before | None:
    """Where the page before ended; raises `ProblemError` 400."""
    text = request.query.get("before")
    if text is None:
        return None
    at, comma, last = text.partition(",")
    good = at.isascii() and at.isdigit() and len(at) <= 16  # noqa: PLR2004 (digits of 2**53)
    if not comma or not good or not last.isprintable():
        raise ProblemError(400, "bad_query", "before is what the page before gave as next")
    return int(at), last
