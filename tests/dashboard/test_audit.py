"""The audit on the running server: every write, every refusal, every look at names; and no secret."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.model import Changes
from dashboard.server import audit
from dashboard.server.audit import LOOKS_WITHIN_MS, STRANGERS_MOST
from dashboard.server.rights import Role
from dashboard.server.throttle import Few, Once
from gateway.store.audit import Audited
from gateway.store.contract import Batch, Quarantined
from sensors.hall.state import Origin
from sensors.inputs import Ticked, pack
from sensors.readings import Kind
from tests.dashboard.desk import NOW, PASSWORD, Running, alarm, browser, local, message, running, ticket
from tests.dashboard.doors import as_role, code_of, with_token
from tests.dashboard.test_roles import BODIES, addresses, place_of

WORDS = Path(__file__).parents[2] / "dashboard/web/src/lib/words"
# Where an address is about one thing, or asks for a range: one that is there.
IDS = {"/api/v1/alarms/{id}": "/api/v1/alarms/A000001"}
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


async def test_no_address_writes_without_a_line(server: Running) -> None:
    paths = sorted(path for method, path in addresses(server.app) if method != "GET")
    assert len(paths) > 15
    words = set()
    for path in paths:
        async with as_role(server, Role.ADMIN) as page:
            ((before, _),) = await server.store.audit.page(limit=1)
            async with page.post(place_of(path), json={}) as answer:
                ended = "done" if answer.status < 400 else f"http_{answer.status}"
                ended = await code_of(answer) if answer.content_type == "application/problem+json" else ended
            ((number, line),) = await server.store.audit.page(limit=1)
            assert number > before, path
            assert (line.who, line.outcome) == ("a admin", ended), path
            words.add(line.what)
    # And each says in a word of its own what was tried.
    assert len(words) == len(paths)


async def test_no_action_is_done_without_a_line(server: Running) -> None:
    async with as_role(server, Role.ADMIN) as page:
        for action, body in BODIES.items():
            word = action.__dataclass_fields__["do"].default
            async with page.post("/api/v1/actions", json={"do": word, **body}) as answer:
                ended = await code_of(answer) or "done"
            ((_, line),) = await server.store.audit.page(limit=1)
            assert (line.who, line.what, line.outcome) == ("a admin", word, ended)
            named = {str(value) for key, value in body.items() if key in {"alarm", "run", "ticket", "window", "device"}}
            assert named <= set(line.about.split())


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


async def test_a_line_holds_only_what_every_store_takes(server: Running) -> None:
    body = {"user": "li\x00\n", "password": "long enough", "role": "staff"}
    async with as_role(server, Role.ADMIN) as page:
        async with page.post("/api/v1/users", json=body) as answer:
            assert await code_of(answer) == "bad_name"
        for path in ("users/li%00", "users/li%00/link", "users/li%00/logout", "tokens/%00/revoke"):
            async with page.post(f"/api/v1/{path}", json={}) as answer:
                assert answer.status == 404, path
    found = (await told(server))[1:]
    assert [about for _, _, about, _ in found] == ["li?? staff", "li?", "li?", "li?", "?"]


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


async def test_no_address_shows_a_name_without_a_line(server: Running) -> None:
    held = alarm(acknowledged=NOW, acknowledged_by="wang")
    changes = Changes(alarms={held.id: held}, tickets={"T000001": ticket()}, messages={"M000001": message()})
    await server.store.journal.commit(Batch("h1", 0, 1, NOW, pack([Ticked(NOW)]), changes))
    named = set()
    for path in sorted(path for method, path in addresses(server.app) if method == "GET"):
        if path.endswith("/tail"):
            continue
        place = IDS.get(path) or place_of(path)
        async with as_role(server, Role.ADMIN) as page, page.get(place, allow_redirects=False) as answer:
            text = await answer.text()
        # A login is a session of its own, so what was seen in the one before says nothing about this one.
        (before, *_) = [line for line in reversed(await told(server)) if line[1] == "login" or line[3] == "look"]
        if "王芳" in text or "Wang Fang" in text:
            named.add(path)
            assert before == ("a admin", path, "", "look"), path
        else:
            assert before[1] == "login" or before[1] == path, path
    assert {"/api/v1/alarms", "/api/v1/alarms/{id}", "/api/v1/tickets"} <= named
    for words in (WORDS / "zh/accounts.ts", WORDS / "en/accounts.ts"):
        assert [path for path in named if f"'did.{path}'" not in words.read_text("utf-8")] == [], words


async def test_what_badges_said_is_a_look_whatever_the_role(server: Running) -> None:
    devices = server.view.state.devices
    devices["reader-1"] = replace(devices["smoke-1"], id="reader-1", kinds=(Kind.BADGE,))
    devices["new-1"] = replace(devices["smoke-1"], id="new-1", kinds=(), origin=Origin.DISCOVERED)
    for index, (device, kind) in enumerate((("smoke-1", "fire"), ("reader-1", "badge"))):
        topic = f"hallwatch/v1/h1/telemetry/{device}/{kind}"
        one = Quarantined("h1", NOW, device, topic, b"{04A1", 5, "0" * 64, "bad_json", "")
        batch = Batch("h1", index, 1, NOW, pack([Ticked(NOW)]), quarantined=(one,))
        await server.store.journal.commit(batch)
        async with as_role(server, Role.MAINTAINER) as page, page.get("/api/v1/quarantine") as answer:
            assert len((await answer.json())["items"]) == index + 1
    assert [line[1] for line in await told(server) if line[3] == "look"] == ["/api/v1/quarantine"]
    async with as_role(server, Role.MAINTAINER) as page:
        for device in devices:
            for _ in range(2):
                async with page.get(f"/api/v1/devices/{device}/messages") as answer:
                    assert answer.status == 200
            async with page.get(f"/api/v1/devices/{device}/tail") as answer:
                # It is written down before the first line, not when the page has gone.
                await answer.content.readline()
                looks = [line for line in await told(server) if line[3] == "look" and line[1].endswith("tail")]
                assert [line[2] for line in looks if line[2] == device] == ([] if device == "smoke-1" else [device])
    looks = [line for line in await told(server) if line[3] == "look" and line[1].endswith("messages")]
    path = "/api/v1/devices/{id}/messages"
    assert looks == [("a maintainer", path, device, "look") for device in ("reader-1", "new-1")]


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
    async with as_role(server, Role.MANAGER) as manager:
        for asked, found in (
            ("about=A1", ["acknowledge"]),
            ("sort=write&who=a%20manager", ["login"]),
            ("sort=look", []),
            ("sort=refused", []),
            ("until=1", []),
        ):
            async with manager.get(f"/api/v1/audit?{asked}") as answer:
                assert [one["what"] for one in (await answer.json())["items"]] == found, asked
        for wrong in ("sort=all", "since=x", "about=%00", f"who={'x' * 201}"):
            async with manager.get(f"/api/v1/audit?{wrong}") as answer:
                assert await code_of(answer) == "bad_query", wrong
