"""Killed in mid-send: what is a matter of life goes out again and says so, what is routine does not."""

import asyncio
import json
import sqlite3
from pathlib import Path

from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site

FIRE = "hallwatch/v1/main/safety/smoke-1/fire"
PRINTER = "hallwatch/v1/main/telemetry/printer-1/equipment"
SECRET = {"TEST_HOOK_SECRET": "secret-of-the-test"}


async def _until(service: FakeWebhook, count: int) -> None:
    async with asyncio.timeout(20):
        while len(service.received) < count:
            await asyncio.sleep(0.05)


def _states(gateway: Hallwatch) -> dict[str, str]:
    """The webhook's messages by id, as the rows have them."""
    store = sqlite3.connect(f"file:{gateway.store}?mode=ro", uri=True)
    try:
        return dict(store.execute("SELECT id, state FROM messages WHERE channel = 'hook'").fetchall())
    finally:
        store.close()


async def test_a_matter_of_life_is_sent_again_with_its_key_and_marked(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with fake_webhook() as service:
        service.hang = True
        gateway = Hallwatch(tmp_path / "gateway", small_site(Parts(mosquitto.port, webhook=service.url)), SECRET)
        with gateway:
            await asyncio.to_thread(mosquitto.publish, FIRE, '{"value": {"alarm": true}}')
            await _until(service, 2)
            await asyncio.to_thread(gateway.kill)
            first = {one.headers["Idempotency-Key"]: json.loads(one.body) for one in service.received}
            service.received.clear()
            service.hang = False
            await asyncio.to_thread(gateway.start)
            await _until(service, 2)
        again = {one.headers["Idempotency-Key"]: json.loads(one.body) for one in service.received[:2]}
    assert set(again) == set(first)
    assert not any(one["possible_duplicate"] for one in first.values())
    assert all(one["possible_duplicate"] and one["attempt"] > 1 for one in again.values())
    assert all("可能重复" in one["text"] and "possible duplicate" in one["text"] for one in again.values())


async def test_what_is_routine_is_not_sent_again_and_shown_as_unknown(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with fake_webhook() as service:
        service.hang = True
        site = small_site(Parts(mosquitto.port, webhook=service.url, thresholds="{equipment_raise_s: 0}"))
        gateway = Hallwatch(tmp_path / "gateway", site, SECRET)
        with gateway:
            await asyncio.to_thread(mosquitto.publish, PRINTER, '{"value": {"state": "fault", "code": "jam"}}')
            await _until(service, 1)
            await asyncio.to_thread(gateway.kill)
            key = service.received[0].headers["Idempotency-Key"]
            message = key.removeprefix("main/")
            service.received.clear()
            service.hang = False
            await asyncio.to_thread(gateway.start)
            await _until(service, 1)  # the repeat after 10 s: another message
        assert _states(gateway)[message] == "unknown"
    assert key not in {one.headers["Idempotency-Key"] for one in service.received}
