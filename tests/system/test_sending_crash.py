"""A crash in mid-send: life safety is sent again and says so; a routine message is not, and a person can see it."""

import asyncio
import json
from pathlib import Path

from gateway.store.sql import open_store, sqlite_url
from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site

PATIENCE_S = 20.0
SECRETS = {"TEST_HOOK_SECRET": "not-in-any-log-3f1"}


def gateway_for(folder: Path, mosquitto: Mosquitto, hook: FakeWebhook) -> Hallwatch:
    thresholds = "{equipment_raise_s: 0, start_grace_s: 1}"
    return Hallwatch(folder, small_site(Parts(mosquitto.port, webhook=hook.url, thresholds=thresholds)), SECRETS)


async def requests(hook: FakeWebhook, count: int) -> list[dict[str, object]]:
    async with asyncio.timeout(PATIENCE_S):
        while len(hook.received) < count:
            await asyncio.sleep(0.05)
    return [json.loads(one.body) for one in hook.received]


async def test_a_life_safety_message_is_sent_again_and_marked(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with fake_webhook() as hook:
        hook.hang = True
        with gateway_for(tmp_path / "gateway", mosquitto, hook) as gateway:
            topic = "hallwatch/v1/main/safety/smoke-1/fire"
            body = '{"device":"smoke-1","boot":1,"seq":1,"value":{"alarm":true,"sensor":"smoke"}}'
            await asyncio.to_thread(mosquitto.publish, topic, body)
            first = await requests(hook, 1)
            gateway.kill()
            hook.hang = False
            before = len(hook.received)
            await asyncio.to_thread(gateway.start)
            again = (await requests(hook, before + 1))[before:]
            assert SECRETS["TEST_HOOK_SECRET"] not in gateway.log()
    assert first[0]["possible_duplicate"] is False
    copy = next(one for one in again if one["id"] == first[0]["id"])
    assert copy["possible_duplicate"] is True


async def test_a_routine_message_is_not_sent_again_but_shown(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with fake_webhook() as hook:
        hook.hang = True
        gateway = gateway_for(tmp_path / "gateway", mosquitto, hook)
        with gateway:
            topic = "hallwatch/v1/main/telemetry/printer-1/equipment"
            body = '{"device":"printer-1","boot":1,"seq":1,"value":{"state":"fault","code":"jam"}}'
            await asyncio.to_thread(mosquitto.publish, topic, body)
            (first,) = await requests(hook, 1)
            gateway.kill()
            hook.hang = False
            await asyncio.to_thread(gateway.start)
            await asyncio.sleep(2)
        assert [json.loads(one.body)["id"] for one in hook.received].count(first["id"]) == 1
    async with open_store(sqlite_url(gateway.store)) as store:
        message = await store.records.message("main", str(first["id"]))
    assert message is not None
    assert message.state.value == "unknown"
