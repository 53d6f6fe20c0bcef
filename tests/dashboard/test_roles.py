"""The whole table of roles, walked through on the running server: every endpoint and every action, by everybody."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import aiohttp
import pytest
from aiohttp import web

from dashboard.server.rights import NEEDED, RIGHTS, Right, Role, may, role_of
from dashboard.server.stage import Piece, Playing, Trouble
from sensors import actions
from tests.dashboard.desk import Running, local, running
from tests.dashboard.doors import as_role, code_of, with_token

ROOT = Path(__file__).resolve().parents[2]

# What each address asks for; None is open to everybody, or guarded by something that is no login.
ENDPOINTS: dict[tuple[str, str], Right | None] = {
    ("GET", "/api/v1/openapi.json"): None,
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/metrics"): None,
    ("GET", "/a/style.css"): None,
    ("GET", "/a/{token}"): None,
    ("POST", "/a/{token}"): None,
    ("GET", "/"): None,
    ("GET", "/enter/{token}"): None,
    ("POST", "/api/v1/login"): None,
    ("POST", "/api/v1/logout"): None,
    ("POST", "/api/v1/password"): None,
    # Of one's own login, whatever its role.
    ("POST", "/api/v1/logout/everywhere"): None,
    ("POST", "/api/v1/me/password"): None,
    ("POST", "/api/v1/first"): None,
    # For everybody by its nature; it holds nothing about persons.
    ("GET", "/display"): None,
    ("GET", "/display/{hall}"): None,
    ("GET", "/api/v1/display/{hall}"): None,
    ("GET", "/api/v1/display/{hall}/live"): None,
    ("GET", "/api/v1/live"): Right.SEE,
    ("GET", "/api/v1/status"): Right.SEE,
    ("GET", "/api/v1/account"): Right.SEE,
    ("GET", "/api/v1/alarms"): Right.SEE,
    ("GET", "/api/v1/alarms/{id}"): Right.SEE,
    ("GET", "/api/v1/tickets"): Right.SEE,
    ("GET", "/api/v1/runs"): Right.SEE,
    ("GET", "/api/v1/runs/{id}"): Right.SEE,
    ("GET", "/api/v1/events"): Right.SEE,
    ("GET", "/api/v1/devices"): Right.SEE,
    ("GET", "/api/v1/devices/{id}"): Right.SEE,
    ("GET", "/api/v1/devices/{id}/messages"): Right.DEVICE,
    ("GET", "/api/v1/devices/{id}/tail"): Right.DEVICE,
    ("GET", "/api/v1/history"): Right.SEE,
    ("GET", "/api/v1/history/marks"): Right.SEE,
    ("GET", "/api/v1/history.csv"): Right.SEE,
    ("GET", "/api/v1/quarantine"): Right.DEVICE,
    ("POST", "/api/v1/quarantine/{id}/replay"): Right.DEVICE,
    ("POST", "/api/v1/quarantine/{id}/discard"): Right.DEVICE,
    ("POST", "/api/v1/site/reload"): Right.DEVICE,
    ("GET", "/api/v1/users"): Right.USERS,
    ("POST", "/api/v1/users"): Right.USERS,
    ("POST", "/api/v1/users/{name}"): Right.USERS,
    ("POST", "/api/v1/users/{name}/link"): Right.USERS,
    ("POST", "/api/v1/users/{name}/logout"): Right.USERS,
    ("GET", "/api/v1/tokens"): Right.USERS,
    ("POST", "/api/v1/tokens"): Right.USERS,
    ("POST", "/api/v1/tokens/{id}/revoke"): Right.USERS,
    ("GET", "/api/v1/audit"): Right.AUDIT,
}
# Its right is its action's.
ACTIONS = ("POST", "/api/v1/actions")

# The demo's panel has these besides; what is done by them is a coordinator's.
DEMO: dict[tuple[str, str], tuple[Right, dict[str, object] | None]] = {
    ("GET", "/api/v1/demo"): (Right.SEE, None),
    ("POST", "/api/v1/demo/play"): (Right.PLAN, {"scenario": "s"}),
    ("POST", "/api/v1/demo/speed"): (Right.PLAN, {"rate": 5}),
    ("POST", "/api/v1/demo/trouble"): (Right.PLAN, {"trouble": "delay"}),
}

BODIES: dict[type[actions.Action], dict[str, object]] = {
    actions.Acknowledge: {"alarm": "A1"},
    actions.NoteAlarm: {"alarm": "A1", "note": "looked"},
    actions.CloseAlarm: {"alarm": "A1", "disposition": "false"},
    actions.AnswerMessage: {"message": "M1"},
    actions.StartPlan: {"plan": "fire", "confirm": "fire"},
    actions.ConfirmRun: {"run": "R1"},
    actions.StandDown: {"run": "R1", "reason": "all_clear"},
    actions.CompleteStep: {"run": "R1", "step": "s"},
    actions.TakeRole: {"run": "R1", "role": "r"},
    actions.ReportFault: {"text": "paper is out"},
    actions.AcceptTicket: {"ticket": "T1"},
    actions.FinishTicket: {"ticket": "T1"},
    actions.PauseWindow: {"window": "w1"},
    actions.ResumeWindow: {"window": "w1"},
    actions.ApproveDevice: {"device": "d1", "kinds": ["badge"]},
    actions.RetireDevice: {"device": "d1"},
}
ROLES = [None, *Role]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, open_view=False) as server:
        yield server


def expected(role: Role | None, right: Right) -> tuple[int, str] | None:
    """The refusal that a role hears for lack of a right, None where it is let in."""
    if may(role, right):
        return None
    return (401, "login_needed") if role is None else (403, "not_allowed")


async def refusal(answer: aiohttp.ClientResponse) -> tuple[int, str] | None:
    """The refusal that was heard; what was let in and then found wrong is none."""
    code = await code_of(answer)
    return (answer.status, code) if code in {"login_needed", "not_allowed"} else None


def addresses(app: web.Application) -> set[tuple[str, str]]:
    """All that the server answers, beside the page's files."""
    found = set()
    for route in app.router.routes():
        canonical = "" if route.resource is None else route.resource.canonical
        if route.method != "HEAD":
            found.add((route.method, canonical))
    return found


