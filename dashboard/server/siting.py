"""The site file, loaded anew on a person's word: what changed is answered, and so is every reason to refuse it."""

from dataclasses import asdict

from aiohttp import web

from dashboard.server.answers import Reloaded, SiteChange
from dashboard.server.ask import answer
from dashboard.server.audit import note
from dashboard.server.desk import HOUSE
from dashboard.server.guard import allowed
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Right
from gateway.pipeline import ClosedError
from gateway.store.errors import StoreError
from sensors.errors import HallwatchError


async def reload(request: web.Request) -> web.Response:
    """`POST /api/v1/site/reload`: read the site file again; answers with what changed when that is committed.

    422 with the reasons (for the file itself: line, key, value and mend) while it cannot be; the old one goes on.
    """
    note(request, "site.reload")
    actor = allowed(request, Right.DEVICE).actor
    reloading = request.app[HOUSE].reload
    if reloading is None:
        raise ProblemError(409, "no_site_file")
    try:
        changed = await reloading(actor)
    except (ProblemError, StoreError, ClosedError):
        # A store that fails, or our own end, is no fault of the file: the same may go well later.
        raise
    except HallwatchError as error:
        raise ProblemError(422, error.code, str(error)) from error
    changes = tuple(SiteChange(**asdict(change), text=str(change)) for change in changed.changes)
    return answer(Reloaded(changed.brief(), changes))
