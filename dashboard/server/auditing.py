"""The audit, as an admin or a manager reads it."""

from dataclasses import asdict

from aiohttp import web

from dashboard.server.answers import AuditLine, Listed
from dashboard.server.ask import answer, limit_of, whole, word_of
from dashboard.server.audit import AUDITOR
from dashboard.server.guard import allowed
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from gateway.store.audit import Asked, Sort


async def audit(request: web.Request) -> web.Response:
    """`GET /api/v1/audit`: who wrote what and who looked at names, newest first.

    `?who=` for one login's lines (empty: nobody known), `?about=` for those about one thing, `?sort=` for write, look
    or refused, `?since=` and `?until=` for a range of time (ms).
    """
    allowed(request, Right.AUDIT)
    limit, before = limit_of(request), whole(request, "before", 2**53, 0, 2**53)
    lines = await request.app[AUDITOR].lines.page(_asked(request), before=before, limit=limit)
    items = tuple(AuditLine(number, **asdict(line)) for number, line in lines)
    return answer(Listed(items, str(lines[-1][0]) if len(lines) == limit else None))


def _asked(request: web.Request) -> Asked:
    who, about, sort = word_of(request, "who"), word_of(request, "about"), request.query.get("sort")
    if sort is not None and sort not in set(Sort):
        raise ProblemError(400, "bad_query", "sort is write, look or refused")
    return Asked(who, about, None if sort is None else Sort(sort), _at(request, "since"), _at(request, "until"))


def _at(request: web.Request, key: str) -> int | None:
    return whole(request, key, None, 0, 2**53) if key in request.query else None