def test_every_action_has_its_right_and_a_body_to_try_it_with() -> None:
    assert set(get_args(actions.Action)) == set(NEEDED) == set(BODIES)


def place_of(path: str) -> str:
    """An address with something in its places that is not there."""
    return path.replace("{id}", "999").replace("{name}", "nobody").replace("{token}", "guessed")


async def test_every_address_has_its_line_here(server: Running) -> None:
    assert addresses(server.app) == {*ENDPOINTS, ACTIONS}


@pytest.mark.parametrize("role", ROLES)
async def test_each_endpoint_lets_in_whom_it_shall(server: Running, role: Role | None) -> None:
    async with as_role(server, role) as page:
        for (method, path), right in ENDPOINTS.items():
            if right is None:
                continue
            async with page.request(method, place_of(path), json={} if method == "POST" else None) as answer:
                assert await refusal(answer) == expected(role, right), (method, path)


@pytest.mark.parametrize("role", ROLES)
async def test_each_action_is_done_for_whom_it_shall(server: Running, role: Role | None) -> None:
    async with as_role(server, role) as page:
        for action, right in NEEDED.items():
            server.path.acted.clear()
            body = {"do": action.__dataclass_fields__["do"].default, **BODIES[action]}
            async with page.post("/api/v1/actions", json=body) as answer:
                assert await refusal(answer) == expected(role, right), action
                if action is actions.AnswerMessage and may(role, right):
                    # Only its own link answers a message in its receiver's name.
                    assert await code_of(answer) == "forbidden"
                    continue
            assert [type(one) for _, one in server.path.acted] == ([action] if may(role, right) else [])


@pytest.mark.parametrize("role", Role)
async def test_a_program_with_a_token_may_what_its_role_may(server: Running, role: Role) -> None:
    async with with_token(server, role) as program:
        for (method, path), right in ENDPOINTS.items():
            if right is not None:
                async with program.request(method, place_of(path), json={} if method == "POST" else None) as answer:
                    assert await refusal(answer) == expected(role, right), (method, path)
        for action, right in NEEDED.items():
            body = {"do": action.__dataclass_fields__["do"].default, **BODIES[action]}
            async with program.post("/api/v1/actions", json=body) as answer:
                assert await refusal(answer) == expected(role, right), action
        # It has no password to choose, and no session to end.
        for path in ("me/password", "logout/everywhere"):
            async with program.post(f"/api/v1/{path}", json={}) as answer:
                assert await code_of(answer) == "no_session"


