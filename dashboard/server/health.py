"""What a machine asks: does the process live (`/healthz`), may it be given work (`/readyz`).

Both say codes and hall ids, which the public page shows as well, and answer without a login.
"""

from collections.abc import Iterator
from http import HTTPStatus

from aiohttp import web

from dashboard.server.answers import Alive, Ready, Unready
from dashboard.server.ask import answer, desks_of
from dashboard.server.desk import HallDesk


async def healthz(request: web.Request) -> web.Response:
    """`GET /healthz`: 200 as long as the event loop turns; restart the process when it does not answer."""
    del request
    return answer(Alive("ok"))


async def readyz(request: web.Request) -> web.Response:
    """`GET /readyz`: 200 when every hall hears its broker and can write down what it hears, else 503 with reasons.

    It listens only after every hall's journal has been folded, so until then nobody answers at all.
    """
    reasons = tuple(reason for desk in desks_of(request) for reason in reasons_of(desk))
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return answer(Ready(not reasons, reasons), status)


def reasons_of(desk: HallDesk) -> Iterator[Unready]:
    """Why a hall is not ready: `link_down`, `not_subscribed` (each by lane), `store_stalled`, `store_silent`."""
    watched = desk.watch()
    for session in watched.sessions:
        if not session.up:
            yield Unready(desk.id, "link_down", lane=session.lane)
        elif not session.subscribed:
            yield Unready(desk.id, "not_subscribed", lane=session.lane)
    if desk.path.stalled_since is not None:
        yield Unready(desk.id, "store_stalled", since=desk.path.stalled_since)
    if not watched.store.answers:
        yield Unready(desk.id, "store_silent")
