"""The audit on the running server: every write, every refusal, every look at names; and no secret."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from alerts.model import Changes
from dashboard.server import audit
from dashboard.server.audit import LOOKS_WITHIN_MS, STRANGERS_MOST
from dashboard.server.rights import Role
from dashboard.server.throttle import Few, Once
from gateway.store.audit import Audited
from gateway.store.contract import Batch
from sensors.inputs import Ticked, pack
from tests.dashboard.desk import NOW, PASSWORD, Running, alarm, browser, local, message, running
from tests.dashboard.doors import as_role, with_token

ACK = {"do": "acknowledge", "alarm": "A000001", "note": "王芳 has the key 4711"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as server:
        yield server


async def lines(server: Running) -> Sequence[Audited]:
    """Oldest first."""
    return [line for _, line in reversed(await server.store.audit.page(limit=1000))]


async def told(server: Running) -> list[tuple[str, str, str, str]]:
    return [(line.who, line.what, line.about, line.outcome) for line in await lines(server)]


async def test_every_write_is_a_line_with_its_end(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as page, page.post("/api/v1/actions", json=ACK):
        server.path.refuse = "alarm_closed"
        async with page.post("/api/v1/actions", json=ACK):
            pass
        body = {"user": "li", "password": "a password 4711", "role": "staff"}
        async with page.post("/api/v1/users", json=body):
            pass
        async with page.post("/api/v1/users/li", json={"role": "viewer", "disabled": True, "password": "word 4711"}):
            pass
        async with page.post("/api/v1/tokens", json={"name": "grafana", "role": "viewer", "days": None}) as answer:
            secret = (await answer.json())["secret"]
        async with page.post("/api/v1/quarantine/7/discard", json={}):
            pass
        async with page.post("/api/v1/logout", json={}):
            pass
    admin = "a admin"
    assert await told(server) == [
        (admin, "login", admin, "done"),
        (admin, "acknowledge", "A000001", "done"),
        (admin, "acknowledge", "A000001", "alarm_closed"),
        (admin, "user.add", "li staff", "done"),
        (admin, "user.change", "li viewer disabled password", "done"),
        (admin, "token.add", "grafana viewer", "done"),
        (admin, "quarantine.discard", "7", "not_found"),
        (admin, "logout", "", "done"),
    ]
    whole = await lines(server)
    assert {line.address for line in whole} == {"127.0.0.1"}
    assert all(abs(line.at - server.doors.now()) < 60_000 for line in whole)
    for forbidden in ("4711", PASSWORD, secret, "王芳"):
        assert forbidden not in str(whole)


async def test_what_is_refused_is_a_line_too(server: Running) -> None:
    async with browser(server) as stranger:
        async with stranger.post("/api/v1/actions", json=ACK):
            pass
        async with stranger.post("/api/v1/nothing", json={}):
            pass
        for name in ("wang", PASSWORD):
            async with stranger.post("/api/v1/login", json={"user": name, "password": "guess"}):
                pass
    async with as_role(server, Role.VIEWER) as viewer:
        async with viewer.post("/api/v1/actions", json=ACK):
            pass
        async with viewer.post("/api/v1/actions", json=ACK, headers={"X-CSRF-Token": "guessed"}):
            pass
        async with viewer.post("/api/v1/actions", json=ACK, headers={"Origin": "http://evil.example"}):
            pass
    assert [line for line in await told(server) if line[3] != "done"] == [
        ("", "/api/v1/actions", "", "login_needed"),
        ("", "", "", "not_found"),
        ("", "login", "wang", "bad_login"),
        # Who is nobody here may have typed a password in the wrong place: it is not kept.
        ("", "login", "", "bad_login"),
        ("a viewer", "acknowledge", "A000001", "not_allowed"),
        ("a viewer", "/api/v1/actions", "", "bad_csrf"),
        ("a viewer", "/api/v1/actions", "", "bad_origin"),
    ]


async def test_a_program_the_command_and_a_link_leave_lines(server: Running) -> None:
    async with with_token(server, Role.STAFF) as program, program.post("/api/v1/actions", json=ACK):
        pass
    async with local(server) as command, command.post("/api/v1/actions", json=ACK):
        pass
    changes = Changes(alarms={"A000001": alarm()}, messages={"M000001": message()})
    await server.store.journal.commit(Batch("h1", 0, 1, NOW, pack([Ticked(NOW)]), changes))
    link = server.links.url("h1", "M000001", server.doors.now()).rpartition("/a/")[2]
    async with browser(server) as phone, phone.post(f"/a/{link}"):
        pass
    token = await server.doors.entry("visitor")
    async with browser(server) as page, page.get(f"/enter/{token}", allow_redirects=False):
        pass
    found = await told(server)
    assert found[0] == ("token:a staff", "acknowledge", "A000001", "done")
    assert found[1][0].startswith("local:")
    assert found[1][1:] == ("acknowledge", "A000001", "done")
    assert found[2] == ("link:wang", "answer_message", "M000001", "done")
    assert found[3] == ("visitor", "enter", "", "done")
    assert link not in str(found)
    assert token not in str(found)


async def test_a_look_at_names_is_one_line_a_page_for_a_while(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async with as_role(server, Role.STAFF) as page:
        for _ in range(3):
            for path in ("/api/v1/alarms", "/api/v1/tickets", "/api/v1/devices"):
                async with page.get(path):
                    pass
            async with page.ws_connect("/api/v1/live") as socket:
                await socket.receive_json(timeout=5)
        looks = [line for line in await told(server) if line[3] == "look"]
        # The devices' page has no names on it.
        assert looks == [("a staff", f"/api/v1/{place}", "", "look") for place in ("alarms", "tickets", "live")]
        now = server.doors.now()
        monkeypatch.setattr(server.app[audit.AUDITOR], "_now", lambda: now + LOOKS_WITHIN_MS + 1000)
        async with page.get("/api/v1/alarms"):
            pass
        assert len([line for line in await told(server) if line[3] == "look"]) == 4
    async with as_role(server, Role.STAFF) as other_session, other_session.get("/api/v1/alarms"):
        pass
    assert len([line for line in await told(server) if line[3] == "look"]) == 5


async def test_who_sees_no_names_looks_at_none(server: Running) -> None:
    for role in (Role.VIEWER, Role.MAINTAINER, None):
        async with as_role(server, role) as page:
            async with page.get("/api/v1/alarms"):
                pass
            async with page.ws_connect("/api/v1/live") as socket:
                await socket.receive_json(timeout=5)
    assert not [line for line in await told(server) if line[3] == "look"]


async def test_invented_names_are_no_look(tmp_path: Path) -> None:
    async with running(tmp_path, open_names=True) as server, as_role(server, Role.ADMIN) as page:
        async with page.get("/api/v1/alarms"):
            pass
        assert not [line for line in await told(server) if line[3] == "look"]


async def test_strangers_do_not_fill_the_store(server: Running) -> None:
    async with browser(server) as stranger:
        for _ in range(20):
            async with stranger.post("/api/v1/actions", json=ACK):
                pass
    assert len(await lines(server)) == 1
    once, few = Once(1000, most=2), Few(STRANGERS_MOST)
    assert [once.first("a", at) for at in (0, 1, 999, 1000)] == [True, False, False, True]
    assert [once.first(word, 1000) for word in ("b", "c", "a")] == [True, True, True], "two are remembered"
    assert sum(few.another(at) for at in range(1000)) == STRANGERS_MOST
    assert few.another(60_000)
    assert few.another(60_001)


async def test_an_answer_does_not_wait_for_a_store_that_hangs(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def hangs(line: Audited) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(audit, "STORE_LIMIT_S", 0.05)
    async with as_role(server, Role.STAFF) as page:
        monkeypatch.setattr(server.app[audit.AUDITOR].lines, "add", hangs)
        with caplog.at_level(logging.WARNING):
            async with asyncio.timeout(20), page.post("/api/v1/actions", json=ACK) as answer:
                assert answer.status == 200
    assert "acknowledge" in caplog.text, "the line is in the log instead"
    assert "4711" not in caplog.text


async def test_the_audit_is_listed_for_an_admin(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as admin:
        for n in range(3):
            async with admin.post("/api/v1/actions", json={"do": "acknowledge", "alarm": f"A{n}"}):
                pass
        async with admin.get("/api/v1/audit?limit=2&who=a%20admin") as answer:
            first = await answer.json()
        assert [one["about"] for one in first["items"]] == ["A2", "A1"]
        async with admin.get("/api/v1/audit", params={"limit": 2, "before": first["next"]}) as answer:
            rest = await answer.json()
        assert [(one["who"], one["what"], one["about"]) for one in rest["items"]] == [
            ("a admin", "acknowledge", "A0"),
            ("a admin", "login", "a admin"),
        ]
        async with admin.get("/api/v1/audit?who=nobody") as answer:
            assert await answer.json() == {"items": [], "next": None}
