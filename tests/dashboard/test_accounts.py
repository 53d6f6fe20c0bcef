"""Logins, roles that change, tokens, and the first admin, on the running server."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from dashboard.server import accounts
from dashboard.server.accounts import FIRST_MS
from dashboard.server.bearers import DAY_MS
from dashboard.server.problem import ProblemError
from dashboard.server.rights import Role
from tests.dashboard.desk import PASSWORD, Running, browser, local, running
from tests.dashboard.doors import as_role, code_of, with_token

ACK = {"do": "acknowledge", "alarm": "A000001"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, open_view=False) as server:
        yield server


# -- logins


async def test_an_admin_keeps_the_logins(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as admin:
        for body, status, code in (
            ({"user": "li", "password": "long enough", "role": "staff"}, 201, ""),
            ({"user": "li", "password": "long enough", "role": "staff"}, 409, "name_taken"),
            ({"user": "zhao", "password": "short", "role": "staff"}, 400, "bad_password"),
            ({"user": "token:zhao", "password": "long enough", "role": "staff"}, 400, "bad_name"),
            ({"user": "zhao", "password": "long enough", "role": "emperor"}, 400, "bad_action"),
            ({"user": "zhao", "password": "long enough", "role": "staff", "person": "li"}, 404, "no_person"),
        ):
            async with admin.post("/api/v1/users", json=body) as answer:
                assert (answer.status, await code_of(answer)) == (status, code), body
        async with admin.get("/api/v1/users") as answer:
            listed = await answer.json()
            assert PASSWORD not in await answer.text()
            assert "argon2" not in await answer.text()
        assert {(one["user"], one["role"], one["disabled"]) for one in listed["items"]} == {
            ("a admin", "admin", False),
            ("li", "staff", False),
            ("wang", "admin", False),
        }


async def test_another_role_counts_at_once_also_on_an_open_page(server: Running) -> None:
    async with as_role(server, Role.COORDINATOR) as page, as_role(server, Role.ADMIN) as admin:
        socket = await page.ws_connect("/api/v1/live")
        assert (await socket.receive_json(timeout=5))["role"] == "coordinator"
        async with admin.post("/api/v1/users/a%20coordinator", json={"role": "viewer"}) as answer:
            assert (await answer.json())["role"] == "viewer"
        async with asyncio.timeout(10):
            while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert socket.close_code == 1008
        async with page.post("/api/v1/actions", json=ACK) as answer:
            assert await code_of(answer) == "login_needed"


async def test_who_is_shut_out_is_out_and_may_be_let_in_again(server: Running) -> None:
    async with as_role(server, Role.STAFF) as page, as_role(server, Role.ADMIN) as admin:
        for disabled, code in ((True, "bad_login"), (False, "")):
            async with admin.post("/api/v1/users/a%20staff", json={"disabled": disabled}) as answer:
                assert answer.status == 200
            async with page.post("/api/v1/login", json={"user": "a staff", "password": PASSWORD}) as answer:
                # The cookie of before is gone with its session, so this is a login of nobody.
                assert await code_of(answer) == code
        async with admin.post("/api/v1/users/a%20staff", json={"password": "another password"}) as answer:
            assert answer.status == 200
        for password, code in ((PASSWORD, "bad_login"), ("another password", "")):
            body = {"user": "a staff", "password": password}
            async with browser(server) as again, again.post("/api/v1/login", json=body) as answer:
                assert await code_of(answer) == code
        async with admin.post("/api/v1/users/nobody", json={"disabled": True}) as answer:
            assert (answer.status, await code_of(answer)) == (404, "no_user")


async def test_the_last_admin_stays(server: Running) -> None:
    async with local(server) as command:
        for change in ({"disabled": True}, {"role": "manager"}):
            async with command.post("/api/v1/users/wang", json=change) as answer:
                assert (answer.status, await code_of(answer)) == (409, "last_admin")
        await server.doors.add("li", PASSWORD, Role.ADMIN)
        async with command.post("/api/v1/users/wang", json={"role": "manager"}) as answer:
            assert answer.status == 200
        async with command.post("/api/v1/users/li", json={"disabled": True}) as answer:
            assert await code_of(answer) == "last_admin"


# -- without a login


async def test_without_a_login_nothing_is_seen_unless_it_is_opened(tmp_path: Path, server: Running) -> None:
    async with browser(server) as stranger:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await stranger.ws_connect("/api/v1/live")
        assert refused.value.status == 401
        # So the page finds out why, by a request that names no Origin, as a browser's GET within a site does not.
        del stranger.headers["Origin"]
        async with stranger.get("/api/v1/live") as answer:
            assert (answer.status, await code_of(answer)) == (401, "login_needed")
        for path in ("/healthz", "/readyz"):
            async with stranger.get(path) as answer:
                assert "wang" not in await answer.text()
                assert answer.status != 401
    (tmp_path / "open").mkdir()
    async with (
        running(tmp_path / "open", open_view=True) as opened,
        browser(opened) as stranger,
        stranger.ws_connect("/api/v1/live") as socket,
    ):
        told = await socket.receive_json(timeout=5)
        assert (told["user"], told["role"], told["rights"], told["actions"]) == (None, None, ["see"], [])
        assert not told["entities"]["window/w1"].get("people")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MAINTAINER])
async def test_names_are_not_shown_to_a_role_without_them(server: Running, role: Role) -> None:
    async with as_role(server, role) as page:
        async with page.ws_connect("/api/v1/live") as socket:
            told = await socket.receive_str(timeout=5)
        texts = [told]
        for path in ("alarms", "tickets", "runs", "events", "devices", "status", "account"):
            async with page.get(f"/api/v1/{path}") as answer:
                texts.append(await answer.text())
    for text in texts:
        assert not re.search("王芳|Wang Fang|wang", text)


# -- tokens


async def test_a_token_is_shown_once_kept_as_a_hash_and_revoked(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as admin:
        async with admin.post("/api/v1/tokens", json={"name": "grafana", "role": "viewer", "days": 30}) as answer:
            assert answer.status == 201
            made = await answer.json()
        assert made["secret"].startswith("hallwatch_")
        assert made["expires"] - made["created"] == 30 * DAY_MS
        async with admin.get("/api/v1/tokens") as answer:
            listed = await answer.text()
        assert made["id"] in listed
        assert made["secret"] not in listed
        assert "hash" not in listed
        headers = {"Authorization": f"Bearer {made['secret']}"}
        async with aiohttp.ClientSession(server.url, headers=headers) as program:
            async with program.get("/api/v1/alarms") as answer:
                assert answer.status == 200
            async with program.ws_connect("/api/v1/live") as socket:
                assert (await socket.receive_json(timeout=5))["user"] == "token:grafana"
                async with admin.post(f"/api/v1/tokens/{made['id']}/revoke", json={}) as answer:
                    assert answer.status == 200
                async with asyncio.timeout(10):
                    while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                        pass
            async with program.get("/api/v1/alarms") as answer:
                assert (answer.status, await code_of(answer)) == (401, "bad_token")
                assert answer.headers["WWW-Authenticate"] == "Bearer"
        async with admin.post(f"/api/v1/tokens/{made['id']}/revoke", json={}) as answer:
            assert answer.status == 404
        (kept,) = await server.store.tokens.all()
        assert kept.used is not None
        assert kept.revoked is not None
        assert made["secret"] not in str(kept)


async def test_a_token_ends_at_its_time(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async with with_token(server, Role.VIEWER) as program:
        async with program.get("/api/v1/alarms") as answer:
            assert answer.status == 200
        (kept,) = await server.store.tokens.all()
        assert kept.expires is not None
        assert await server.store.tokens.valid(kept.hash, kept.expires - 1)
        assert not await server.store.tokens.valid(kept.hash, kept.expires)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x", "Basic d2FuZzp4", "Bearer " + "x" * 5000, "  "])
async def test_a_token_that_is_none_is_refused_also_beside_a_cookie(server: Running, header: str) -> None:
    headers = {"Authorization": header}
    async with as_role(server, Role.ADMIN) as page, page.get("/api/v1/alarms", headers=headers) as answer:
        assert (answer.status, await code_of(answer)) == (401, "bad_token")


# -- the first admin


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, open_view=False, user=False) as server:
        yield server


async def be_first(page: aiohttp.ClientSession, token: str, password: str = PASSWORD) -> str:
    body = {"token": token, "user": "zhang", "password": password}
    async with page.post("/api/v1/first", json=body) as answer:
        return await code_of(answer)


async def test_the_first_link_makes_one_admin_who_is_logged_in(empty: Running) -> None:
    token = await empty.doors.open_first()
    assert token is not None
    async with browser(empty) as page, browser(empty) as late:
        assert await be_first(page, "rubbish") == "first_used"
        assert await be_first(page, "") == "first_used"
        assert await be_first(page, token, "short") == "bad_password"
        assert await be_first(page, token) == ""
        async with page.get("/api/v1/users") as answer:
            assert [(one["user"], one["role"]) for one in (await answer.json())["items"]] == [("zhang", "admin")]
        assert await be_first(late, token) == "first_used"
    assert await empty.doors.open_first() is None, "somebody can log in now"


async def test_the_first_link_ends_after_an_hour(empty: Running) -> None:
    token = await empty.doors.open_first()
    assert token is not None
    now = empty.doors.now()
    empty.doors.now = lambda: now + FIRST_MS
    async with browser(empty) as page:
        assert await be_first(page, token) == "first_used"
    empty.doors.now = lambda: now + FIRST_MS - 1
    async with browser(empty) as page:
        assert await be_first(page, token) == ""


async def test_who_was_made_meanwhile_shuts_the_first_link(empty: Running) -> None:
    token = await empty.doors.open_first()
    assert token is not None
    await empty.doors.add("wang", PASSWORD, Role.VIEWER)
    async with browser(empty) as page:
        assert await be_first(page, token) == "first_used"
    assert len(await empty.store.accounts.users()) == 1


async def test_two_at_once_make_one_admin(empty: Running) -> None:
    token = await empty.doors.open_first()
    assert token is not None
    async with browser(empty) as one, browser(empty) as other:
        codes = await asyncio.gather(be_first(one, token), be_first(other, token))
    assert sorted(codes) == ["", "first_used"]


async def test_no_link_was_opened(empty: Running) -> None:
    for token in ("", "x"):
        with pytest.raises(ProblemError, match="first_used"):
            await empty.doors.be_first(token, "zhang", PASSWORD)
    assert accounts.NOBODY.role is None
