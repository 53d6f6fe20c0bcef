"""What an installation puts on a machine: the five packages and the built page, without its sources."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hatch_build import Page

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, with the page that `make` has built; nothing is fetched and no npm runs."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [*PIP, "wheel", *options, "-w", str(folder), str(ROOT)]
    environment = {**os.environ, "HALLWATCH_SKIP_WEB": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("hallwatch-*.whl"))


def names(wheel: Path) -> set[str]:
    """The files inside."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_packages_and_says_that_they_are_typed(wheel: Path) -> None:
    typed = {f"{package}/py.typed" for package in ("alerts", "dashboard", "gateway", "sensors", "simulators")}
    assert typed <= names(wheel)


def test_the_wheel_holds_the_built_page_and_not_its_sources(wheel: Path) -> None:
    inside = names(wheel)
    assert not [name for name in inside if name.startswith("dashboard/web/")]
    if (ROOT / "dashboard" / "web" / "package.json").is_file():
        assert "dashboard/static/index.html" in inside


def test_the_wheel_holds_no_tests_and_no_foreign_top_level(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in names(wheel)}
    own = {"alerts", "dashboard", "gateway", "sensors", "simulators"}
    assert {top for top in tops if not top.endswith(".dist-info")} == own


def test_the_command_is_declared(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "hallwatch = dashboard.cli.main:main" in archive.read(entry).decode()


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """A page that was built: sources, output and the stamp that says which sources the output is of."""
    monkeypatch.delenv("HALLWATCH_SKIP_WEB", raising=False)
    made = Page(tmp_path)
    (made.web / "src").mkdir(parents=True)
    (made.web / "package.json").write_text("{}", "utf-8")
    (made.web / "src" / "main.ts").write_text("1", "utf-8")
    made.static.mkdir()
    (made.static / "index.html").write_text("<html>", "utf-8")
    made.stamp.write_text(made.fingerprint(), "utf-8")
    return made


def test_a_page_is_built_again_when_a_source_changed_or_its_output_is_gone(page: Page) -> None:
    assert page.is_fresh()
    (page.web / "src" / "main.ts").write_text("2", "utf-8")
    assert not page.is_fresh()
    page.stamp.write_text(page.fingerprint(), "utf-8")
    (page.static / "index.html").unlink()
    assert not page.is_fresh()


def test_what_npm_installs_and_what_only_tests_read_makes_no_page_stale(page: Page) -> None:
    (page.web / "node_modules" / "vite").mkdir(parents=True)
    (page.web / "node_modules" / "vite" / "index.js").write_text("x", "utf-8")
    (page.web / "src" / "main.test.ts").write_text("x", "utf-8")
    assert page.is_fresh()


def test_where_no_sources_are_there_is_nothing_to_build(tmp_path: Path) -> None:
    assert Page(tmp_path).is_fresh()


def test_a_build_that_failed_leaves_the_page_stale(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    (page.web / "package-lock.json").write_text("not a lock file", "utf-8")
    (page.web / "src" / "main.ts").write_text("2", "utf-8")
    monkeypatch.setattr("hatch_build.find_npm", lambda: ["/bin/false"])
    with pytest.raises(RuntimeError, match="npm ci"):
        page.build()
    assert not page.is_fresh()
