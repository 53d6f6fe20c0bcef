"""What an installation puts on a machine: the five packages and the built page, without its sources."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the pinned build tools and nothing from outside."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [*PIP, "wheel", *options, "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
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
