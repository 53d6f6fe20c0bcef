"""Proof 5 on real parts: scenarios over a real Mosquitto, people by the API, the ending that their files say.

`tests/system/test_scenarios.py` plays all of them through the path alone, and `make scenarios` all of them the whole
way under every fault; here some go the whole way: two as they are, one of them with a network that is down, the short
ones each under a fault that is dealt from a seed, and one through the command itself, at real time.
"""

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dashboard.cli.main import main
from simulators.faults import Fault
from simulators.link import Broker
from simulators.scenario import shipped_scenario
from tests.servers.mosquitto import Mosquitto
from tests.system.dealing import dealt
from tests.system.hallwatch import Hallwatch
from tests.system.live_stage import Staging, live, site_text
from tests.system.stage import differences

ROOT = Path(__file__).parents[2]
# The scenarios that are over soon, and the second after which nothing happens in them any more.
SHORT_ONES = {"call_point": 450, "help_button": 420, "printer_fault": 600, "real_fire": 420, "smoke_test": 270}
EACH = 1
RATE, SLOW = 30, 10
SHORT = """
id: short
title: {zh: 短, en: Short}
watch: {zh: 看}
duration_s: 4
events: [{at: 1, device: help-windows-west, press: help}]
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name: a Unix socket's path is short by law."""
    with TemporaryDirectory(prefix="hallwatch-") as folder:
        yield Path(folder)


# As fast as leaves a second or more of real time between what happens and what depends on it (a device that flaps is
# back within seconds), and cut where nothing happens any more.
@pytest.mark.parametrize(("name", "duration_s"), [("real_fire", 420), ("network_failure", 600)])
async def test_a_scenario_ends_as_its_file_says_over_a_real_broker(
    name: str, duration_s: int, mosquitto: Mosquitto, place: Path
) -> None:
    scenario = shipped_scenario(name).model_copy(update={"duration_s": duration_s})
    ending = await live(scenario, Staging(Broker(mosquitto.host, mosquitto.port), SLOW), place)
    assert differences(scenario.expect, ending) == []


@pytest.mark.parametrize(("name", "fault"), dealt(SHORT_ONES, EACH))
async def test_a_scenario_ends_as_its_file_says_under_a_fault_over_a_real_broker(
    name: str, fault: Fault, mosquitto: Mosquitto, place: Path
) -> None:
    scenario = shipped_scenario(name).model_copy(update={"duration_s": SHORT_ONES[name]})
    rate = SLOW if fault is Fault.FLAPPING else RATE
    ending = await live(scenario, Staging(Broker(mosquitto.host, mosquitto.port), rate, fault), place)
    assert differences(scenario.expect_under(fault), ending) == []


async def test_the_command_plays_a_file_at_real_time_and_every_message_is_accounted_for(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SHORT, "utf-8")
    with Hallwatch(tmp_path / "gateway", site_text(mosquitto.port)) as gateway:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dashboard.cli.main", "simulate", str(file),
            "--broker", f"{mosquitto.host}:{mosquitto.port}", "--site", str(gateway.site_file),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        sent = re.search(r"Short: (\d+) ", out.decode())
        assert sent, out
        async with asyncio.timeout(10):
            while (account := await gateway.account())["received"] < int(sent[1]):
                await asyncio.sleep(0.1)
        assert account["received"] == int(sent[1])
        assert account["stored"] + account["awaiting"] == account["received"], account
        alarms = (await gateway.get("/api/v1/alarms"))["items"]
        assert [(it["kind"], it["device"], it["active"]) for it in alarms] == [("help", "help-windows-west", True)]


def test_another_speed_is_warned_of(mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SHORT, "utf-8")
    broker = f"{mosquitto.host}:{mosquitto.port}"
    assert main(["simulate", str(file), "--broker", broker, "--speed", "20"]) == 0
    assert "the gateway's clock does not go along" in capsys.readouterr().err
