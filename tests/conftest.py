"""What every test has at hand, and CI's rule against skips: a test that did not run has proved nothing."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no defect: no property says how soon it is shown to hold.
settings.register_profile("hallwatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hallwatch")

pytest_plugins = ["tests.servers.fixtures"]

NO_SKIP = os.environ.get("HALLWATCH_NO_SKIP", "") not in {"", "0"} or os.environ.get("CI") == "true"


def _refuse(reason: object) -> str:
    text = reason[2] if isinstance(reason, tuple) else str(reason)
    return f"skipped, and no skip is allowed here (CI or HALLWATCH_NO_SKIP is set): {text}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test fails in CI; an expected failure is no skip."""
    report = yield
    if NO_SKIP and report.skipped and not getattr(report, "wasxfail", None):
        report.outcome = "failed"
        report.longrepr = _refuse(report.longrepr)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself while it is collected."""
    report = yield
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = _refuse(report.longrepr)
    return report


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No test reads or writes what a person's own Hallwatch keeps."""
    home = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    return home
