"""The API's description: nothing that is answered is missing from it, and nothing in it is only said."""

import ast
import json
import re
from pathlib import Path

import pytest

from dashboard.server.codes import CODES
from dashboard.server.openapi import address, codes, describe
from dashboard.server.routes import ROUTES
from dashboard.sessions import SiteRefusedError
from gateway.pipeline import ClosedError
from gateway.store.errors import StoreError
from sensors.decode.reasons import REASONS
from sensors.errors import HallwatchError
from sensors.site.difference import Difference
from tests.dashboard.desk import browser, local, running
from tests.dashboard.doors import code_of
from tests.dashboard.test_roles import ACTIONS, ENDPOINTS

ROOT = Path(__file__).resolve().parents[2]
# Of the command and of the start, before anything is answered.
BEFORE = {"backup.py", "engines.py", "restore.py"}
ROOMS = ("alerts", "dashboard/server", "gateway", "sensors")
# What only a command says, before there is a server or beside it.
COMMANDS = {"gateway/store/backup.py", "gateway/store/restore.py", "gateway/store/engines.py"}
# What a route's handler asks for is told by the walk of test_roles; a page for people is in no document.
OWN_LOGIN = {("POST", "/api/v1/logout/everywhere"), ("POST", "/api/v1/me/password"), ACTIONS}


def test_the_document_names_each_address_with_the_right_that_it_asks_for() -> None:
    for route in ROUTES:
        if route.told is None:
            assert not route.path.startswith("/api/"), route.path
            continue
        key = (route.method, address(route.path))
        if key not in OWN_LOGIN:
            assert (route.told.right, route.told.known) == (ENDPOINTS.get(key), False), key
        else:
            assert (route.told.right, route.told.known) == (None, True), key
    listed = {(route.method, address(route.path)) for route in ROUTES}
    assert {key for key in {*ENDPOINTS, ACTIONS} if key[1].startswith("/api/")} <= listed


async def test_it_is_served_to_everybody_and_refers_to_nothing_that_is_missing(tmp_path: Path) -> None:
    async with running(tmp_path, open_view=False) as server, browser(server) as page:
        answer = await page.get("/api/v1/openapi.json")
        assert answer.status == 200
        told = await answer.json()
    assert told == json.loads(json.dumps(describe(ROUTES)))
    schemas = told["components"]["schemas"]
    referred = {part.rpartition("/")[2] for part in strings(told) if part.startswith("#/components/schemas/")}
    assert len(referred) > 40
    assert referred <= set(schemas)
    names = [one["operationId"] for path in told["paths"].values() for one in path.values()]
    assert len(names) == len(set(names)) > 40
    assert not [one for path in told["paths"].values() for one in path.values() if one["summary"][:1].islower()]


def strings(value: object) -> list[str]:
    """All texts within a document."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


def raised() -> set[tuple[int, str]]:
    """Every refusal that the code names, with its status."""
    found: set[tuple[int, str]] = set()
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            if file.name in BEFORE:
                continue
            if str(file.relative_to(ROOT)) in COMMANDS:
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Name(id="ProblemError"),
                        args=[ast.Constant(value=int(status)), ast.Constant(value=str(code)), *_],
                    ):
                        found.add((status, code))
                    case ast.Call(func=ast.Name(id="RefusedError"), args=[ast.Constant(value=str(code)), *_]):
                        found.add((409, code))
                    case ast.Call(func=ast.Name(id="QuestionError"), args=[ast.Constant(value=str(code)), *_]):
                        found.add((400, code))
                    case ast.Call(func=ast.Name(id="StoreError"), args=[ast.Constant(value=str(code)), *_]):
                        found.add((503, code))
                    case ast.Call(
                        func=ast.Attribute(attr="_known"),
                        args=[*_, ast.Constant(value=str(unknown)), ast.Constant(value=str(over))],
                    ):
                        found |= {(409, unknown), (409, over)}
    return found


def test_every_code_that_is_raised_stands_in_the_table() -> None:
    found = raised()
    assert len(found) > 60
    assert {(status, code) for status, code in found if code not in CODES.get(status, ())} == set()
    assert codes() == sorted({code for one in CODES.values() for code in one} | set(REASONS))


def test_the_api_page_names_every_address_with_its_right() -> None:
    rows = [line for line in (ROOT / "docs" / "api.md").read_text("utf-8").splitlines() if line.startswith("| `/")]
    page = {path: right.strip() for row in rows for path in re.findall(r"`(/[^`]+)`", row.split("|")[1])
            for right in [row.split("|")[2]]}  # fmt: skip
    told: dict[str, str] = {}
    for route in ROUTES:
        if route.told is not None:
            right = "" if route.told.right is None else f"`{route.told.right}`"
            told[address(route.path)] = "by action" if (route.method, route.path) == ACTIONS else right
    assert page == told


def test_the_page_has_words_for_every_refusal() -> None:
    words = (ROOT / "dashboard/web/src/lib/words/zh").glob("*.ts")
    said = {code for file in words for code in re.findall(r"'problem\.(\w+)'", file.read_text("utf-8"))}
    assert {code for known in CODES.values() for code in known} - said == set()


def test_the_audit_has_words_without_holes() -> None:
    """A line of it knows how a write ended, and nothing of what filled the sentence."""
    words = "\n".join(
        file.read_text("utf-8") for file in sorted((ROOT / "dashboard/web/src/lib/words/zh").glob("*.ts"))
    )
    holes = {code for code, text in re.findall(r"'problem\.(\w+)': '([^']*)'", words) if "{" in text}
    assert "too_many_logins" in holes
    # Nobody writes history.
    own = set(re.findall(r"'outcome\.(\w+)'", words))
    assert {code for code in holes if not code.startswith("history_")} <= own


@pytest.mark.parametrize(
    ("failure", "refused"),
    [
        (SiteRefusedError("line 3"), (422, "site_refused")),
        # The file is good; the same may go well later.
        (StoreError("store_busy", "locked"), (503, "store_busy")),
        (ClosedError(), (503, "stopping")),
    ],
    ids=lambda one: one.code if isinstance(one, HallwatchError) else "",
)
async def test_a_site_file_is_not_called_wrong_for_a_fault_of_ours(
    tmp_path: Path, failure: HallwatchError, refused: tuple[int, str]
) -> None:
    async def reload(by: str) -> Difference:
        raise failure

    async with (
        running(tmp_path, reload=reload) as server,
        local(server) as command,
        command.post("/api/v1/site/reload", json={}) as answer,
    ):
        assert (answer.status, await code_of(answer)) == refused
