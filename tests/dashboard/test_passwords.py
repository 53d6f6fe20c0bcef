"""Passwords: how they are kept, chosen by a one-time link, renewed; and how long a login lasts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from argon2 import Type, extract_parameters

from dashboard.server.accounts import IDLE_MS, LONGEST_MS, Doors
from dashboard.server.invites import LASTS_MS, Invite
from dashboard.server.rights import Role
from tests.dashboard.desk import PASSWORD, Running, browser, local, real_now, running
from tests.dashboard.doors import as_role, code_of

NEW = "a new password"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, open_view=False) as server:
        yield server


async def test_what_is_kept_is_argon2id_at_the_cost_that_is_advised(server: Running) -> None:
    doors = Doors(server.store.accounts, real_now)
    await doors.add("li", NEW, Role.STAFF)
    user = await server.store.accounts.user("li")
    assert user is not None
    assert NEW not in user.password
    how = extract_parameters(user.password)
    # RFC 9106 §4, the second recommended option: 64 MiB, three passes, four lanes.
    assert (how.type, how.memory_cost, how.time_cost, how.parallelism) == (Type.ID, 65536, 3, 4)
    assert (how.salt_len, how.hash_len) == (16, 32)
    _, session = await doors.login("li", NEW, "desk")
    assert session.user == "li"


# -- by a one-time link


async def added(admin: aiohttp.ClientSession, name: str = "li") -> tuple[str, str]:
    """A new user; returns the name and the token of the link."""
    async with admin.post("/api/v1/users", json={"user": name, "role": "staff"}) as answer:
        assert answer.status == 201
        return opened((await answer.json())["link"])


def opened(link: str) -> tuple[str, str]:
    """Whom a link is for, and its token, both behind the #, where no server hears of them."""
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.path, parts.query) == ("http", "127.0.0.1", "/", "")
    place, _, query = parts.fragment.partition("?")
    return parse_qs(query)["user"][0], place.removeprefix("/password/")


async def chosen(server: Running, who: tuple[str, str], password: str = NEW) -> str:
    """The refusal that whoever opens a link hears, "" for none."""
    body = {"user": who[0], "token": who[1], "password": password}
    async with browser(server) as page, page.post("/api/v1/password", json=body) as answer:
        if answer.status == 200:
            page.headers["X-CSRF-Token"] = (await answer.json())["csrf"]
            async with page.get("/api/v1/alarms") as alarms:
                assert alarms.status == 200, "and is logged in"
        return await code_of(answer)


async def listed(admin: aiohttp.ClientSession, name: str = "li") -> dict[str, Any]:
    async with admin.get("/api/v1/users") as answer:
        items = (await answer.json())["items"]
    found = next(one for one in items if one["user"] == name)
    assert isinstance(found, dict)
    return found