@dataclass(slots=True)
class FakeStage:
    """Keeps what was done on it."""

    rate: float = 1.0
    trouble: str | None = None
    done: list[str] = field(default_factory=list)

    def go(self, rate: float) -> None:
        self.done.append(f"go {rate:g}")

    def troubles(self) -> Sequence[Trouble]:
        return ()

    def lay(self, trouble: str | None) -> None:
        self.done.append(f"lay {trouble}")

    def pieces(self) -> Sequence[Piece]:
        return ()

    def playing(self) -> Sequence[Playing]:
        return ()

    def play(self, piece: str) -> Playing:
        self.done.append(f"play {piece}")
        return Playing(piece, 0)


async def test_the_demos_panel_asks_for_rights_too(tmp_path: Path) -> None:
    stage = FakeStage()
    async with running(tmp_path, open_view=False, stage=stage) as server:
        assert addresses(server.app) == {*ENDPOINTS, ACTIONS, *DEMO}
        for role in ROLES:
            stage.done.clear()
            async with as_role(server, role) as page:
                for (method, path), (right, body) in DEMO.items():
                    async with page.request(method, path, json=body) as answer:
                        assert await refusal(answer) == expected(role, right), (role, path)
            assert stage.done == (["play s", "go 5", "lay delay"] if may(role, Right.PLAN) else [])
        async with as_role(server, Role.ADMIN) as page:
            stage.done.clear()
            for (method, path), (_, body) in DEMO.items():
                if method == "POST":
                    async with page.post(path, json=body, headers={"Origin": "http://evil.example"}) as answer:
                        assert await code_of(answer) == "bad_origin"
            assert stage.done == []


async def test_who_runs_the_server_is_an_admin_by_the_socket(server: Running) -> None:
    async with local(server) as command:
        for (method, path), right in ENDPOINTS.items():
            if right is not None:
                async with command.request(method, place_of(path), json={} if method == "POST" else None) as answer:
                    assert await refusal(answer) is None, path
        for action in NEEDED:
            body = {"do": action.__dataclass_fields__["do"].default, **BODIES[action]}
            async with command.post("/api/v1/actions", json=body) as answer:
                assert answer.status == 200, action
        async with command.ws_connect("/api/v1/live") as socket:
            assert (await socket.receive_json(timeout=30))["role"] == "admin"


async def test_the_live_link_shows_each_role_what_it_may_see(server: Running) -> None:
    async with as_role(server, None) as stranger:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await stranger.ws_connect("/api/v1/live")
        assert refused.value.status == 401
    for role in Role:
        for door in (as_role, with_token):
            async with door(server, role) as who, who.ws_connect("/api/v1/live") as socket:
                told = await socket.receive_json(timeout=30)
            assert told["role"] == role
            assert bool(told["entities"]["window/w1"].get("people")) is may(role, Right.NAMES), (role, door)


async def test_the_page_is_told_what_it_may_offer(server: Running) -> None:
    for role in Role:
        async with as_role(server, role) as page, page.ws_connect("/api/v1/live") as socket:
            told = await socket.receive_json(timeout=30)
            assert told["role"] == role
            assert set(told["rights"]) == set(RIGHTS[role])
            allowed = {
                NEEDED[action] for action in BODIES if action.__dataclass_fields__["do"].default in told["actions"]
            }
            assert allowed == RIGHTS[role] & set(NEEDED.values())


def test_a_role_of_a_newer_release_gives_no_right() -> None:
    assert role_of("emperor") is None
    assert not any(may(None, right) for right in Right)


def test_the_documentation_says_the_same_table() -> None:
    lines = (ROOT / "docs" / "roles.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    head = next(row for row in rows if row[0] == "`right`")
    roles = [Role(cell.strip("`")) for cell in head[2:]]
    assert roles == list(Role)
    told = {
        Right(row[0].strip("`")): row[2:]
        for row in rows
        if len(row) > 2 and re.fullmatch(r"`\w+`", row[0]) and row is not head
    }
    assert set(told) == set(Right)
    for right, cells in told.items():
        assert {role for role, cell in zip(roles, cells, strict=True) if cell == "✓"} == {
            role for role in Role if right in RIGHTS[role]
        }, right
        assert set(cells) <= {"✓", ""}
    asked = {row[0].strip("`"): Right(row[1].strip("`")) for row in rows if len(row) == 2 and row[1].startswith("`")}
    assert asked == {action.__dataclass_fields__["do"].default: right for action, right in NEEDED.items()}
