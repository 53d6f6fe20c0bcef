"""Where the real servers of the tests are, and the one line that says what to install where they are not."""

import os
import shutil
import socket
from pathlib import Path

import pytest

# Debian keeps servers in sbin, which is not on the PATH of every user.
SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
INFLUXDB_MODULE = Path(__file__).with_name("influxd") / "go.mod"


def program(name: str, install: str) -> Path:
    """The program of this name, or a skip of the test that asked for it (CI turns a skip into a failure)."""
    found = shutil.which(name, path=SEARCH)
    if found is None:
        pytest.skip(f"{name} is not on this machine: install the Debian package {install}")
    return Path(found)


def influxd_program() -> Path:
    """InfluxDB's server: the one that HALLWATCH_INFLUXD names, or on PATH, or built into the user's cache."""
    named = os.environ.get("HALLWATCH_INFLUXD")
    if named:
        return Path(named)
    on_path = shutil.which("influxd", path=SEARCH)
    if on_path:
        return Path(on_path)
    lines = INFLUXDB_MODULE.read_text(encoding="utf-8").splitlines()
    wanted = next(line.split()[1] for line in lines if line.strip().startswith("github.com/influxdata/influxdb/v2 v"))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = cache / "hallwatch" / f"influxd-{wanted.removeprefix('v')}" / "influxd"
    if not built.is_file():
        pytest.skip(
            "InfluxDB 2.7 is not on this machine: run tests/servers/influxd/build.sh, "
            "or name its program in HALLWATCH_INFLUXD"
        )
    return built


def postgres_program(name: str) -> Path:
    """A program of PostgreSQL's server: on PATH, or the newest of those that Debian keeps out of it."""
    on_path = shutil.which(name, path=SEARCH)
    if on_path:
        return Path(on_path)
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda one: int(one.parts[-3]))
    if not found:
        pytest.skip(f"{name} is not on this machine: install the Debian package postgresql")
    return found[-1]


def chromium_program() -> Path:
    """The browser: the one that HALLWATCH_CHROMIUM names, or the system's."""
    named = os.environ.get("HALLWATCH_CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install the Debian package chromium")
    return Path(found)


def listening(port: int) -> bool:
    """Whether somebody takes connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A loopback TCP port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
