"""The audit: a line for every write, refused ones too, and for every look at names. Never what was said or sent.

Before an answer goes out its line is written; a store that does not take it within a second holds nobody up, and the
line goes to the log instead. What is refused again and again, and a page that looks again and again, is one line.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Final

from aiohttp import web

from dashboard.server.accounts import NOBODY, Visitor
from dashboard.server.guard import OPEN, VISITOR, address_of
from dashboard.server.problem import Handler, problem_of
from dashboard.server.rights import Right
from dashboard.server.throttle import Few, Once
from gateway.store.audit import DONE, LOOK, Audit, Audited
from gateway.store.errors import StoreError

LOG = logging.getLogger(__name__)

REFUSALS_WITHIN_MS: Final = 60_000
LOOKS_WITHIN_MS: Final = 10 * 60_000
# By who has no login, a minute: everybody can send what is refused.
STRANGERS_MOST: Final = 60
STORE_LIMIT_S: Final = 1.0
ABOUT_LONGEST: Final = 200

NOTED = web.RequestKey("noted", tuple[str, str])
LOOKED = web.RequestKey("looked", str)


class Auditor:
    """Writes the audit's lines."""

    def __init__(self, audit: Audit, now: Callable[[], int]) -> None:
        """`now` is the real time, ms since the epoch."""
        self.lines = audit
        self._now = now
        self._refusals = Once(REFUSALS_WITHIN_MS)
        self._looks = Once(LOOKS_WITHIN_MS)
        self._strangers = Few(STRANGERS_MOST)

    async def wrote(self, request: web.Request, outcome: str) -> None:
        """A write has ended, one way or another."""
        line = self._line(request, outcome)
        if outcome != DONE:
            if not self._refusals.first((line.who, line.address, line.what, line.about, outcome), line.at):
                return
            if not line.who and not self._strangers.another(line.at):
                return
        await self._keep(line)

    async def looked(self, request: web.Request) -> None:
        """Somebody has been shown names of people, or what a person's badge has said."""
        asking = request.get(VISITOR, NOBODY)
        line = replace(self._line(request, LOOK), about=request.get(LOOKED, ""))
        if self._looks.first((line.who, asking.token, line.address, line.what, line.about), line.at):
            await self._keep(line)

    def _line(self, request: web.Request, outcome: str) -> Audited:
        what, about = request.get(NOTED, ("", ""))
        who = request.get(VISITOR, NOBODY).called
        # What somebody has tried may be no text of a store's; the line is kept all the same.
        about = "".join(one if one.isprintable() else "?" for one in about[:ABOUT_LONGEST])
        return Audited(self._now(), who, address_of(request), what or _route(request), about, outcome)

    async def _keep(self, line: Audited) -> None:
        try:
            async with asyncio.timeout(STORE_LIMIT_S):
                await self.lines.add(line)
        except (TimeoutError, StoreError) as error:
            LOG.warning("the audit could not be written (%s): %s", type(error).__name__, astuple(line))


AUDITOR = web.AppKey("auditor", Auditor)


def note(request: web.Request, what: str, about: str = "") -> None:
    """Say what a request does, in a word, and about what: an id, never what somebody has typed."""
    request[NOTED] = (what, about)


def came(request: web.Request, who: str) -> None:
    """Somebody has only now shown who it is: by a password, or a link."""
    request[VISITOR] = Visitor(who, who)


def seen(request: web.Request, about: str = "") -> None:
    """The answer will show names of people, or what badges have said (`about` that reader: its id)."""
    request[LOOKED] = about


async def looked(request: web.Request) -> None:
    """Write down that names are shown; where everybody may see them (a demo's invented ones) nobody asks who did."""
    if Right.NAMES not in request.app[OPEN]:
        await request.app[AUDITOR].looked(request)


@web.middleware
async def audited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write down what a request did, or that it was refused."""
    auditor = request.app[AUDITOR]
    writes = request.method not in {"GET", "HEAD", "OPTIONS"}
    try:
        response = await handler(request)
    except Exception as error:
        if writes:
            await auditor.wrote(request, problem_of(error).code)
        raise
    if writes or NOTED in request:
        await auditor.wrote(request, DONE if response.status < 400 else f"http_{response.status}")  # noqa: PLR2004
    if LOOKED in request:
        await looked(request)
    return response


def _route(request: web.Request) -> str:
    """The route's own words: what stands in its place may be a secret."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical[:64]
