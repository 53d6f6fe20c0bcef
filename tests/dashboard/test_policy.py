"""Each answer carries the content security policy; no HTML of ours holds a script or style that it would refuse."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from alerts.model import Changes
from dashboard.server.guard import HEADERS
from dashboard.server.rights import Role
from gateway.store.contract import Batch
from sensors.inputs import Ticked, pack
from tests.dashboard.desk import NOW, Running, alarm, browser, message, running
from tests.dashboard.doors import as_role
from tests.dashboard.test_roles import addresses, place_of

INDEX = Path(__file__).parents[2] / "dashboard/web/index.html"
# They end when one of us goes.
STREAMS = {"/api/v1/devices/{id}/tail"}


class Inline(HTMLParser):
    """Finds what a policy without unsafe-inline refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag."""
        given = dict(attrs)
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.found.append(tag)
        self.found += [name for name in given if name == "style" or name.startswith("on")]
        self.found += [value for value in given.values() if value and value.strip().lower().startswith("javascript:")]


def inline(text: str) -> list[str]:
    """What of a page would be refused."""
    parser = Inline()
    parser.feed(text)
    return parser.found


def test_the_policy_lets_in_nothing_but_our_own_files() -> None:
    parts = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert parts["default-src"] == "'self'"
    # What would be looser than the default has no line of its own.
    assert set(parts) == {"default-src", "object-src", "base-uri", "frame-ancestors", "form-action"}
    assert parts["object-src"] == parts["frame-ancestors"] == "'none'"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_the_look_for_what_is_inline_finds_it() -> None:
    for bad in ("<script>x</script>", "<p style='x'>", "<style>x</style>", "<a onclick=x>", "<a href='JavaScript:x'>"):
        assert inline(bad), bad
    assert not inline("<script src='x.js'></script><link rel='stylesheet' href='x.css'><a href='/x'>")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text(INDEX.read_text("utf-8"), "utf-8")
    async with running(tmp_path, static=static) as server:
        yield server


async def test_every_answer_carries_it_and_no_html_of_ours_breaks_it(server: Running, tmp_path: Path) -> None:
    changes = Changes(alarms={"A000001": alarm()}, messages={"M000001": message()})
    await server.store.journal.commit(Batch("h1", 0, 1, NOW, pack([Ticked(NOW)]), changes))
    links = [server.links.url("h1", name, server.doors.now()).rpartition("/a/")[2] for name in ("M000001", "M9")]
    asked = [(method, place_of(path)) for method, path in addresses(server.app) if path not in STREAMS]
    asked += [("GET", "/nowhere"), ("GET", "/assets/none.js"), ("PUT", "/"), ("GET", "/api/v1/nothing")]
    asked += [(method, f"/a/{link}") for link in links for method in ("GET", "POST", "POST")]
    html = 0
    for who in (None, Role.ADMIN):
        async with as_role(server, who) as page:
            for method, path in asked:
                # A logout would end what the next one needs.
                if "logout" in path and who is not None:
                    continue
                body: dict[str, str] | None = {} if method == "POST" else None
                async with page.request(method, path, json=body, allow_redirects=False) as answer:
                    for name, value in HEADERS.items():
                        assert answer.headers[name] == value, (method, path, name)
                    if answer.content_type == "text/html":
                        html += 1
                        assert inline(await answer.text()) == [], path
    assert html >= 10
    (tmp_path / "unbuilt").mkdir()
    async with running(tmp_path / "unbuilt") as unbuilt, browser(unbuilt) as page, page.get("/") as answer:
        assert answer.status == 503
        assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
        assert inline(await answer.text()) == []
