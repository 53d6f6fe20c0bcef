"""The API's description (OpenAPI 3.1), made of the routes' table and of the types that the code reads and answers.

Served at `/api/v1/openapi.json`, to everybody: it holds nothing about a hall. A test has schemathesis hold a running
gateway against it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final, Literal, Protocol

import msgspec
from aiohttp import web
from pydantic import TypeAdapter

from dashboard.server.codes import CODES
from dashboard.server.guard import COOKIE, CSRF_HEADER
from dashboard.server.problem import Handler, Problem
from dashboard.server.rights import Right
from sensors.decode.reasons import REASONS

REF: Final = "#/components/schemas/{name}"
DOCUMENT = web.AppKey("document", bytes)
_PLACES: Final = re.compile(r"\{(\w+)(?::([^{}]*(?:\{[^{}]*\})?))?\}")
_ABOUT: Final = (
    "What the page does, a program does by this API. A program sends `Authorization: Bearer TOKEN` "
    "(`hallwatch user token add`); a browser has a session's cookie, and each of its writes the session's "
    "`X-CSRF-Token` and our own `Origin`. Every refusal is a problem (RFC 9457) with a stable `code`. Instants are ms "
    "since the epoch, UTC. Fields may be added to answers, and codes to refusals; none changes its meaning."
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One word of the query; `type` is any that pydantic knows."""

    name: str
    type: Any
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """What is said of a route beside its address and its handler's own first sentence.

    `answers`: the type of its answer; `known`: some login is needed, whatever its role; `refused`: statuses of its own;
    `also`: others under which it answers the same; `socket`: a WebSocket, whose frames are of that type.
    """

    right: Right | None
    answers: Any
    query: tuple[Parameter, ...] = ()
    body: TypeAdapter[Any] | None = None
    optional: bool = False
    status: int = 200
    also: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    known: bool = False
    socket: bool = False
    media: str = "application/json"
    note: str = ""


class Described(Protocol):
    """A route, as far as it is described."""

    @property
    def method(self) -> Literal["GET", "POST"]:
        """GET or POST."""

    @property
    def path(self) -> str:
        """Its address, with places."""

    @property
    def handler(self) -> Handler:
        """Who answers."""

    @property
    def told(self) -> Description | None:
        """What is said of it; None keeps it out of the document."""


async def document(request: web.Request) -> web.Response:
    """`GET /api/v1/openapi.json`: this description."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


def written(routes: Iterable[Described]) -> bytes:
    """The document of these routes."""
    return json.dumps(describe(routes), ensure_ascii=False, indent=1).encode()


def describe(routes: Iterable[Described]) -> dict[str, Any]:
    """The document of these routes, as JSON has it."""
    told = [(route, route.told) for route in routes if route.told is not None]
    answers, schemas = msgspec.json.schema_components(
        [description.answers for _, description in told] + [Problem], ref_template=REF
    )
    schemas["Problem"]["properties"]["code"]["enum"] = codes()
    paths: dict[str, dict[str, Any]] = {}
    for (route, description), answer in zip(told, answers, strict=False):
        body = None if description.body is None else _body(description.body, schemas)
        paths.setdefault(address(route.path), {})[route.method.lower()] = _operation(route, description, answer, body)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hallwatch", "version": version("hallwatch"), "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {f"Refused{status}": _refused(status) for status in CODES},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
            },
        },
    }


def codes() -> list[str]:
    """All codes of refusals."""
    return sorted({code for status in CODES for code in codes_of(status)})


def codes_of(status: int) -> list[str]:
    """Those of a status; a message that is replayed and still cannot be read is refused for that reason."""
    return sorted({*CODES[status], *(REASONS if status == HTTPStatus.CONFLICT else ())})


def _refused(status: int) -> dict[str, Any]:
    """The answer of a refusal: a problem, with one of this status' codes."""
    narrowed = {"type": "object", "properties": {"status": {"const": status}, "code": {"enum": codes_of(status)}}}
    schema = {"allOf": [{"$ref": REF.format(name="Problem")}, narrowed]}
    return {"description": HTTPStatus(status).phrase, "content": {"application/problem+json": {"schema": schema}}}


def address(path: str) -> str:
    """A path as OpenAPI has it: places without their patterns."""
    return _PLACES.sub(r"{\1}", path)


def refusals(route: Described, told: Description) -> list[int]:
    """The statuses of its refusals."""
    found = {403, *told.refused}
    if route.path.startswith("/api/"):
        found |= {401, 503}
    if told.query or told.body is not None:
        found |= {400}
    if told.body is not None:
        found |= {408, 413, 415}
    if _PLACES.search(route.path) or any(one.name == "hall" for one in told.query):
        found |= {404}
    if told.socket:
        found |= {426}
    return sorted(found - set(told.also))


def _operation(route: Described, told: Description, answer: Any, body: Any) -> dict[str, Any]:  # noqa: ANN401
    name, text = route.handler.__name__, _sentence(route.handler)
    session: dict[str, list[str]] = {"session": []} if route.method == "GET" else {"session": [], "csrf": []}
    status = HTTPStatus.SWITCHING_PROTOCOLS if told.socket else HTTPStatus(told.status)
    content = {told.media: {"schema": answer}}
    responses: dict[str, Any] = {str(int(status)): {"description": status.phrase, "content": content}}
    for other in told.also:
        responses[str(other)] = {"description": HTTPStatus(other).phrase, "content": content}
    for refused in refusals(route, told):
        responses[str(refused)] = {"$ref": f"#/components/responses/Refused{refused}"}
    operation: dict[str, Any] = {
        "operationId": f"{route.handler.__module__.rpartition('.')[2]}.{name}",
        "summary": text,
        "parameters": [*_places(route.path), *_query(told.query)],
        "responses": dict(sorted(responses.items())),
        "security": [{"token": []}, session] if told.right is not None or told.known else [],
    }
    asks = "" if told.right is None else f"Asks for the right `{told.right}`."
    if said := " ".join(one for one in (asks, told.note, "A WebSocket." if told.socket else "") if one):
        operation["description"] = said
    if body is not None:
        operation["requestBody"] = {"required": not told.optional, "content": {"application/json": {"schema": body}}}
    return operation


def _sentence(handler: Handler) -> str:
    """What a handler says of itself, without the address before it."""
    first = (handler.__doc__ or "").strip().partition("\n")[0]
    said = re.sub(r"^`[^`]*`(?: \(WebSocket\))?[:.]?\s*", "", first).rstrip(".")
    return said[:1].upper() + said[1:] or handler.__name__


def _places(path: str) -> Iterator[dict[str, Any]]:
    for name, pattern in _PLACES.findall(path):
        schema = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1} if pattern else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query(query: Iterable[Parameter]) -> Iterator[dict[str, Any]]:
    for one in query:
        schema = TypeAdapter(one.type).json_schema()
        yield {"name": one.name, "in": "query", "required": one.required, "description": one.about, "schema": schema}


def _body(adapter: TypeAdapter[Any], schemas: dict[str, Any]) -> Any:  # noqa: ANN401 (a JSON schema)
    """A body's schema; what it refers to goes to the others."""
    schema = adapter.json_schema(ref_template="#/components/schemas/{model}")
    schemas.update({name: one for name, one in schema.pop("$defs", {}).items() if name not in schemas})
    return schema
