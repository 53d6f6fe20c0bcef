"""`hallwatch init` against a real broker: the devices that it shows become a site file that loads."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import aiomqtt
import pytest

from dashboard.cli.example import EXAMPLE, load_site
from sensors.site.load import read_site
from sensors.site.model import Site
from simulators.fleet import Fleet
from simulators.link import Broker, connect
from tests.servers.mosquitto import Mosquitto

CLI = [sys.executable, "-m", "dashboard.cli.main"]


async def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run, [*CLI, *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )


async def speak(port: int, site: Site) -> None:
    """The whole fleet connects and says what it measures at noon, as often as is asked of it."""
    fleet = Fleet(site)
    now = time.time_ns() // 1_000_000
    async with connect(Broker(port=port)) as wire:
        for said in fleet.connect(now):
            await wire.publish(said)
        while True:
            for device in fleet.devices:
                for told in fleet.greet(device, time.time_ns() // 1_000_000):
                    for said in fleet.say(told):
                        await wire.publish(said)
            await asyncio.sleep(0.5)


async def test_the_simulators_fleet_becomes_a_site_that_loads(tmp_path: Path, mosquitto: Mosquitto) -> None:
    file = tmp_path / "hall.yaml"
    example = load_site(EXAMPLE.read_text("utf-8"), "example")
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(speak(mosquitto.port, example))
        done = await command("init", file, "--broker", f"127.0.0.1:{mosquitto.port}", "--listen-for", "4")
        talking.cancel()
    assert done.returncode == 0, done.stderr
    checked = await command("check", file)
    assert checked.returncode == 0, checked.stderr
    text = file.read_text("utf-8")
    assert "TODO" in text
    assert "生成" in text
    loaded = read_site(text, "hall.yaml")
    assert [problem.code for problem in loaded.problems] == ["no_fire_plan"]  # that only people know
    assert loaded.site is not None
    (hall,) = loaded.site.halls
    wanted = {(one.family, one.address or one.id): one for one in example.halls[0].devices if not one.retired}
    found = {(one.family, one.address or one.id): one for one in hall.devices}
    assert found.keys() == wanted.keys()
    assert hall.id == example.halls[0].id
    assert [window.number for window in hall.windows] == [window.number for window in example.halls[0].windows]
    assert {one.id for one in hall.services} == {"records", "finance", "card", "logistics", "network"}
    # What was said is what is written: each device measures at least one thing that it truly does.
    for key, one in found.items():
        assert set(one.kinds) & {*wanted[key].kinds, "availability"}, key
        if "badge" in one.kinds:
            assert one.window == wanted[key].window
    smoke = found["zigbee2mqtt", "smoke/self-service"]
    assert (smoke.id, smoke.zone, smoke.power) == ("smoke-self-service", "self-service", "sleeping")
    assert set(smoke.kinds) == {"fire", "battery"}
    assert found["native", "queue-card"].service == "card"
    assert found["native", "w1-printer"].asset == "printer"
    # It is never written over.
    again = await command("init", file, "--broker", f"127.0.0.1:{mosquitto.port}", "--listen-for", "1")
    assert again.returncode == 1
    assert "overwritten" in again.stderr
    assert file.read_text("utf-8") == text


async def test_names_of_all_kinds_and_rubbish_make_a_site_that_loads(tmp_path: Path, mosquitto: Mosquitto) -> None:
    file = tmp_path / "hall.yaml"
    listed = (
        '[{"type":"Coordinator","friendly_name":"Coordinator"},'
        '{"type":"EndDevice","friendly_name":"3号窗口/门磁: \\"北\\"","definition":{"vendor":"A: #b","model":"{x}",'
        '"exposes":[{"property":"contact","name":"contact"},{"property":"battery","name":"battery"}]}},'
        '{"type":"EndDevice","friendly_name":"no","definition":null}]'
    )
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        say = {
            "zigbee2mqtt/bridge/devices": listed,
            "hallwatch/v1/a/telemetry/X: {1}/availability": '{"value":{"online":true}}',
            "hallwatch/v1/a/safety/烟感 & 1/fire": '{"value":{"alarm":false}}',
            "hallwatch/v1/b/telemetry/true/queue": '{"value":{"length":1}}',
            "hallwatch/v1/大厅 C/telemetry/lost/queue": '{"value":{"length":1}}',
            "hallwatch/v1/b/telemetry/bad/queue": "rubbish",
        }
        for topic, payload in say.items():
            await client.publish(topic, payload, qos=1, retain=True)
        done = await command("init", file, "--broker", f"127.0.0.1:{mosquitto.port}", "--listen-for", "1.5")
        for topic in say:
            await client.publish(topic, b"", qos=1, retain=True)
    assert (done.returncode, (await command("check", file)).returncode) == (0, 0), done.stderr
    loaded = read_site(file.read_text("utf-8"), "hall.yaml")
    assert loaded.site is not None
    addresses = {one.address or one.id for hall in loaded.site.halls for one in hall.devices}
    assert addresses == {'3号窗口/门磁: "北"', "no", "bridge", "X: {1}", "烟感 & 1", "true"}
    assert [hall.id for hall in loaded.site.halls] == ["a", "b"]
    assert '"大厅 C"' in file.read_text("utf-8")
    (door,) = [one for hall in loaded.site.halls for one in hall.devices if one.address == '3号窗口/门磁: "北"']
    assert (door.window, set(door.kinds), door.power) == ("w3", {"contact", "battery"}, "sleeping")


@pytest.mark.parametrize("listen", ["0.3"])
async def test_nothing_heard_is_a_site_all_the_same(tmp_path: Path, mosquitto: Mosquitto, listen: str) -> None:
    file = tmp_path / "hall.yaml"
    done = await command("init", file, "--broker", f"127.0.0.1:{mosquitto.port}", "--listen-for", listen)
    assert done.returncode == 0, done.stderr
    assert "No device was heard" in done.stdout
    assert (await command("check", file)).returncode == 0
    absent = await command("init", tmp_path / "other.yaml", "--broker", "127.0.0.1:1", "--listen-for", "1")
    assert absent.returncode == 1
    assert "127.0.0.1:1" in absent.stderr
    assert not (tmp_path / "other.yaml").exists()
