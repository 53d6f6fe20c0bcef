"""What a stranger's page, a stranger on the way and a stranger at the proxy cannot do: each refusal is tried."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import trustme
from multidict import CIMultiDict

from dashboard.server.rights import Role
from dashboard.server.serve import ListenError, serving
from tests.dashboard.desk import PASSWORD, Running, browser, local, running
from tests.dashboard.doors import as_role, code_of, with_token
from tests.dashboard.test_roles import addresses, place_of

# A signed link is its own proof, and a mail program may send no Origin; a first login has no session to guard yet.
PROOFS_OF_THEIR_OWN = {"/a/{token}"}
STRANGE = ["http://evil.example", "https://127.0.0.1", "null", "", "file://", "http://127.0.0.1.evil.example"]


def writes(server: Running) -> list[str]:
    """Every address of the running server that changes something; those that only show are GET."""
    methods = {method for method, _ in addresses(server.app)}
    assert methods == {"GET", "POST"}, "another method needs its line here"
    found = [path for method, path in addresses(server.app) if method == "POST"]
    assert len(found) > 15
    return [place_of(path) for path in sorted(found) if path not in PROOFS_OF_THEIR_OWN]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as server:
        yield server


async def test_no_write_comes_from_another_page(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as page:
        for path in writes(server):
            for origin in STRANGE:
                async with page.post(path, json={}, headers={"Origin": origin}) as answer:
                    assert (answer.status, await code_of(answer)) == (403, "bad_origin"), (path, origin)
    assert not server.path.acted


async def test_no_write_comes_without_the_sessions_token(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as page:
        token = page.headers.pop("X-CSRF-Token")
        for path in writes(server):
            for wrong in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": token[:-1]}, {"X-CSRF-Token": token + "x"}):
                async with page.post(path, json={}, headers=wrong) as answer:
                    assert (answer.status, await code_of(answer)) == (403, "bad_csrf"), path
    assert not server.path.acted


@pytest.mark.parametrize("origin", STRANGE)
async def test_no_other_page_opens_the_live_link(server: Running, origin: str) -> None:
    async with as_role(server, Role.ADMIN) as page:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await page.ws_connect("/api/v1/live", headers={"Origin": origin})
        assert refused.value.status == 403


async def test_another_name_for_us_is_refused(server: Running) -> None:
    """DNS rebinding: a stranger's name that points to this machine."""
    async with browser(server) as page:
        for path in ("/", "/api/v1/alarms", "/api/v1/live"):
            async with page.get(path, headers={"Host": "evil.example"}) as answer:
                assert await code_of(answer) == "bad_host"


async def test_a_program_needs_neither_origin_nor_csrf_and_a_cookie_does_not_help_it(server: Running) -> None:
    body = {"do": "acknowledge", "alarm": "A1"}
    async with with_token(server, Role.STAFF) as program:
        async with program.post("/api/v1/actions", json=body) as answer:
            assert answer.status == 200
        for headers in ({"Authorization": "Bearer x"}, {"Authorization": "Bearer x", "Origin": server.url}):
            async with program.post("/api/v1/actions", json=body, headers=headers) as answer:
                assert await code_of(answer) == "bad_token"
    assert server.path.acted[0][0] == "token:a staff"


# -- on the way


async def test_over_tls_the_cookie_goes_by_nothing_else(tmp_path: Path, server: Running) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(str(cert))
    issued.private_key_pem.write_to_path(str(key))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    (tmp_path / "tls").mkdir()
    async with running(tmp_path / "tls", base_url="https://127.0.0.1", tls=(cert, key)) as secured:
        url = f"https://127.0.0.1:{secured.served.port}"
        body = {"user": "wang", "password": PASSWORD}
        connector = aiohttp.TCPConnector(ssl=trusting)
        async with aiohttp.ClientSession(url, connector=connector) as page:
            async with page.post(
                "/api/v1/login", json=body, headers={"Origin": url.replace("https", "http")}
            ) as answer:
                assert await code_of(answer) == "bad_origin", "a page that came in the clear is not ours"
            async with page.post("/api/v1/login", json=body, headers={"Origin": url}) as answer:
                assert answer.status == 200
                cookie = answer.headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Secure", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        async with aiohttp.ClientSession(url.replace("https", "http")) as clear:
            with pytest.raises(aiohttp.ClientError):
                await clear.get("/")
    key.write_text("no key")
    with pytest.raises(ListenError, match=r"key\.pem"):
        async with serving(server.app, "127.0.0.1", 0, None, (cert, key)):
            pass


