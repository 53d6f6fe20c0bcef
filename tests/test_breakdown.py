"""A profile by room (`python -m benchmarks.breakdown`): nothing is lost in it, and a library's time is its caller's."""

import cProfile
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.breakdown import START, Breakdown, main

DECODE = "import json\n\n\ndef decode(text):\n    return json.loads(text)\n"
HALL = "def step(said):\n    return sum(value for value in said)\n"
MAIN = """
from sensors.decode.native import decode
from sensors.hall.hall import step

text = str(list(range(2000)))
for _ in range(300):
    step(decode(text))
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Of a small house, which is no part of this one."""
    for name, code in {
        "sensors/decode/native.py": DECODE,
        "sensors/hall/hall.py": HALL,
        "dashboard/cli/main.py": MAIN,
    }.items():
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(code, encoding="utf-8")
        # Only so does it stand before the house that is installed.
        (tmp_path / name.partition("/")[0] / "__init__.py").touch()
    command = [sys.executable, "-m", "cProfile", "-o", "house.prof", "-m", "dashboard.cli.main"]
    subprocess.run(command, cwd=tmp_path, check=True, env={"PYTHONPATH": str(tmp_path)})
    return tmp_path / "house.prof"


def test_every_second_is_in_one_room(profile: Path) -> None:
    found = Breakdown.of(profile)
    assert sum(found.seconds.values()) == pytest.approx(sum(own for _, _, own, _, _ in found.stats.values()))
    assert found.worked == pytest.approx(sum(found.seconds.values()) - found.seconds[START])


def test_a_library_works_for_who_called_it(profile: Path) -> None:
    found = Breakdown.of(profile)
    assert {"2 decode", "3 hall"} <= set(found.rooms())
    names = {name for (_, _, name), _ in found.dearest("2 decode", 5)}
    assert "decode" in names
    assert any("raw_decode" in name or "scan_once" in name for name in names), "json is put down to its caller"
    assert {name for (_, _, name), _ in found.dearest("3 hall", 5)} >= {"step", "<genexpr>"}


def test_it_is_shown(profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(profile), "--messages", "300", "--loop", "40", "--top", "3"]) == 0
    shown = capsys.readouterr().out
    assert "2 decode" in shown
    assert "sensors/hall/hall.py" in shown


def test_a_profile_of_something_else_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = cProfile.Profile()
    other.runcall(compile, "1", "other", "eval")
    other.dump_stats(tmp_path / "other.prof")
    assert main([str(tmp_path / "other.prof")]) == 1
    assert "no work of a gateway" in capsys.readouterr().err
