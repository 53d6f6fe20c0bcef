"""The running gateway held against its own description: schemathesis asks what that allows, and what it forbids.

A real process over a real Mosquitto and store. Each address is asked by an admin's token and by nobody: with values
that fit the document, with values that do not, and about things that are there; the answers must be as promised.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import CheckContext, CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from dashboard.server.openapi import address, describe
from dashboard.server.rights import Right
from dashboard.server.routes import ROUTES
from tests.e2e.gateway import PASSWORD, Gateway
from tests.fakes.webhook import FakeWebhook
from tests.servers.mosquitto import Mosquitto

EXAMPLES: Final = 12
Operation = APIOperation[Any, Any, Any, Any]
HELD: Final[list[CheckFunction]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# It does not end by itself: `test_tail_send.py` reads it.
ENDLESS: Final = ("/tail",)
# A token does not do these: they end in a session, or begin with one.
OF_SESSIONS: Final = (
    "POST /api/v1/first",
    "POST /api/v1/login",
    "POST /api/v1/password",
    "POST /api/v1/me/password",
    "POST /api/v1/logout/everywhere",
)
# What schemathesis cannot read: WebSockets (`test_live.py`, `test_display.py`), and what does not end.
NOT_DONE: Final = {
    "GET /api/v1/live",
    "GET /api/v1/display/{hall}/live",
    "GET /api/v1/devices/{id}/tail",
    *OF_SESSIONS,
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway over a real broker; nobody takes its webhooks."""
    with (
        Mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker,
        Gateway(tmp_path_factory.mktemp("gateway"), broker, FakeWebhook(url="http://127.0.0.1:9/")) as running,
    ):
        running.add_user("somebody", role="viewer")
        yield running


@pytest.fixture(scope="module")
def token(gateway: Gateway) -> str:
    """An admin's."""
    command = [sys.executable, "-m", "dashboard.cli.main", "user", "token", "add", "schemathesis", "--role", "admin"]
    command += ["--days", "1", "--socket", str(gateway.socket)]
    said = subprocess.run(command, text=True, check=True, timeout=30, capture_output=True).stdout
    found = re.search(r"hallwatch_\S+", said)
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def document() -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_dict(describe(ROUTES))


def operations(document: schemathesis.BaseSchema) -> dict[str, Operation]:
    """All that can be asked."""
    found = [result.ok() for result in document.get_all_operations() if isinstance(result, Ok)]
    assert len(found) == sum(route.told is not None for route in ROUTES)
    return {operation.label: operation for operation in found}


def modes(operation: Operation) -> Iterator[GenerationMode]:
    """What does not fit can be sent only where something is asked for at all."""
    yield GenerationMode.POSITIVE
    if operation.query or operation.body:
        yield GenerationMode.NEGATIVE


def asked(operation: Operation, mode: GenerationMode, gateway: Gateway, headers: dict[str, str]) -> int:
    """Ask with values of one sort; returns how many times. Raises what the checks have found."""
    count, checks = 0, HELD if "Authorization" in headers else [*HELD, shut]

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        nonlocal count
        count += 1
        case.call_and_validate(base_url=gateway.url, headers=headers, checks=checks)

    ask()
    return count


def needs_login(path: str, method: str) -> bool:
    """Whether nobody is let in: the hall without names is open to all here, as it is by default."""
    told = next(one.told for one in ROUTES if (address(one.path), one.method) == (path, method))
    return told is not None and (told.known or told.right not in {None, Right.SEE})


