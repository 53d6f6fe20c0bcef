"""Every address that is answered, in one table: the server answers what stands here, and OpenAPI is made of it.

A route's right is asked in its handler, before anything else is looked at; `tests/dashboard/test_roles.py` walks it.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import Field, TypeAdapter

from dashboard.server import (
    answer,
    api,
    auditing,
    devices,
    display,
    health,
    history,
    history_csv,
    lookups,
    openapi,
    passwords,
    quarantine,
    siting,
    stories,
    users,
)
from dashboard.server.answers import (
    AccountAnswer,
    Alive,
    AuditLine,
    DeviceAnswer,
    Linked,
    Listed,
    Made,
    Named,
    NewToken,
    Nothing,
    Quarantined,
    RawListed,
    Ready,
    Refs,
    Reloaded,
    Revoked,
    Session,
    Settling,
    Status,
    TailLine,
    TokenAnswer,
    UserAnswer,
)
from dashboard.server.ask import PAGE_MOST, WORD_LONGEST
from dashboard.server.curves import Curve
from dashboard.server.history import LONGEST_MS, SUBJECTS, Marks
from dashboard.server.metrics import metrics
from dashboard.server.openapi import Description, Parameter
from dashboard.server.page_socket import live
from dashboard.server.problem import Handler
from dashboard.server.public import Beat, Picture
from dashboard.server.rights import Right
from dashboard.server.stories import AlarmStory, RunStory
from dashboard.server.wire import AlarmEntity, Delta, DeviceEntity, EventEntity, RunEntity, Snapshot, TicketEntity
from gateway.store.audit import Sort
from sensors.actions import ACTION
from sensors.readings import Kind

At = Annotated[int, Field(ge=0, le=2**53, description="ms since the epoch, UTC")]
Flag = Literal["0", "1"]

_HALL: Final = Parameter("hall", str, "the hall; the first of the site without it")
_LIMIT: Final = Parameter("limit", Annotated[int, Field(ge=1, le=PAGE_MOST)], "how many at most")
_BEFORE: Final = Parameter("before", At, "what the page before gave as next")
_PLACE: Final = Parameter(
    "before", Annotated[str, Field(pattern=r"^[0-9]{1,16},")], "what the page before gave as next"
)
_OPEN: Final = Parameter("open", Flag, "1: only what is not over")
_SHEET: Final = (_HALL, _OPEN, _LIMIT, _PLACE)
_RANGE: Final = (
    _HALL,
    *(
        Parameter(sort, Annotated[str, Field(min_length=1, max_length=128)], "exactly one of these")
        for sort in SUBJECTS
    ),
    Parameter("start", At, "the range begins", required=True),
    Parameter("end", At, "the range ends", required=True),
)
_FIGURE: Final = (
    *_RANGE,
    Parameter("kind", Literal[*(str(kind) for kind in Kind), "staffing"], "what is measured", required=True),
    Parameter("field", str, "which figure of it", required=True),
    Parameter("every", Annotated[int, Field(ge=1000, le=LONGEST_MS)], "the width of a stretch, ms"),
)


@dataclass(frozen=True, slots=True)
class Route:
    """An address, who answers it, and what is said of it; without a description it is a page for people."""

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    told: Description | None = None

    @property
    def definition(self) -> web.RouteDef:
        """As aiohttp takes it."""
        return (web.get if self.method == "GET" else web.post)(self.path, self.handler)


def _get(path: str, handler: Handler, right: Right | None, answers: Any, *query: Parameter, **more: Any) -> Route:  # noqa: ANN401 (a type, also a generic one)
    return Route("GET", path, handler, Description(right, answers, query, **more))


def _post(path: str, handler: Handler, right: Right | None, answers: Any, *query: Parameter, **more: Any) -> Route:  # noqa: ANN401
    return Route("POST", path, handler, Description(right, answers, query, **more))


_LOGINS: Final = (
    _post("/api/v1/login", api.login, None, Session, body=TypeAdapter(api.LoginBody), refused=(429,)),
    _post("/api/v1/logout", api.logout, None, Nothing),
    _post("/api/v1/logout/everywhere", passwords.leave_all, None, Nothing, known=True),
    _post("/api/v1/password", passwords.choose, None, Session, body=TypeAdapter(passwords.ChosenBody)),
    _post(
        "/api/v1/me/password",
        passwords.renew,
        None,
        Session,
        body=TypeAdapter(passwords.RenewBody),
        known=True,
        refused=(429,),
    ),
    _post("/api/v1/first", users.first, None, Session, body=TypeAdapter(users.FirstBody), status=201),
    _get("/api/v1/users", users.listing, Right.USERS, Listed[UserAnswer]),
    _post(
        "/api/v1/users",
        users.add,
        Right.USERS,
        Made,
        body=TypeAdapter(users.UserBody),
        status=201,
        refused=(404, 409),
    ),
    _post(
        "/api/v1/users/{name}",
        users.change,
        Right.USERS,
        UserAnswer,
        body=TypeAdapter(users.ChangeBody),
        refused=(409,),
    ),
    _post("/api/v1/users/{name}/link", passwords.make_link, Right.USERS, Linked, refused=(409,)),
    _post("/api/v1/users/{name}/logout", passwords.end_all, Right.USERS, Named),
    _get("/api/v1/tokens", users.tokens, Right.USERS, Listed[TokenAnswer]),
    _post("/api/v1/tokens", users.add_token, Right.USERS, NewToken, body=TypeAdapter(users.TokenBody), status=201),
    _post("/api/v1/tokens/{id}/revoke", users.revoke_token, Right.USERS, Revoked),
    _get(
        "/api/v1/audit",
        auditing.audit,
        Right.AUDIT,
        Listed[AuditLine],
        Parameter("who", Annotated[str, Field(max_length=WORD_LONGEST)], "one login's lines; empty: nobody known"),
        Parameter("about", Annotated[str, Field(max_length=WORD_LONGEST)], "those about one thing"),
        Parameter("sort", Sort, "what a line tells of"),
        Parameter("since", At, "from then on"),
        Parameter("until", At, "before then"),
        _BEFORE,
        _LIMIT,
    ),
)

_HALLS: Final = (
    _get("/api/v1/status", api.status, Right.SEE, Status),
    _get("/api/v1/account", api.account, Right.SEE, AccountAnswer, _HALL),
    _get("/api/v1/alarms", lookups.alarms, Right.SEE, Listed[AlarmEntity], *_SHEET),
    _get("/api/v1/alarms/{id}", stories.alarm, Right.SEE, AlarmStory, _HALL),
    _get("/api/v1/tickets", lookups.tickets, Right.SEE, Listed[TicketEntity], *_SHEET),
    _get("/api/v1/runs", lookups.runs, Right.SEE, Listed[RunEntity], *_SHEET),
    _get("/api/v1/runs/{id}", stories.run, Right.SEE, RunStory, _HALL),
    _get(
        "/api/v1/events",
        lookups.events,
        Right.SEE,
        Listed[EventEntity],
        _HALL,
        Parameter("about", Annotated[str, Field(max_length=WORD_LONGEST)], "those about one thing: an id"),
        _BEFORE,
        _LIMIT,
    ),
    _post(
        "/api/v1/actions",
        api.act,
        None,
        Refs,
        _HALL,
        body=ACTION,
        known=True,
        refused=(409,),
        note="Each action asks for a right of its own: docs/roles.md.",
    ),
    _post("/api/v1/site/reload", siting.reload, Right.DEVICE, Reloaded, refused=(409, 422)),
)

_DEVICES: Final = (
    _get("/api/v1/devices", lookups.devices, Right.SEE, Listed[DeviceEntity], _HALL),
    _get("/api/v1/devices/{id}", devices.device, Right.SEE, DeviceAnswer, _HALL),
    _get(
        "/api/v1/devices/{id}/messages",
        devices.messages,
        Right.DEVICE,
        RawListed,
        _HALL,
        Parameter("limit", Annotated[int, Field(ge=1, le=devices.RAW_MOST)], "how many at most"),
    ),
    _get(
        "/api/v1/devices/{id}/tail",
        devices.tail,
        Right.DEVICE,
        TailLine,
        _HALL,
        media="application/x-ndjson",
        refused=(429,),
        note="Line by line, until one of us goes; `{}` after a while without a message.",
    ),
    _get(
        "/api/v1/quarantine",
        quarantine.page,
        Right.DEVICE,
        Listed[Quarantined],
        _HALL,
        Parameter("state", Literal[*quarantine.STATES], "held without it"),
        Parameter("whole", Flag, "1: payloads with all that is kept of them, of at most 20 rows"),
        _BEFORE,
        _LIMIT,
    ),
    _post(
        r"/api/v1/quarantine/{id:\d{1,15}}/replay",
        quarantine.replay,
        Right.DEVICE,
        Settling,
        _HALL,
        body=TypeAdapter(quarantine.MendBody),
        optional=True,
        refused=(409,),
    ),
    _post(
        r"/api/v1/quarantine/{id:\d{1,15}}/discard", quarantine.discard, Right.DEVICE, Settling, _HALL, refused=(409,)
    ),
    _get("/api/v1/history", history.history, Right.SEE, Curve, *_FIGURE),
    _get("/api/v1/history/marks", history.marks, Right.SEE, Marks, *_RANGE),
    _get(
        "/api/v1/history.csv",
        history_csv.download,
        Right.SEE,
        str,
        *_FIGURE,
        Parameter("raw", Flag, "1: each reading as it came"),
        Parameter("lang", Literal["zh", "en"], "the language of the heads"),
        Parameter("title", Annotated[str, Field(max_length=WORD_LONGEST)], "what the figure is called in the heads"),
        media="text/csv",
    ),
)

_FEEDS: Final = (
    _get("/healthz", health.healthz, None, Alive),
    _get("/readyz", health.readyz, None, Ready, also=(503,)),
    _get("/api/v1/openapi.json", openapi.document, None, dict[str, Any]),
    _get("/api/v1/live", live, Right.SEE, Snapshot | Delta, _HALL, socket=True),
    _get("/api/v1/display/{hall}", display.now, None, Picture),
    _get("/api/v1/display/{hall}/live", display.live, None, Picture | Beat, socket=True),
)

_PAGES: Final = (
    Route("GET", "/metrics", metrics),
    Route("GET", "/display", display.first),
    Route("GET", "/display/{hall}", display.page),
    Route("GET", "/a/style.css", answer.style),
    Route("GET", "/a/{token}", answer.show),
    Route("POST", "/a/{token}", answer.answer),
)

ROUTES: Final = (*_FEEDS, *_LOGINS, *_HALLS, *_DEVICES, *_PAGES)
