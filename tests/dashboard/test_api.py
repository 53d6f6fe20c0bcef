from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from alerts.model import Changes
from dashboard.server.problem import ProblemError
from dashboard.server.throttle import Throttle, places
from gateway.store.contract import Batch, Quarantined
from sensors.actions import Acknowledge
from sensors.inputs import Ticked, pack
from tests.dashboard.desk import NOW, PASSWORD, Running, alarm, browser, local, running, ticket

ACK = {"do": "acknowledge", "alarm": "A000001"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as server:
        yield server


async def commit(server: Running, changes: Changes, *quarantined: Quarantined) -> None:
    index = await server.store.journal.end("h1")
    blob = pack([Ticked(NOW)])
    await server.store.journal.commit(Batch("h1", index, 1, NOW, blob, changes, quarantined))


async def code(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    body = await answer.json()
    assert body["status"] == answer.status
    return answer.status, body["code"]


# -- actions


async def test_an_action_is_done_by_who_is_logged_in(server: Running) -> None:
    async with browser(server, login=True) as page, page.post("/api/v1/actions", json=ACK) as answer:
        assert answer.status == 200
        assert await answer.json() == {"refs": ["A000001"]}
    assert server.path.acted == [("wang", Acknowledge("A000001"))]


async def test_nobody_answers_a_message_in_anothers_name(server: Running) -> None:
    body = {"do": "answer_message", "message": "M000001"}
    async with browser(server, login=True) as page, page.post("/api/v1/actions", json=body) as answer:
        assert await code(answer) == (403, "forbidden")
    assert server.path.acted == []


async def test_what_the_hall_refuses_is_a_conflict_with_its_code(server: Running) -> None:
    server.path.refuse = "no_alarm"
    async with browser(server, login=True) as page, page.post("/api/v1/actions", json=ACK) as answer:
        assert await code(answer) == (409, "no_alarm")
        assert (await answer.json())["params"] == {"alarm": "A000001"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "bad_json")),
        (b"[" * 200_000, (400, "bad_json")),
        (b"\xff", (400, "bad_json")),
        (b"[]", (400, "bad_action")),
        (b'{"do": "open_the_doors"}', (400, "bad_action")),
        (b'{"do": "acknowledge", "alarm": ""}', (400, "bad_action")),
        (b'{"do": "acknowledge", "alarm": "A1", "more": 1}', (400, "bad_action")),
        (b'{"do": "acknowledge", "alarm": "a\\u0000"}', (400, "bad_action")),
        (b" " * 300_000, (413, "too_large")),
    ],
)
async def test_a_bad_body_is_answered_and_does_nothing(server: Running, body: bytes, expected: tuple[int, str]) -> None:
    headers = {"Content-Type": "application/json"}
    async with browser(server, login=True) as page:
        async with page.post("/api/v1/actions", data=body, headers=headers) as answer:
            assert await code(answer) == expected
        async with page.post("/api/v1/actions", data=b"{}", headers={"Content-Type": "text/plain"}) as answer:
            assert await code(answer) == (415, "json_needed")
    assert not server.path.acted


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/nothing", (404, "not_found")),
        ("DELETE", "/api/v1/actions", (405, "method_not_allowed")),
        ("GET", "/api/v1/alarms?hall=h9", (404, "no_hall")),
        ("GET", "/api/v1/alarms?limit=x", (400, "bad_query")),
        ("GET", "/api/v1/alarms?limit=0", (400, "bad_query")),
        ("GET", "/api/v1/alarms?before=1", (400, "bad_query")),
        ("GET", "/api/v1/history?start=0", (400, "bad_query")),
        ("GET", "/api/v1/history?start=0&end=60000&every=1000&kind=smell&field=x&device=d", (400, "bad_query")),
        ("GET", "/api/v1/history?start=0&end=99999999&every=1000&kind=queue&field=x&device=d",
         (400, "history_too_many_steps")),
        ("GET", "/api/v1/history?start=0&end=60000&every=1000&kind=queue&field=x&device=d",
         (400, "history_unknown_field")),
        ("GET", "/api/v1/live", (426, "websocket_needed")),
    ],
)  # fmt: skip
async def test_a_bad_request_has_a_stable_code(
    server: Running, method: str, path: str, expected: tuple[int, str]
) -> None:
    async with browser(server, login=True) as page, page.request(method, path) as answer:
        assert await code(answer) == expected


# -- who may


