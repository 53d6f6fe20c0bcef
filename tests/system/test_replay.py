"""A hall is recorded on a real broker, by us and by `mosquitto_sub`, and played again: the same alarms.

And what a changed threshold would have made of those hours is named, before it is in force.
"""

import asyncio
import contextlib
import gzip
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from dashboard.cli.main import main
from sensors.recording import Sent, messages, survey
from simulators.scenario import shipped_scenario
from tests.servers.find import program
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.live_stage import site_text
from tests.system.stage import EXAMPLE

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
# Two alarms that begin at once and one that needs its hold; one of them ends.
SHORT = """
id: short
title: {zh: 短, en: Short}
watch: {zh: 看}
duration_s: 9
events:
  - {at: 1, device: help-windows-west, press: help}
  - {at: 2, device: mcp-entrance, say: {fire: {alarm: true, sensor: mcp}}, for_s: 3}
  - {at: 2, device: w3-printer, say: {equipment: {state: fault, code: paper_jam, power_w: 9.0}}}
"""
RAISED = {"help/help-windows-west", "fire/mcp-entrance", "equipment_fault/w3-printer"}


@dataclass(frozen=True)
class Recorded:
    """The gateway that heard it all, and the files in which it was recorded."""

    gateway: Hallwatch
    ours: Path
    theirs: Path


def quick_site(port: int) -> str:
    """The example, where a fault of equipment is told after two seconds."""
    text = site_text(port).replace("    thresholds:\n", "    thresholds:\n      equipment_raise_s: 2\n", 1)
    assert "equipment_raise_s: 2" in text
    return text


