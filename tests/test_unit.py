"""The shipped systemd unit, judged by systemd itself."""

import subprocess
from pathlib import Path

import pytest

from dashboard.cli.exposure import exposure_of
from dashboard.cli.main import parser

UNIT = Path(__file__).resolve().parent.parent / "deploy" / "systemd" / "hallwatch.service"


def test_the_unit_is_a_unit_and_leaves_little_open(tmp_path: Path) -> None:
    """Judged by systemd itself; the command's path is that of this checkout, which is what `verify` looks for."""
    text = UNIT.read_text("utf-8")
    unit = tmp_path / "hallwatch.service"
    unit.write_text(text.replace("/opt/hallwatch/bin/hallwatch", "/bin/true"), encoding="utf-8")
    try:
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("systemd-analyze is not here: install systemd")
    assert (done.returncode, done.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=15", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_unit_s_command_line_is_understood_and_keeps_its_data_where_it_may() -> None:
    text = UNIT.read_text("utf-8")
    line = next(one for one in text.splitlines() if one.startswith("ExecStart="))
    filled_in = line.replace("${STATE_DIRECTORY}", "/var/lib/hallwatch").replace(
        "${RUNTIME_DIRECTORY}", "/run/hallwatch"
    )
    words = filled_in.removeprefix("ExecStart=").split()
    assert words[0] == "/opt/hallwatch/bin/hallwatch"
    chosen = parser("run").parse_args(words[1:])
    assert str(chosen.data) == "/var/lib/hallwatch"
    assert chosen.socket.parent == Path("/run/hallwatch")
    assert exposure_of(chosen).behind_proxy is False
    assert {"StateDirectory=hallwatch", "RuntimeDirectory=hallwatch", "DynamicUser=yes"} <= set(text.splitlines())
