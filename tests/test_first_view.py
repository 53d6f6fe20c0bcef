"""What a phone must fetch before it sees the hall stays small; everything else comes after."""

import gzip
import re
from pathlib import Path

import pytest

from dashboard.server.static import STATIC

LIMIT = 60_000
STATIC_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*["']\./([\w.-]+\.js)["']""")


def first_view(static: Path) -> set[Path]:
    """The files of the first view: what the page names, what these import at once, and one language's words."""
    page = (static / "index.html").read_text("utf-8")
    wanted = {static / "assets" / name for name in re.findall(r"assets/([\w.-]+\.(?:js|css))", page)}
    words = list((static / "assets").glob("zh.first-*.js"))
    assert len(words) == 1, words
    ready: set[Path] = set()
    wanted |= {*words, static / "index.html"}
    while wanted:
        file = wanted.pop()
        ready.add(file)
        if file.suffix == ".js":
            found = {file.parent / name for name in STATIC_IMPORT.findall(file.read_text("utf-8"))}
            wanted |= found - ready
    return ready


def test_the_first_view_stays_within_its_limit() -> None:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run make page")
    files = first_view(STATIC)
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in files}
    assert sum(sizes.values()) <= LIMIT, sizes


def test_what_few_people_open_comes_later() -> None:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run make page")
    names = {file.name.partition("-")[0] for file in first_view(STATIC)}
    later = {"Messages", "Devices", "Dialogs", "History", "Wall", "PlanDetail", "zh.later", "en.first", "en.later"}
    assert not names & later
    built = {file.name.partition("-")[0] for file in (STATIC / "assets").glob("*.js")}
    assert later <= built
