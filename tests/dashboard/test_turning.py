"""A loop that is blocked is seen from outside: said once with its stack, and the supervisor hears nothing more."""

import asyncio
import contextlib
import logging
import re
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from dashboard.turning import systemd, turning
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site

UNIT = Path(__file__).parents[2] / "deploy/systemd/hallwatch.service"
LOOK_S, LIMIT_S = 0.05, 0.5


@contextlib.contextmanager
def supervisor() -> Iterator[tuple[str, socket.socket]]:
    """The socket on which systemd would listen."""
    address = Path(mkdtemp(prefix="hallwatch-")) / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(address))
        listening.settimeout(30)
        yield str(address), listening
    address.unlink()
    address.parent.rmdir()


def all_of(listening: socket.socket) -> list[str]:
    """What has come so far."""
    lines = []
    while select.select([listening], [], [], 0)[0]:
        lines.append(listening.recv(100).decode())
    return lines


def work(lasts_s: float) -> None:
    """Do not give the loop back for a while."""
    time.sleep(lasts_s)


def block_the_loop(listening: socket.socket) -> list[str]:
    """Do not give the loop back; what the supervisor heard once the limit had long passed."""
    work(LIMIT_S * 4)
    all_of(listening)
    work(LIMIT_S * 2)
    return all_of(listening)


async def test_a_blocked_loop_is_said_once_with_its_stack_and_the_watchdog_is_fed_no_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with supervisor() as (address, listening):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        async with asyncio.TaskGroup() as group, turning(group, limit_s=LIMIT_S, look_s=LOOK_S):
            assert await asyncio.to_thread(listening.recv, 100) == b"READY=1"
            assert await asyncio.to_thread(listening.recv, 100) == b"WATCHDOG=1"
            assert caplog.records == []
            assert block_the_loop(listening) == []
            said = [record for record in caplog.records if record.levelno == logging.CRITICAL]
            assert len(said) == 1
            assert "in block_the_loop" in said[0].getMessage()
            assert await asyncio.to_thread(listening.recv, 100) == b"WATCHDOG=1"
            assert "turns again" in caplog.records[-1].getMessage()
        assert all_of(listening)[-1] == "STOPPING=1"


async def test_a_busy_loop_that_turns_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    async with asyncio.TaskGroup() as group, turning(group, told.append, limit_s=5, look_s=LOOK_S):
        for _ in range(10):
            work(0.06)  # longer than a look, and shorter than the limit
            await asyncio.sleep(0)
    assert "WATCHDOG=1" in told
    assert caplog.records == []


def test_without_a_supervisor_nobody_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd()("READY=1")
    assert caplog.records == []
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    systemd()("READY=1")
    assert "cannot tell systemd" in caplog.text


async def test_the_gateway_says_ready_lives_and_stops(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with supervisor() as (address, listening):
        gateway = Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port)), {"NOTIFY_SOCKET": address})
        with gateway:
            assert await asyncio.to_thread(listening.recv, 100) == b"READY=1"
            assert await asyncio.to_thread(listening.recv, 100) == b"WATCHDOG=1"
        assert all_of(listening)[-1] == "STOPPING=1"


def test_the_unit_waits_for_ready_and_gives_the_loop_time_to_be_written_down() -> None:
    unit = UNIT.read_text("utf-8")
    assert "\nType=notify\n" in unit
    watchdog = re.search(r"^WatchdogSec=(\d+)$", unit, re.MULTILINE)
    assert watchdog is not None
    # Killed only after its stack is in the log.
    assert int(watchdog[1]) > 15
