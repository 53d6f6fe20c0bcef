from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.model import MessageState, Note
from alerts.notify.links import Link
from sensors.actions import AnswerMessage
from tests.dashboard.desk import Running, browser, message, real_now, running


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as server:
        note = Note("alarm.raised", (("kind", "fire"), ("subject", "<b>x</b>")))
        server.view.book.messages["M000001"] = message(note=note)
        yield server


def path_of(server: Running, id: str = "M000001", *, expires: int | None = None, hall: str = "h1") -> str:
    return f"/a/{server.links.token(Link(hall, id, expires or real_now() + 60_000))}"


async def test_opening_the_link_shows_and_does_nothing(server: Running) -> None:
    text = ""
    async with browser(server) as page:
        for method in ("GET", "HEAD", "GET"):
            async with page.request(method, path_of(server)) as answer:
                assert answer.status == 200
                text = await answer.text()
    assert "火警" in text
    assert "Fire" in text
    assert "<b>x</b>" not in text
    assert "&lt;b&gt;x" in text
    assert '<form method="post">' in text
    assert "<script" not in text
    assert "wang" not in text
    assert not server.path.acted


async def test_the_button_answers_once(server: Running) -> None:
    path = path_of(server)
    async with browser(server) as page:
        # Without Origin too: a mail program's own browser may send none, and the token is the proof.
        async with page.post(path, headers={"Origin": "null"}) as answer:
            assert answer.status == 200
            assert "Acknowledged" in await answer.text()
        assert server.path.acted == [("wang", AnswerMessage("M000001"))]
        sent = server.view.book.messages["M000001"]
        server.view.book.messages["M000001"] = replace(sent, answered=1, state=MessageState.ANSWERED)
        async with page.post(path) as answer:
            assert "already answered" in await answer.text()
        async with page.get(path) as answer:
            assert "already answered" in await answer.text()
    assert len(server.path.acted) == 1


async def test_what_has_ended_is_told(server: Running) -> None:
    server.path.refuse = "message_over"
    async with browser(server) as page, page.post(path_of(server)) as answer:
        assert answer.status == 409
        assert "has ended" in await answer.text()


async def test_no_other_link_does_anything(server: Running) -> None:
    good = path_of(server)
    paths = {
        good[:-3] + "AAA": 404,
        "/a/x": 404,
        path_of(server, expires=1000): 410,
        path_of(server, "M000999"): 404,
        path_of(server, hall="h9"): 404,
    }
    async with browser(server) as page:
        for path, status in paths.items():
            for method in ("GET", "POST"):
                async with page.request(method, path) as answer:
                    assert answer.status == status, (method, path)
    assert not server.path.acted


async def test_the_page_asks_for_nothing_but_its_own_style(server: Running) -> None:
    async with browser(server) as page:
        async with page.get(path_of(server)) as answer:
            text = await answer.text()
            assert answer.headers["Cache-Control"] == "no-store"
        assert "http" not in text.replace("https://", "http://").split("<body>")[0]
        async with page.get("/a/style.css") as answer:
            assert answer.content_type == "text/css"