# -- at the proxy


@pytest.mark.parametrize(
    ("behind", "told", "address"),
    [
        (False, "203.0.113.9", "127.0.0.1"),
        (True, "203.0.113.9", "203.0.113.9"),
        # What a visitor wrote stands before what our proxy has seen.
        (True, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (True, "2001:db8::1", "2001:db8::1"),
        (True, "rubbish", "127.0.0.1"),
        (True, "", "127.0.0.1"),
    ],
)
async def test_only_a_proxy_of_ours_says_from_where(tmp_path: Path, told: str, address: str, *, behind: bool) -> None:
    async with running(tmp_path, behind_proxy=behind) as server, browser(server) as page:
        body = {"user": "wang", "password": "guess"}
        async with page.post("/api/v1/login", json=body, headers={"X-Forwarded-For": told}) as answer:
            assert answer.status == 401
        ((_, line),) = await server.store.audit.page()
        assert line.address == address


@pytest.mark.parametrize(
    ("behind", "told", "secure"),
    [
        (False, ["https"], False),
        (True, ["https"], True),
        (True, ["HTTPS"], True),
        (True, ["http"], False),
        (True, [], False),
        (True, ["rubbish"], False),
        # The last word is our proxy's own, in one line or in two.
        (True, ["https, http"], False),
        (True, ["http, https"], True),
        (True, ["http", "https"], True),
        (True, ["https", "http"], False),
    ],
)
async def test_only_a_proxy_of_ours_says_by_which_scheme(
    tmp_path: Path, told: list[str], *, behind: bool, secure: bool
) -> None:
    async with running(tmp_path, behind_proxy=behind) as server, browser(server) as page, browser(server) as other:
        headers = CIMultiDict([("X-Forwarded-Proto", one) for one in told])
        body = {"user": "wang", "password": PASSWORD}
        async with page.post("/api/v1/login", json=body, headers=headers) as answer:
            # The page of the test says that it came in the clear.
            assert await code_of(answer) == ("bad_origin" if secure else "")
        headers["Origin"] = server.url.replace("http:", "https:")
        async with other.post("/api/v1/login", json=body, headers=headers) as answer:
            assert answer.status == 200
            assert ("Secure" in answer.headers["Set-Cookie"]) is secure


async def test_a_guesser_behind_the_proxy_locks_nobody_else_out(tmp_path: Path) -> None:
    async with running(tmp_path, behind_proxy=True) as server, browser(server) as page:
        for code in ["bad_login"] * 5 + ["too_many_logins"]:
            body = {"user": "wang", "password": "guess"}
            async with page.post("/api/v1/login", json=body, headers={"X-Forwarded-For": "203.0.113.9"}) as answer:
                assert await code_of(answer) == code
        body = {"user": "wang", "password": PASSWORD}
        async with page.post("/api/v1/login", json=body, headers={"X-Forwarded-For": "203.0.113.10"}) as answer:
            assert answer.status == 200


async def test_the_socket_is_no_way_around_for_a_page(server: Running) -> None:
    """Only who runs the server opens it, so nothing is asked of it; it is nobody's over TCP."""
    async with local(server) as command, command.get("/api/v1/users") as answer:
        assert answer.status == 200
    async with browser(server) as page, page.get("/api/v1/users", headers={"X-Local": "root"}) as answer:
        assert await code_of(answer) == "login_needed"


async def test_what_no_store_takes_as_text_is_refused_before_it_gets_there(server: Running) -> None:
    """PostgreSQL knows no NUL in a text: it would say that the store refuses, where the question is wrong."""
    async with as_role(server, Role.ADMIN) as page:
        for path in ("events?about=%00", "audit?who=%00", "audit?about=%00", "events?about=" + "x" * 201):
            async with page.get(f"/api/v1/{path}") as answer:
                assert (answer.status, await code_of(answer)) == (400, "bad_query"), path
        for sort in ("alarms", "tickets", "runs"):
            async with page.get(f"/api/v1/{sort}?before=1,%00") as answer:
                assert (answer.status, await code_of(answer)) == (400, "bad_query"), sort
        for path, code in (("alarms", "no_such_alarm"), ("runs", "no_such_run"), ("devices", "no_such_device")):
            async with page.get(f"/api/v1/{path}/%00") as answer:
                assert (answer.status, await code_of(answer)) == (404, code), path