async def command(*words: str) -> tuple[int, str, str]:
    """`hallwatch` with these words, as a process: status, what it said, and of errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dashboard.cli.main", *words,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@contextlib.asynccontextmanager
async def mosquitto_sub(port: int, file: Path) -> AsyncIterator[None]:
    """What docs/recording.md tells a hall to run where nothing of ours is installed."""
    words = [str(program("mosquitto_sub", "mosquitto-clients")), "-p", str(port), "-q", "1"]
    words += ["-t", "hallwatch/v1/#", "-t", "zigbee2mqtt/#", "-F", "%U %q %r %x %t"]
    with file.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*words, stdout=out)
        try:
            # The gateway's own status is retained, so it is the first that is written.
            async with asyncio.timeout(PATIENCE_S):
                while not await asyncio.to_thread(file.read_bytes):
                    await asyncio.sleep(0.05)
            yield
        finally:
            process.terminate()
            await process.wait()


async def raised(gateway: Hallwatch) -> set[str]:
    """The alarms of the running gateway, as their conditions are called."""
    items = (await gateway.get("/api/v1/alarms"))["items"]
    return {f"{one['kind']}/{one['device']}" for one in items}


@contextlib.asynccontextmanager
async def recorded(broker: Mosquitto, folder: Path) -> AsyncIterator[Recorded]:
    """Play the short scenario at real time to a real gateway, and record it in both ways."""
    scenario, ours, theirs = folder / "short.yaml", folder / "ours.rec.gz", folder / "theirs.rec"
    scenario.write_text(SHORT, "utf-8")
    with Hallwatch(folder / "gateway", quick_site(broker.port)) as gateway:
        await gateway.linked()
        async with mosquitto_sub(broker.port, theirs):
            status, _, err = await command(
                "simulate", str(scenario), "--broker", f"{broker.host}:{broker.port}",
                "--site", str(gateway.site_file), "--record", str(ours),
            )  # fmt: skip
            assert (status, err) == (0, "")
            async with asyncio.timeout(PATIENCE_S):
                while await raised(gateway) < RAISED or len(lines(theirs)) < len(lines(ours)):
                    await asyncio.sleep(0.1)
        yield Recorded(gateway, ours, theirs)


def lines(file: Path) -> list[str]:
    whole = file.read_bytes()
    return (gzip.decompress(whole) if file.suffix == ".gz" else whole).decode().splitlines(keepends=True)


def bodies(sent: Sequence[Sent]) -> list[tuple[str, bytes, int]]:
    return sorted((one.topic, one.payload, one.qos) for one in sent)


def devices_said(sent: Sequence[Sent]) -> list[Sent]:
    """Without what the gateway says: its state, its probes, its notices."""
    ours = {"safety", "telemetry", "zigbee2mqtt"}
    return [one for one in sent if ours & set(one.topic.split("/")) and "probe" not in one.topic]


async def test_what_a_gateway_heard_is_played_again_with_the_same_alarms(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with recorded(mosquitto, tmp_path) as hall:
        ours, theirs = list(messages(lines(hall.ours))), list(messages(lines(hall.theirs)))
        # Every byte that we say we sent went over the wire, and nothing else did.
        assert bodies(ours) == bodies([one for one in devices_said(theirs) if not one.retain])
        site = ["--site", str(hall.gateway.site_file)]
        for file in (hall.ours, hall.theirs):
            status, out, err = await command(
                "replay", str(file), *site, "--running", "--json", "--socket", str(hall.gateway.socket)
            )
            assert (status, err) == (0, ""), out
            said = json.loads(out)
            assert said["differences"] == []
            assert {one["of"] for one in said["outcome"]} >= RAISED
            assert said["account"]["quarantined"] == said["account"]["refused"] == 0
        # Another threshold, and the alarm that there would not have been is named: against the gateway and the site.
        other = tmp_path / "other.yaml"
        other.write_text(hall.gateway.site_file.read_text("utf-8").replace("raise_s: 2", "raise_s: 600"), "utf-8")
        for more in (["--running", "--socket", str(hall.gateway.socket)], site):
            status, out, _ = await command("replay", str(hall.ours), *more, "--site", str(other), "--json")
            assert status == 3
            (differs,) = json.loads(out)["differences"]
            assert (differs["how"], differs["before"]["of"]) == ("gone", "equipment_fault/w3-printer")
            assert differs["after"] is None


async def test_a_scenario_is_recorded_as_it_went_and_ends_as_its_file_says(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    file, kept, broker = tmp_path / "call_point.rec", tmp_path / "kept", f"{mosquitto.host}:{mosquitto.port}"
    heard: list[tuple[str, bytes, int]] = []

    async def listen(ready: asyncio.Event) -> None:
        async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
            await client.subscribe("#", qos=1)
            ready.set()
            async for one in client.messages:
                heard.append((str(one.topic), bytes(one.payload), one.qos))  # noqa: PERF401 (it is looked at meanwhile)

    async with asyncio.TaskGroup() as group:
        ready = asyncio.Event()
        listening = group.create_task(listen(ready))
        await ready.wait()
        words = ["simulate", "call_point", "--broker", broker, "--speed", "100", "--record", str(file)]
        status, out, _ = await command(*words)
        assert status == 0
        sent = list(messages(lines(file)))
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < len(sent):
                await asyncio.sleep(0.05)
        listening.cancel()
    assert sorted(heard) == bodies(sent)
    assert f" {len(sent)} " in out
    found = survey(lines(file), file.name)
    assert found.published
    assert found.end - found.begin > 400_000

    status, out, err = await command("replay", str(file), "--json", "--save", str(kept))
    assert (status, err) == (0, "")
    outcome = json.loads(out)["outcome"]
    expected = shipped_scenario("call_point").expect
    assert [one["of"] for one in outcome] == [f"fire/{expected.alarms[0].subject.split('/')[1]}", "plan/fire"]
    assert outcome[0]["until"] is not None
    assert [what for _, what in outcome[1]["turns"]] == ["call_point"]
    # Twice the same; and what came of it may stand in the recording itself.
    assert (await command("replay", str(file), "--against", str(kept), "--within", "0"))[0] == 0
    with file.open("a", encoding="utf-8") as more:
        more.write(kept.read_text("utf-8"))
    status, out, _ = await command("replay", str(file))
    assert status == 0
    assert "the same as" in out
    # A record is not written over.
    status, _, err = await command(*words)
    assert (status, "exists already" in err) == (1, True)


def test_a_bad_recording_is_answered_with_the_line_and_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hall.rec"
    file.write_text("1773107200.25 1 0 7b7d zigbee2mqtt/lamp\n1773107201 1 0 7b7 zigbee2mqtt/lamp\n", "utf-8")
    assert main(["replay", str(file)]) == 1
    assert f"{file}:2: " in (said := capsys.readouterr().err)
    assert "no hexadecimal: '7b7'" in said
    file.write_bytes(b"# \xff\n")
    assert main(["replay", str(file)]) == 1
    assert f"{file}:1: " in capsys.readouterr().err
    packed = tmp_path / "hall.rec.gz"
    packed.write_bytes(gzip.compress(b"1773107200.25 1 0 7b7d zigbee2mqtt/lamp\n" * 1000)[:-9])
    assert main(["replay", str(packed)]) == 1
    assert "ends early or is damaged" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "none.rec")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_what_cannot_be_compared_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hall.rec"
    file.write_text("1773107200.25 1 0 7b7d zigbee2mqtt/lamp\n", "utf-8")
    assert main(["replay", str(file), "--against", str(file)]) == 1
    assert "says nothing of what came of it" in capsys.readouterr().err
    assert main(["replay", str(file), "--hall", "moon"]) == 1
    assert "no such hall" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        main(["replay", str(file), "--site", str(EXAMPLE), "--site", str(EXAMPLE), "--running"])
    assert wrong.value.code == 2
    with pytest.raises(SystemExit):
        main(["replay", str(file), "--within", "soon"])
    # Nobody hears that topic in this hall, and the reader is told.
    assert main(["replay", str(file)]) == 0
    assert "1 此大厅不订阅的主题" in capsys.readouterr().out
