"""Errors as problem details (RFC 9457) with stable codes: the page puts them into words of its language."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from aiohttp import web
from pydantic import ValidationError

from gateway.history.contract import QuestionError
from sensors.errors import HallwatchError, RefusedError

LOG = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BY_STATUS = {
    400: "bad_request",
    401: "login_needed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "json_needed",
}


class ProblemError(HallwatchError):
    """A request that is answered with a problem. `params` fill the page's sentence."""

    def __init__(self, status: int, code: str, detail: str = "", **params: str) -> None:
        super().__init__(detail or code)
        self.status = status
        self.code = code
        self.detail = detail
        self.params = params
        self.headers: dict[str, str] = {}


class Problem(msgspec.Struct, frozen=True):
    """A refusal (RFC 9457). `code` is stable and for programs; `detail` is for people; `params` fill its sentence."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    params: dict[str, str]


def problem(error: ProblemError) -> web.Response:
    """The answer for a problem."""
    title = HTTPStatus(error.status).phrase
    told = Problem("about:blank", title, error.status, error.code, error.detail, error.params)
    return web.Response(
        status=error.status,
        body=msgspec.json.encode(told),
        content_type="application/problem+json",
        headers=error.headers,
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn everything that goes wrong into a problem; what we did not foresee is logged and says no more than 500."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return problem(problem_of(error))
    except (HallwatchError, ValidationError) as error:
        return problem(problem_of(error))
    except Exception as error:
        LOG.exception("%s %s", request.method, request.path)
        return problem(problem_of(error))


def problem_of(error: Exception) -> ProblemError:
    """What is said of a failure: its status and code; what we did not foresee is 500 and no more."""
    match error:
        case web.HTTPException():
            found = ProblemError(error.status, _BY_STATUS.get(error.status, f"http_{error.status}"))
            if "Allow" in error.headers:  # without it a 405 tells nobody what would do (RFC 9110 §15.5.6)
                found.headers["Allow"] = error.headers["Allow"]
            return found
        case HallwatchError() | ValidationError():
            return _known(error)
        case _:
            return ProblemError(500, "internal")


def _known(error: HallwatchError | ValidationError) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case ValidationError():
            return ProblemError(400, "bad_action", told(error))
        case RefusedError():
            return ProblemError(409, error.code, **error.params)
        case QuestionError():
            return ProblemError(400, error.code, str(error))
        case _:
            LOG.warning("%s: %s", type(error).__name__, error)
            return ProblemError(503, error.code)


def told(error: ValidationError) -> str:
    """What is wrong with a body, for people: each place and its fault; what was sent is not repeated."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}" for fault in faults[:10])
