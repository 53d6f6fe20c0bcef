"""The site file loaded anew on a running gateway: taken whole or refused whole, and never lost by a crash."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch, RefusalError
from tests.system.ledger import read_kept
from tests.system.small_site import Parts, small_site
from tests.system.talking import Devices

PATIENCE_S = 30.0
AT = "      - {id: smoke-2, kinds: [fire], zone: waiting, at: [15, 10]}\n"
NEW = AT + (
    "      - {id: air-9, kinds: [environment], zone: counter}\n"
    "      - {id: z-new, family: zigbee2mqtt, address: lobby/new, kinds: [fire], zone: waiting}\n"
)


@pytest.fixture
async def gateway(tmp_path: Path, mosquitto: Mosquitto) -> AsyncIterator[Hallwatch]:
    with Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port))) as running:
        await running.linked()
        yield running


def write(gateway: Hallwatch, old: str, new: str) -> None:
    """Change the site file as a person with an editor does."""
    text = gateway.site_file.read_text("utf-8")
    assert old in text
    gateway.site_file.write_text(text.replace(old, new), "utf-8")


async def reload(gateway: Hallwatch) -> Any:  # noqa: ANN401 - JSON
    return await gateway.post("/api/v1/site/reload")


async def devices(gateway: Hallwatch) -> dict[str, Any]:
    return {one["id"]: one for one in (await gateway.get("/api/v1/devices"))["items"]}


async def until(condition: Any, what: str) -> Any:  # noqa: ANN401 - whatever the condition answers
    """Wait until a coroutine function answers something true."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await condition()):
            await asyncio.sleep(0.1)
    assert found, what
    return found


async def say(port: int, topic: str, payload: object) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.publish(topic, json.dumps(payload), qos=1)


async def test_what_is_new_counts_at_once_and_what_went_waits(gateway: Hallwatch, mosquitto: Mosquitto) -> None:
    said = Devices(mosquitto.port)
    await said.round(["desk-1", "count-1", "smoke-2"])
    write(gateway, AT, NEW)
    write(gateway, "      - {id: count-1, kinds: [people_count], zone: waiting, at: [3, 8]}\n", "")
    desk = "{id: desk-1, kinds: [presence], zone: counter, window: "
    write(gateway, f"{desk}w1", f"{desk}w2")
    write(gateway, "    thresholds: {}", "    thresholds: {queue_length: 3, queue_raise_s: 0}")
    answer = await reload(gateway)
    told = [change["text"] for change in answer["changes"]]
    assert told == [
        "halls.main.devices.desk-1.window: w1 → w2",
        "− halls.main.devices.count-1",
        "+ halls.main.devices.air-9",
        "+ halls.main.devices.z-new",
        "halls.main.thresholds.queue_length: 20 → 3",
        "halls.main.thresholds.queue_raise_s: 60 → 0",
    ]
    now = await devices(gateway)
    assert now["count-1"]["origin"] == "discovered"
    assert (now["air-9"]["origin"], now["air-9"]["zone"], now["desk-1"]["window"]) == ("site", "counter", "w2")
    # What was heard before goes on: nothing was made unknown by the new file.
    assert now["smoke-2"]["liveness"] == "online"
    # The subscriptions follow: a Zigbee device is heard by its own topic only.
    await say(mosquitto.port, "zigbee2mqtt/lobby/new", {"smoke": False, "battery": 80})

    async def heard() -> bool:
        return bool((await devices(gateway))["z-new"]["liveness"] == "online")

    await until(heard, "the new device is heard")
    # The new threshold is the one that judges.
    queue = "hallwatch/v1/main/telemetry/queue-1/queue"
    await say(mosquitto.port, queue, {"device": "queue-1", "value": {"length": 5}})

    async def long() -> Any:  # noqa: ANN401
        alarms = (await gateway.get("/api/v1/alarms?open=1"))["items"]
        return [one for one in alarms if one["kind"] == "queue_long"]

    assert (await until(long, "a long queue"))[0]["threshold"] == 3
    events = (await gateway.get("/api/v1/events"))["items"]
    (event,) = [one for one in events if one["what"] == "site.changed"]
    assert event["detail"] == "devices ≠1 −1 +2, thresholds ≠2"
    assert (await reload(gateway))["changes"] == []


async def test_what_is_wrong_or_needs_a_restart_is_refused_with_reasons(gateway: Hallwatch) -> None:
    good = gateway.site_file.read_text("utf-8")
    write(gateway, "id: smoke-1, kinds: [fire]", "id: smoke-1, kinds: [smoke]")
    with pytest.raises(RefusalError) as wrong:
        await reload(gateway)
    assert wrong.value.status == 422
    said = str(wrong.value.problem)
    assert "site_refused" in said
    line = next(n for n, text in enumerate(gateway.site_file.read_text("utf-8").splitlines(), 1) if "[smoke]" in text)
    assert f"site.yaml:{line}:" in said
    assert "devices[6].kinds[0] = smoke" in said
    command = [sys.executable, "-m", "dashboard.cli.main", "reload", "--socket", str(gateway.socket)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "smoke" in done.stderr
    assert "the old one goes on" in done.stderr
    gateway.site_file.write_text(good.replace("keepalive_s: 10", "keepalive_s: 12"), "utf-8")
    with pytest.raises(RefusalError) as restart:
        await reload(gateway)
    assert "restart_needed" in str(restart.value.problem)
    assert "mqtt.keepalive_s: 10 → 12" in str(restart.value.problem)
    gateway.site_file.unlink()
    with pytest.raises(RefusalError) as gone:
        await reload(gateway)
    assert "site_file" in str(gone.value.problem)
    assert "air-9" not in await devices(gateway)
    # The mended file is taken, by the command this time.
    gateway.site_file.write_text(good.replace(AT, NEW), "utf-8")
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "+ halls.main.devices.air-9" in done.stdout
    assert "air-9" in await devices(gateway)


async def test_sighup_loads_it_and_kill_9_right_after_comes_back_with_it(
    gateway: Hallwatch, mosquitto: Mosquitto
) -> None:
    said = Devices(mosquitto.port)
    await said.round(["desk-1", "count-1", "smoke-2"], times=3)
    write(gateway, AT, NEW)
    os.kill(gateway.process.pid, signal.SIGHUP)

    async def taken() -> bool:
        return "air-9" in await devices(gateway)

    await until(taken, "the new device is there")
    gateway.kill()
    # Whatever stands in the file now, the journal alone says what was in force when it was written.
    kept = await read_kept(gateway.store)
    assert kept.resumed == kept.from_empty
    assert b"air-9" in kept.from_empty
    await asyncio.to_thread(gateway.start)
    await gateway.linked()
    assert (await devices(gateway))["air-9"]["origin"] == "site"
    await said.round(["air-1", "smoke-2"])
    write(gateway, "kinds: [environment], zone: counter}", "kinds: [environment], zone: waiting}")
    await reload(gateway)
    gateway.stop()
    kept = await read_kept(gateway.store)
    assert kept.resumed == kept.from_empty
    doctor = [sys.executable, "-m", "dashboard.cli.main", "doctor", "--data", str(gateway.data), "--json"]
    checks = json.loads((await asyncio.to_thread(subprocess.run, doctor, capture_output=True, check=False)).stdout)
    wrong = [
        one for one in checks["checks"] if one["state"] == "wrong" and one["check"] in {"sites", "fold", "journal"}
    ]
    assert wrong == []