def shut(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """A check: who has no login is told nothing but that, whatever else is asked for."""
    if needs_login(case.operation.path, case.operation.method.upper()):
        # A place that no route has (an id that is no number) is no address at all.
        assert response.status_code in {401, 404}, (case.operation.label, response.status_code)


@pytest.mark.parametrize("known", [True, False], ids=["an admin", "nobody"])
def test_what_the_document_allows_and_forbids_is_answered_as_it_says(
    gateway: Gateway, token: str, document: schemathesis.BaseSchema, known: bool
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if known else {"Origin": gateway.url}
    found: list[str] = []
    count = 0
    for label, operation in operations(document).items():
        if operation.path.endswith(ENDLESS) and known:
            continue
        for mode in modes(operation):
            try:
                count += asked(operation, mode, gateway, headers)
            except FailureGroup as group:
                found += [f"{label} ({mode.value}): {error}" for error in group.exceptions]
    assert not found, "\n\n".join(found)
    assert count > 20 * EXAMPLES


class Asking:
    """A program that asks until what it waits for is there."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self.url = gateway.url
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __call__(self, path: str, body: object = None) -> Any:  # noqa: ANN401 (JSON of many shapes)
        data = None if body is None else json.dumps(body).encode()
        asked = Request(self.url + path, data, self.headers)  # noqa: S310 (ours, on loopback)
        with urlopen(asked, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def first(self, path: str) -> str:
        """The id of the first of a list, once it has one."""
        deadline = time.monotonic() + 60
        while not (items := self(path)["items"]):
            assert time.monotonic() < deadline, path
            time.sleep(0.05)
        return str(items[0]["id"])


def there(gateway: Gateway, token: str) -> dict[str, dict[str, Any]]:
    """For each operation a request about something that is there."""
    ask = Asking(gateway, token)
    gateway.hear("new-0", "equipment", state="fault")
    for _ in range(2):
        gateway.broker.publish("hallwatch/v1/main/safety/smoke-1/fire", "rubbish")
    gateway.hear("smoke-1", "fire", lane="safety", alarm=True, sensor="smoke")
    run, device = ask.first("/api/v1/runs?open=1"), ask.first("/api/v1/devices")
    one, two = (
        ask.first(f"/api/v1/quarantine{more}")
        for more in ("?limit=1", f"?limit=1&before={ask.first('/api/v1/quarantine?limit=1')}")
    )
    made = ask("/api/v1/tokens", {"name": "another", "role": "viewer", "days": 1})
    now = int(time.time() * 1000)
    stretch = {"device": device, "start": now - 3_600_000, "end": now}
    figure = {**stretch, "kind": "queue", "field": "length"}
    valid = json.dumps({"value": {"alarm": False, "sensor": "smoke"}})
    return {
        "GET /api/v1/display/{hall}": {"path_parameters": {"hall": "main"}},
        "GET /api/v1/alarms/{id}": {"path_parameters": {"id": ask.first("/api/v1/alarms")}},
        "GET /api/v1/runs/{id}": {"path_parameters": {"id": run}},
        "GET /api/v1/devices/{id}": {"path_parameters": {"id": "new-0"}},
        "GET /api/v1/devices/{id}/messages": {"path_parameters": {"id": device}},
        "GET /api/v1/history": {"query": figure},
        "GET /api/v1/history.csv": {"query": figure},
        "GET /api/v1/history/marks": {"query": stretch},
        "POST /api/v1/actions": {"body": {"do": "report_fault", "text": "the door sticks"}},
        "POST /api/v1/quarantine/{id}/replay": {"path_parameters": {"id": one}, "body": {"text": valid}},
        "POST /api/v1/quarantine/{id}/discard": {"path_parameters": {"id": two}},
        "POST /api/v1/users": {"body": {"user": "another", "password": PASSWORD, "role": "viewer"}},
        "POST /api/v1/users/{name}": {"path_parameters": {"name": "somebody"}, "body": {"disabled": True}},
        "POST /api/v1/users/{name}/link": {"path_parameters": {"name": "somebody"}},
        "POST /api/v1/users/{name}/logout": {"path_parameters": {"name": "somebody"}},
        "POST /api/v1/tokens": {"body": {"name": "third", "role": "viewer", "days": 1}},
        "POST /api/v1/tokens/{id}/revoke": {"path_parameters": {"id": made["id"]}},
    }


def test_what_is_there_is_answered_in_the_promised_shape(
    gateway: Gateway, token: str, document: schemathesis.BaseSchema
) -> None:
    requests = there(gateway, token)
    headers = {"Authorization": f"Bearer {token}"}
    known = operations(document)
    assert set(requests) < set(known)
    for label, operation in known.items():
        if label in NOT_DONE:
            continue
        given_ = requests.get(label, {})
        case = operation.Case(**given_, media_type="application/json") if "body" in given_ else operation.Case(**given_)
        answer = case.call_and_validate(base_url=gateway.url, headers=headers, checks=HELD)
        assert answer.status_code in {200, 201}, (label, answer.status_code, answer.content)
    assert {f"{route.method} {address(route.path)}" for route in ROUTES if route.told is not None} >= NOT_DONE


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway in which nobody can log in yet."""
    with (
        Mosquitto(tmp_path / "mosquitto") as broker,
        Gateway(tmp_path / "gateway", broker, FakeWebhook(url="http://127.0.0.1:9/")) as running,
    ):
        yield running


def first_link(gateway: Gateway) -> str:
    """The link that makes the first admin; it is written once the server listens."""
    deadline = time.monotonic() + 60
    while not (file := gateway.data / "first-admin.url").is_file() or not (link := file.read_text("utf-8").strip()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return link


def test_a_session_from_its_first_link_to_its_end_is_answered_in_the_promised_shape(
    empty: Gateway, document: schemathesis.BaseSchema
) -> None:
    known, done = operations(document), list[str]()
    headers = {"Origin": empty.url}

    def does(label: str, body: dict[str, str] | None = None, status: int = 200, **places: str) -> Any:  # noqa: ANN401
        """Do it, hold the answer against the document; a session that it begins is the one from now on."""
        given_: dict[str, Any] = {} if body is None else {"body": body, "media_type": "application/json"}
        case = known[label].Case(path_parameters=places, **given_)
        answer = case.call_and_validate(base_url=empty.url, headers=headers, checks=HELD)
        assert answer.status_code == status, (label, answer.content)
        done.append(label)
        told = answer.json()
        if "csrf" in told:
            (cookie,) = answer.headers["set-cookie"]
            headers.update({"Cookie": cookie.partition(";")[0], "X-CSRF-Token": told["csrf"]})
        return told

    does(
        "POST /api/v1/first", {"token": first_link(empty).rpartition("/")[2], "user": "boss", "password": PASSWORD}, 201
    )
    link = does("POST /api/v1/users", {"user": "other", "role": "viewer"}, 201)["link"]
    does("POST /api/v1/me/password", {"old": PASSWORD, "new": f"{PASSWORD} of another"})
    does("POST /api/v1/logout/everywhere")
    del headers["Cookie"], headers["X-CSRF-Token"]
    token = link.partition("#/password/")[2].partition("?")[0]
    does("POST /api/v1/password", {"token": token, "user": "other", "password": PASSWORD})
    does("POST /api/v1/logout")
    del headers["Cookie"], headers["X-CSRF-Token"]
    does("POST /api/v1/login", {"user": "boss", "password": f"{PASSWORD} of another"})
    assert set(OF_SESSIONS) <= set(done)


def saying(media: str, type_: str) -> dict[str, Any]:
    """Responses of a document: 200, and of what type and shape."""
    return {"responses": {"200": {"description": "OK", "content": {media: {"schema": {"type": type_}}}}}}


FEW: Final = {
    "name": "limit",
    "in": "query",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": 5},
}


@pytest.mark.parametrize(
    ("label", "mode", "lie"),
    [
        ("GET /healthz", GenerationMode.POSITIVE, saying("text/html", "string")),
        ("GET /api/v1/status", GenerationMode.POSITIVE, {"responses": {"204": {"description": "No Content"}}}),
        ("GET /api/v1/users", GenerationMode.POSITIVE, saying("application/json", "null")),
        ("GET /api/v1/alarms", GenerationMode.NEGATIVE, {"parameters": [FEW]}),
    ],
    ids=["another type", "another status", "another shape", "more is taken than it says"],
)
def test_a_document_that_lies_is_found_out(
    gateway: Gateway, token: str, label: str, mode: GenerationMode, lie: dict[str, Any]
) -> None:
    told = describe(ROUTES)
    method, path = label.split()
    told["paths"][path][method.lower()].update(lie)
    operation = operations(schemathesis.openapi.from_dict(told))[label]
    with pytest.raises(FailureGroup):
        asked(operation, mode, gateway, {"Authorization": f"Bearer {token}"})
