"""The quarantine, as people work on it: look, replay after the mend, discard."""

import base64
from typing import Final

from aiohttp import web

from dashboard.server.ask import answer, limit_of, the_hall, whole
from dashboard.server.desk import HallDesk
from dashboard.server.guard import known
from dashboard.server.problem import ProblemError
from gateway.store.contract import QuarantineRow
from sensors.errors import UndecodableError

PAYLOAD_SHOWN: Final = 2048


async def page(request: web.Request) -> web.Response:
    """`GET /api/v1/quarantine`: newest first. What a device sent may name people, so a login is needed."""
    known(request)
    desk, limit = the_hall(request), limit_of(request)
    before = whole(request, "before", 2**53, 0, 2**53)
    rows = await desk.quarantine.page(desk.id, state=request.query.get("state", "held"), before=before, limit=limit)
    return answer({"items": [_held(row) for row in rows], "next": str(rows[-1].id) if len(rows) == limit else None})


def _held(row: QuarantineRow) -> dict[str, object]:
    message = row.message
    shown = message.payload[:PAYLOAD_SHOWN]
    return {
        "id": row.id,
        "state": row.state,
        "at": message.at,
        "device": message.device,
        "topic": message.topic,
        "reason": message.reason,
        "detail": message.detail,
        "retained": message.retained,
        "length": message.length,
        "digest": message.digest,
        "text": shown.decode("utf-8", "replace"),
        "base64": base64.b64encode(shown).decode(),
    }


async def replay(request: web.Request) -> web.Response:
    """`POST /api/v1/quarantine/{id}/replay`: give it to the decoders again; 409 while they cannot read it."""
    desk, row = await _row(request)
    try:
        await desk.replay(row)
    except UndecodableError as error:
        raise ProblemError(409, error.reason, error.detail) from error
    return answer({"id": row.id, "state": "replayed"})


async def discard(request: web.Request) -> web.Response:
    """`POST /api/v1/quarantine/{id}/discard`: a person has looked; it is rubbish."""
    desk, row = await _row(request)
    if not await desk.quarantine.discard(desk.id, row.id):
        raise ProblemError(409, "not_held")
    return answer({"id": row.id, "state": "discarded"})


async def _row(request: web.Request) -> tuple[HallDesk, QuarantineRow]:
    known(request)
    desk = the_hall(request)
    row = await desk.quarantine.get(desk.id, int(request.match_info["id"]))
    if row is None:
        raise ProblemError(404, "not_found")
    if row.state != "held":
        raise ProblemError(409, "not_held")
    return desk, row