async def test_a_new_user_chooses_the_password_by_a_link_once(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as admin:
        link = await added(admin, "李 四&x=1")
        assert link[0] == "李 四&x=1"
        shown = await listed(admin, link[0])
        assert (shown["password"], shown["disabled"]) == (False, False)
        assert abs(shown["link_until"] - LASTS_MS - server.doors.now()) < 60_000
        kept = await server.store.accounts.user(link[0])
        assert kept is not None
        assert link[1] not in str(kept), "a hash of it is kept"
        assert link[1] not in str(await server.store.audit.page(limit=1000))
        for guess in ("", "!", link[1], kept.password):
            body = {"user": link[0], "password": guess}
            async with browser(server) as page, page.post("/api/v1/login", json=body) as answer:
                assert answer.status in {400, 401, 429}
        for wrong in ((link[0], "guessed"), (link[0], ""), ("wang", link[1]), ("nobody", link[1])):
            assert await chosen(server, wrong) == "link_used"
        assert await chosen(server, link, "short") == "bad_password"
        assert await chosen(server, link) == ""
        assert await chosen(server, link) == "link_used"
        shown = await listed(admin, link[0])
        assert (shown["password"], shown["link_until"]) == (True, None)


async def test_a_link_ends_after_a_day_with_the_next_one_and_with_its_user(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as admin:
        first = await added(admin)
        async with admin.post("/api/v1/users/li/link", json={}) as answer:
            second = opened((await answer.json())["link"])
        assert await chosen(server, first) == "link_used"
        now = server.doors.now()
        server.doors.now = lambda: now + LASTS_MS + 1000
        assert await chosen(server, second) == "link_used"
        server.doors.now = lambda: now
        for disabled, code in ((True, "link_used"), (False, "")):
            async with admin.post("/api/v1/users/li", json={"disabled": disabled}) as answer:
                assert answer.status == 200
            assert await chosen(server, second) == code


async def test_a_reset_ends_the_old_password_and_every_session_of_it(server: Running) -> None:
    async with as_role(server, Role.STAFF) as page, as_role(server, Role.ADMIN) as admin:
        socket = await page.ws_connect("/api/v1/live")
        await socket.receive_json(timeout=30)
        async with admin.post("/api/v1/users/a%20staff/link", json={}) as answer:
            link = opened((await answer.json())["link"])
        await gone(socket)
        body = {"user": "a staff", "password": PASSWORD}
        async with browser(server) as again, again.post("/api/v1/login", json=body) as answer:
            assert await code_of(answer) == "bad_login"
        assert await chosen(server, link) == ""
        # One's own is renewed by the old one: a link on a screen that has just logged out would be lost.
        async with admin.post("/api/v1/users/a%20admin/link", json={}) as answer:
            assert await code_of(answer) == "own_link"
        async with admin.post("/api/v1/users/nobody/link", json={}) as answer:
            assert await code_of(answer) == "no_user"
    async with local(server) as command, command.post("/api/v1/users/wang/link", json={}) as answer:
        assert answer.status == 200, "who has forgotten everything asks on the machine itself"


async def test_two_who_open_a_link_at_once_are_one(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as admin:
        link = await added(admin)
    codes = await asyncio.gather(*(chosen(server, link, f"{NEW} {n}") for n in range(2)))
    assert sorted(codes) == ["", "link_used"]


def test_what_is_written_is_read() -> None:
    invite = Invite("0a" * 32, 1_760_000_000_000)
    assert Invite.read(invite.written()) == invite
    assert Invite.read("!") is None
    assert Invite.read("$argon2id$v=19$m=64,t=1,p=1$x$y") is None


# -- by who knows the old one


async def test_ones_own_password_is_renewed_and_other_logins_end(server: Running) -> None:
    async with as_role(server, Role.VIEWER) as page, as_role(server, Role.VIEWER) as elsewhere:
        socket = await elsewhere.ws_connect("/api/v1/live")
        await socket.receive_json(timeout=30)
        for old, new, code in (("guess", NEW, "bad_login"), (PASSWORD, "short", "bad_password")):
            async with page.post("/api/v1/me/password", json={"old": old, "new": new}) as answer:
                assert await code_of(answer) == code
        async with page.post("/api/v1/me/password", json={"old": PASSWORD, "new": NEW}) as answer:
            told = await answer.json()
        await gone(socket)
        async with elsewhere.get("/api/v1/alarms") as answer:
            assert await code_of(answer) == "login_needed"
        page.headers["X-CSRF-Token"] = told["csrf"]
        async with page.get("/api/v1/alarms") as answer:
            assert answer.status == 200
    body = {"old": NEW, "new": PASSWORD}
    async with browser(server) as stranger, stranger.post("/api/v1/me/password", json=body) as answer:
        assert await code_of(answer) == "login_needed"


async def test_who_guesses_at_an_open_page_is_throttled_too(server: Running) -> None:
    async with as_role(server, Role.VIEWER) as page:
        for code in ["bad_login"] * 5 + ["too_many_logins"]:
            async with page.post("/api/v1/me/password", json={"old": "guess", "new": NEW}) as answer:
                assert await code_of(answer) == code


# -- how long a login lasts


async def gone(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Wait until the server has closed a page for want of a login."""
    async with asyncio.timeout(30):
        while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
            pass
    assert socket.close_code == 1008


async def test_a_login_ends_half_an_hour_after_its_last_use(server: Running) -> None:
    clock = [now := server.doors.now()]
    server.doors.now = lambda: clock[0]
    async with as_role(server, Role.VIEWER) as page:
        for minutes, status in ((0, 200), (29, 200), (58, 200), (87, 200), (118, 401)):
            clock[0] = now + minutes * 60_000
            async with page.get("/api/v1/alarms") as answer:
                assert answer.status == status, minutes
    assert IDLE_MS == 30 * 60_000


async def test_no_login_lasts_longer_than_a_week_however_much_it_is_used(server: Running) -> None:
    token, session = await server.doors.login("wang", PASSWORD, "desk")
    clock = [session.created]
    server.doors.now = lambda: clock[0]
    while clock[0] < session.created + LONGEST_MS:
        assert (await server.doors.who(token)).known
        clock[0] += IDLE_MS - 1000
    clock[0] = session.created + LONGEST_MS
    assert not (await server.doors.who(token)).known


async def test_one_is_logged_out_everywhere(server: Running) -> None:
    for by_admin in (False, True):
        async with (
            as_role(server, Role.STAFF) as page,
            as_role(server, Role.STAFF) as elsewhere,
            as_role(server, Role.ADMIN) as admin,
        ):
            socket = await elsewhere.ws_connect("/api/v1/live")
            await socket.receive_json(timeout=30)
            path = "/api/v1/users/a%20staff/logout" if by_admin else "/api/v1/logout/everywhere"
            async with (admin if by_admin else page).post(path, json={}) as answer:
                assert answer.status == 200
            await gone(socket)
            for one in (page, elsewhere):
                async with one.get("/api/v1/alarms") as answer:
                    assert answer.status == 401
            async with admin.get("/api/v1/alarms") as answer:
                assert answer.status == 200, "nobody else is"
            async with admin.post("/api/v1/users/nobody/logout", json={}) as answer:
                assert await code_of(answer) == "no_user"