async def test_writing_needs_a_login(server: Running) -> None:
    async with browser(server) as page:
        for path in ("/api/v1/actions", "/api/v1/quarantine/1/discard"):
            async with page.post(path, json=ACK) as answer:
                assert await code(answer) == (401, "login_needed")
        async with page.get("/api/v1/quarantine") as answer:
            assert await code(answer) == (401, "login_needed")
    assert not server.path.acted


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": "http://evil.example"}, (403, "bad_origin")),
        ({"Origin": "null"}, (403, "bad_origin")),
        ({"Origin": ""}, (403, "bad_origin")),
        ({"X-CSRF-Token": "guessed"}, (403, "bad_csrf")),
        ({"X-CSRF-Token": ""}, (403, "bad_csrf")),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, (403, "bad_host")),
    ],
)
async def test_a_strangers_page_writes_nothing(
    server: Running, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    async with browser(server, login=True) as page, page.post("/api/v1/actions", json=ACK, headers=headers) as answer:
        assert await code(answer) == expected
    assert not server.path.acted


async def test_a_wrong_password_and_an_unknown_name_are_the_same(server: Running) -> None:
    async with browser(server) as page:
        for body in ({"user": "wang", "password": "x"}, {"user": "nobody", "password": PASSWORD}):
            async with page.post("/api/v1/login", json=body) as answer:
                assert await code(answer) == (401, "bad_login")


async def test_guessing_is_throttled_even_with_the_right_password_at_last(server: Running) -> None:
    async with browser(server) as page:
        for _ in range(5):
            async with page.post("/api/v1/login", json={"user": "wang", "password": "guess"}) as answer:
                assert answer.status == 401
        async with page.post("/api/v1/login", json={"user": "wang", "password": PASSWORD}) as answer:
            assert await code(answer) == (429, "too_many_logins")
            assert 0 < int(answer.headers["Retry-After"]) <= 300


@pytest.mark.parametrize(
    ("tries", "name", "address", "refused"),
    [
        # Five guesses from afar do not lock Wang out where Wang sits; nor do they lock out who sits there.
        ([("wang", "far")] * 5, "wang", "desk", False),
        ([("wang", "far")] * 5, "li", "far", False),
        ([("wang", "far")] * 4, "wang", "far", False),
        ([("wang", "far")] * 5, "wang", "far", True),
        ([("wang", f"far{n}") for n in range(49)], "wang", "desk", False),
        ([("wang", f"far{n}") for n in range(50)], "wang", "desk", True),
        ([(f"guess{n}", "far") for n in range(19)], "li", "far", False),
        ([(f"guess{n}", "far") for n in range(20)], "li", "far", True),
        # Whoever has one IPv6 address has a whole network of them.
        ([("wang", f"2001:db8::{n}") for n in range(5)], "wang", "2001:db8::ffff", True),
        ([("wang", f"2001:db8::{n}") for n in range(5)], "wang", "2001:db8:0:1::1", False),
        ([("wang", "::ffff:203.0.113.9")] * 5, "wang", "203.0.113.9", True),
        ([("wang", "::ffff:203.0.113.9")] * 5, "wang", "::ffff:203.0.113.10", False),
    ],
)
def test_who_guesses_is_throttled_and_nobody_else(
    tries: list[tuple[str, str]], name: str, address: str, *, refused: bool
) -> None:
    throttle = Throttle()
    for who, where in tries:
        for place in places(who, where):
            throttle.failed(place, NOW)
    assert any(throttle.wait_ms(place, NOW) for place in places(name, address)) is refused
    assert not any(throttle.wait_ms(place, NOW + 300_000) for place in places(name, address))


async def test_a_stranger_locks_nobody_out(server: Running) -> None:
    for expected in ["bad_login"] * 5 + ["too_many_logins"]:
        with pytest.raises(ProblemError) as refused:
            await server.doors.login("wang", "guess", "far")
        assert refused.value.code == expected
    _, session = await server.doors.login("wang", PASSWORD, "desk")
    assert session.user == "wang"


async def test_a_login_brings_a_session_of_its_own_and_ends_the_one_before(server: Running) -> None:
    body = {"user": "wang", "password": PASSWORD}
    async with browser(server) as page:
        # Whoever has planted a cookie does not know the one of the login.
        async with page.post("/api/v1/login", json=body, headers={"Cookie": "hallwatch=planted"}) as answer:
            first = answer.cookies["hallwatch"].value
            page.headers["X-CSRF-Token"] = (await answer.json())["csrf"]
        assert first != "planted"
        async with page.post("/api/v1/login", json=body) as answer:
            assert answer.cookies["hallwatch"].value != first
    kept = {"Cookie": f"hallwatch={first}"}
    async with aiohttp.ClientSession(server.url, headers=kept) as old, old.get("/api/v1/users") as answer:
        assert await code(answer) == (401, "login_needed")


async def test_the_cookie_is_out_of_reach_and_ends_with_the_logout(server: Running) -> None:
    async with browser(server) as page:
        async with page.post("/api/v1/login", json={"user": "wang", "password": PASSWORD}) as answer:
            cookie = answer.headers["Set-Cookie"]
            page.headers["X-CSRF-Token"] = (await answer.json())["csrf"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        token = cookie.split("=")[1].split(";")[0]
        async with page.post("/api/v1/logout", json={}) as answer:
            assert answer.status == 200
        async with page.post("/api/v1/actions", json=ACK, headers={"Cookie": f"hallwatch={token}"}) as answer:
            assert await code(answer) == (401, "login_needed")


async def test_the_entry_link_works_once(server: Running) -> None:
    token = await server.doors.entry("visitor")
    async with browser(server) as page:
        async with page.get(f"/enter/{token}", allow_redirects=False) as answer:
            assert answer.status == 303
            assert "hallwatch=" in answer.headers["Set-Cookie"]
        async with page.get("/api/v1/quarantine") as answer:
            assert answer.status == 200
    async with browser(server) as other, other.get(f"/enter/{token}", allow_redirects=False) as answer:
        assert answer.status == 303
        assert "Set-Cookie" not in answer.headers


async def test_the_command_on_this_machine_is_trusted(server: Running) -> None:
    assert server.socket.stat().st_mode & 0o777 == 0o600
    async with local(server) as command:
        async with command.post("/api/v1/actions", json=ACK) as answer:
            assert answer.status == 200
        async with command.post(
            "/api/v1/users", json={"user": "li", "password": "long enough", "role": "staff"}
        ) as answer:
            assert answer.status == 201
        async with command.post(
            "/api/v1/users", json={"user": "li", "password": "long enough", "role": "staff"}
        ) as answer:
            assert await code(answer) == (409, "name_taken")
        async with command.post("/api/v1/users", json={"user": "zhao", "password": "short", "role": "staff"}) as answer:
            assert await code(answer) == (400, "bad_password")
    assert server.path.acted[0][0].startswith("local:")


# -- look-ups


async def test_alarms_and_tickets_by_pages_and_names_for_whom_they_are(server: Running) -> None:
    changes = Changes(
        alarms={
            f"A{n:06d}": alarm(f"A{n:06d}", raised=NOW + n, acknowledged=NOW, acknowledged_by="wang") for n in range(5)
        },
        tickets={
            "T000001": replace(ticket(), opened_by="p1"),
            "T000002": replace(ticket(), id="T000002", key="fault/zone/z", opened_by="li", text="王芳的椅子坏了"),
        },
    )
    await commit(server, changes)
    async with browser(server) as stranger, browser(server, login=True) as page:
        async with page.get("/api/v1/alarms?limit=3") as answer:
            first = await answer.json()
        assert [one["id"] for one in first["items"]] == ["A000004", "A000003", "A000002"]
        assert first["items"][0]["acknowledged_by"] == {"zh": "王芳", "en": "Wang Fang"}
        async with page.get("/api/v1/alarms", params={"limit": 3, "before": first["next"]}) as answer:
            second = await answer.json()
        assert [one["id"] for one in second["items"]] == ["A000001", "A000000"]
        assert second["next"] is None
        for path in ("alarms", "tickets", "runs", "events", "devices", "status"):
            async with stranger.get(f"/api/v1/{path}") as answer:
                assert answer.status == 200
                text = await answer.text()
            assert "wang" not in text
            assert "王芳" not in text
        async with page.get("/api/v1/tickets") as answer:
            tickets = {one["id"]: one for one in (await answer.json())["items"]}
        assert tickets["T000001"]["note"] == "王芳处理"
        assert tickets["T000002"]["text"] == "王芳的椅子坏了"
        async with stranger.get("/api/v1/tickets") as answer:
            assert {one["id"]: one.get("text", "") for one in (await answer.json())["items"]} == {
                "T000001": ticket().text,
                "T000002": "",
            }


async def test_the_quarantine_is_replayed_or_discarded(server: Running) -> None:
    held = [
        Quarantined("h1", NOW, "d1", "t", payload, len(payload), "00", "bad_json", "no JSON")
        for payload in (b"rubbish", b"mended\xff")
    ]
    await commit(server, Changes(), *held)
    async with browser(server, login=True) as page:
        async with page.get("/api/v1/quarantine") as answer:
            mended, rubbish = (await answer.json())["items"]
        assert mended["text"] == "mended�"
        async with page.post(f"/api/v1/quarantine/{rubbish['id']}/replay") as answer:
            assert await code(answer) == (409, "bad_json")
        async with page.post(f"/api/v1/quarantine/{mended['id']}/replay") as answer:
            assert answer.status == 200
        async with page.post(f"/api/v1/quarantine/{rubbish['id']}/discard") as answer:
            assert answer.status == 200
        async with page.post(f"/api/v1/quarantine/{rubbish['id']}/discard") as answer:
            assert await code(answer) == (409, "not_held")
        async with page.post("/api/v1/quarantine/999/discard") as answer:
            assert await code(answer) == (404, "not_found")


async def test_a_message_is_mended_and_replayed_and_who_did_it_is_kept(server: Running) -> None:
    await commit(server, Changes(), Quarantined("h1", NOW, "d1", "t/1", b"rubbish", 7, "00", "invalid_json", "no JSON"))
    async with browser(server, login=True) as page:
        async with page.get("/api/v1/quarantine") as answer:
            (held,) = (await answer.json())["items"]
        assert held["settled"] is None
        place = f"/api/v1/quarantine/{held['id']}"
        for wrong in ({"topic": "a/#"}, {"topic": ""}, {"text": "a", "base64": "YQ=="}, {"base64": "YQ"}, {"more": 1}):
            async with page.post(f"{place}/replay", json=wrong) as answer:
                assert await code(answer) == (400, "bad_action")
        async with page.post(f"{place}/replay", json={"text": "rubbish"}) as answer:
            assert await code(answer) == (409, "bad_json")
        async with page.post(f"{place}/replay", json={"topic": "t/2", "text": '{"value": 1}'}) as answer:
            assert answer.status == 200
        topic, payload = server.replayed[-1].topic, server.replayed[-1].payload
        assert (server.replayed[-1].by, topic, payload) == ("wang", "t/2", b'{"value": 1}')
        async with page.post(f"{place}/discard") as answer:
            assert answer.status == 200
        async with page.get("/api/v1/quarantine?state=discarded") as answer:
            (row,) = (await answer.json())["items"]
        assert (row["topic"], row["text"]) == ("t/1", "rubbish")
        assert row["settled"] == {"by": {"zh": "王芳", "en": "Wang Fang"}, "at": NOW, "topic": None}


async def test_a_long_message_is_shown_by_its_beginning_and_whole_to_who_mends_it(server: Running) -> None:
    long = b'{"value": "' + b"x" * 5000 + b'"}'
    await commit(server, Changes(), Quarantined("h1", NOW, "d1", "t/1", long, len(long), "00", "invalid_value", "no"))
    async with browser(server, login=True) as page:
        async with page.get("/api/v1/quarantine") as answer:
            (held,) = (await answer.json())["items"]
        assert (len(held["text"]), held["length"]) == (2048, len(long))
        async with page.get(f"/api/v1/quarantine?state=all&whole=1&limit=1&before={held['id'] + 1}") as answer:
            (whole,) = (await answer.json())["items"]
        assert (whole["id"], whole["text"].encode()) == (held["id"], long)
        async with page.get("/api/v1/quarantine?whole=yes") as answer:
            assert await code(answer) == (400, "bad_query")


async def test_every_answer_is_guarded(server: Running) -> None:
    async with browser(server) as page:
        for path in ("/", "/api/v1/status", "/api/v1/nothing", "/a/rubbish", "/enter/x"):
            async with page.get(path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'self'" in policy
                assert "unsafe-inline" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_page_that_is_not_built_says_what_to_do(server: Running) -> None:
    async with browser(server) as page, page.get("/") as answer:
        assert answer.status == 503
        assert "make setup" in await answer.text()


async def test_the_pages_files_are_served_and_nothing_beside_them(tmp_path: Path) -> None:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<p>hall</p>", encoding="utf-8")
    (static / "icon.svg").write_text("<svg/>", encoding="utf-8")
    (static / "assets" / "a-1234.js").write_text("1", encoding="utf-8")
    (static / ".stamp").write_text("secret", encoding="utf-8")
    async with running(tmp_path, static=static) as server, browser(server) as page:
        for path in ("/", "/icon.svg", "/assets/a-1234.js"):
            async with page.get(path) as answer:
                assert answer.status == 200
        for path in ("/.stamp", "/store.db", "/assets/../store.db", "/assets/%2e%2e/%2e%2e/store.db", "/assets"):
            async with page.get(path) as answer:
                assert answer.status in {403, 404}, path
