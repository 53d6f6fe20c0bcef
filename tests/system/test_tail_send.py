"""`hallwatch tail` and `hallwatch send` beside a running gateway and without one, and the raw messages of a device."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch, RefusalError
from tests.system.small_site import Parts, small_site

PATIENCE_S = 30.0
CLI = [sys.executable, "-m", "dashboard.cli.main"]
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def gateway(tmp_path: Path, mosquitto: Mosquitto) -> AsyncIterator[Hallwatch]:
    site = small_site(Parts(mosquitto.port)).replace(
        "{id: air-1, kinds: [environment],", "{id: air-1, kinds: [environment], key: {env: AIR_KEY},"
    )
    with Hallwatch(tmp_path / "gateway", site, {"AIR_KEY": KEY}) as running:
        await running.linked()
        yield running


async def command(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    whole = [*CLI, *map(str, words)]
    env = {**os.environ, **environment}
    return await asyncio.to_thread(
        subprocess.run, whole, capture_output=True, text=True, check=False, timeout=60, env=env
    )


@contextlib.asynccontextmanager
async def tailing(*words: str | Path) -> AsyncIterator[asyncio.StreamReader]:
    """`hallwatch tail --json …` while the block runs."""
    child = await asyncio.create_subprocess_exec(*CLI, "tail", *map(str, words), "--json", stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        await asyncio.sleep(2.5)  # until it listens; there is no other sign of that
        yield child.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await child.wait()


async def line_of(out: asyncio.StreamReader) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        line: dict[str, Any] = json.loads(await out.readline())
    return line


async def say(port: int, topic: str, payload: str) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.publish(topic, payload, qos=1)


async def test_tail_says_what_each_message_was_read_as_or_why_it_was_refused(
    gateway: Hallwatch, mosquitto: Mosquitto
) -> None:
    queue = "hallwatch/v1/main/telemetry/queue-1/queue"
    async with tailing("queue-1", "--socket", gateway.socket) as out:
        sent = await command("send", "queue-1", "queue", "length=3", "--site", gateway.site_file)
        assert sent.returncode == 0, sent.stderr
        first = await line_of(out)
        assert (first["topic"], first["verdict"], first["device"]) == (queue, "stored", "queue-1")
        assert first["values"] == [{"kind": "queue", "value": {"length": 3, "wait_s": None, "head_wait_s": None}}]
        assert json.loads(first["text"])["value"] == {"length": 3}
        # Another device is not heard; rubbish and repetitions of this one are, with the reason.
        await say(mosquitto.port, "hallwatch/v1/main/telemetry/count-1/people_count", '{"value":{"occupancy":1}}')
        await say(mosquitto.port, queue, '{"value":{"length":-1}}')
        wrong = await line_of(out)
        assert (wrong["verdict"], wrong["reason"]) == ("quarantined", "invalid_value")
        assert "length" in wrong["detail"]
        await say(mosquitto.port, queue, first["text"])
        assert (await line_of(out))["verdict"] == "duplicate"
    # The same three, out of the journal and the quarantine: a repetition is counted there and not kept.
    kept = await gateway.get("/api/v1/devices/queue-1/messages")
    assert [one["verdict"] for one in kept["items"]] == ["quarantined", "stored"]
    assert kept["items"][1]["text"] == first["text"]
    assert kept["items"][0]["row"] is not None
    found = await gateway.get("/api/v1/devices/queue-1")
    assert found["account"]["reasons"] == {"invalid_value": 1}
    with pytest.raises(RefusalError) as unknown:
        await gateway.get("/api/v1/devices/nobody/messages")
    assert unknown.value.status == 404


async def test_send_signs_and_refuses_what_is_no_message(gateway: Hallwatch, tmp_path: Path) -> None:
    async def became() -> list[str]:
        items = (await gateway.get("/api/v1/devices/air-1/messages"))["items"]
        return [f"{one['verdict']} {one['reason']}".strip() for one in items]

    async def until(count: int) -> list[str]:
        async with asyncio.timeout(PATIENCE_S):
            while len(found := await became()) < count:
                await asyncio.sleep(0.1)
        return found

    words = ("send", "air-1", "environment", "temperature_c=21.5", "--site", gateway.site_file)
    assert (await command(*words, AIR_KEY=KEY)).returncode == 0
    assert await until(1) == ["stored"]
    wrong = tmp_path / "key"
    wrong.write_text("another key that is long enough")
    assert (await command(*words, "--key", wrong)).returncode == 0
    assert await until(2) == ["quarantined signature_wrong", "stored"]
    wanted = {
        ("queue-1", "queue", "length=many"): "length",
        ("queue-1", "queue"): "length",
        ("queue-1", "queue", "size=3"): "takes: length=<int>",
        ("queue-1", "qeue"): "people_count",
        ("smoke-1", "fire", "alarm=true", "sensor=nose"): "sensor",
        ("z-smoke", "fire", "alarm=true"): "bridge",
    }
    answers = await asyncio.gather(*(command("send", *bad, "--site", gateway.site_file) for bad in wanted))
    for (bad, told), refused in zip(wanted.items(), answers, strict=True):
        assert refused.returncode == 1, bad
        assert told in refused.stderr, bad
    missing = await command("send", "queue-1", "queue", "length=1")
    assert (missing.returncode, "--broker" in missing.stderr) == (1, True)


async def test_tail_without_a_gateway_reads_what_the_broker_has(mosquitto: Mosquitto, tmp_path: Path) -> None:
    broker = f"127.0.0.1:{mosquitto.port}"
    async with tailing("lamp", "--broker", broker) as out:
        sent = await command("send", "lamp", "contact", "open=yes", "--hall", "h9", "--broker", broker)
        assert sent.returncode == 0, sent.stderr
        line = await line_of(out)
        assert (line["topic"], line["verdict"]) == ("hallwatch/v1/h9/telemetry/lamp/contact", "decoded")
        assert line["values"][0]["value"]["open"] is True
        await say(mosquitto.port, "zigbee2mqtt/lamp", "not json")
        line = await line_of(out)
        assert (line["verdict"], line["reason"]) == ("undecodable", "invalid_json")
    nobody = await command("tail", "lamp", "--socket", tmp_path / "none")
    assert nobody.returncode == 1
    assert "--broker" in nobody.stderr
