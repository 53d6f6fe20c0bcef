"""Every way out of the house fails: the page says that nobody outside was told, and what is inside still works."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiomqtt

from tests.fakes.webhook import fake_webhook
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.storm import calls, storm_site


async def _nobody(gateway: Hallwatch, *, active: bool) -> dict[str, Any]:
    """The alarm that nobody outside was told, as the page gets it."""
    async with asyncio.timeout(60):
        while True:
            for alarm in (await gateway.get("/api/v1/alarms?open=1"))["items"]:
                if alarm.get("detail") == "nobody_told" and alarm["active"] is active:
                    return dict(alarm)
            await asyncio.sleep(0.1)


async def test_when_nobody_outside_can_be_told_it_is_said_and_the_pager_in_the_house_rings(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    (press,) = calls(1)
    async with fake_webhook() as service, aiomqtt.Client(mosquitto.host, mosquitto.port) as pager:
        await pager.subscribe("pager/main", qos=1)
        service.status = 500
        site = json.loads(storm_site(mosquitto.port, service.url, machines=0, buttons=1))
        site["channels"].append({"id": "pager", "type": "mqtt", "topic": "pager/{hall}"})
        site["people"][0]["contacts"]["pager"] = "8001"
        gateway = Hallwatch(tmp_path / "gateway", json.dumps(site))
        with gateway:
            await gateway.linked()
            await asyncio.to_thread(mosquitto.publish, press.topic, press.payload)
            async with asyncio.timeout(30):
                notice = json.loads(bytes((await anext(aiter(pager.messages))).payload))
            assert (notice["lane"], notice["to"]) == ("life_safety", "8001")
            alarm = await _nobody(gateway, active=True)
            assert alarm["priority"] == "high"
            service.status = 200
            await _nobody(gateway, active=False)
    keys = [one.headers["Idempotency-Key"] for one in service.received]
    assert len(keys) > len(set(keys)), "it was tried again with its key"
