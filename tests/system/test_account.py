"""Every message is accounted for: one that is lost on the way inside is an alarm, and nothing else is."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site

PATIENCE_S = 40.0


def saying(sequence: int, **value: object) -> str:
    return json.dumps({"boot": 1, "seq": sequence, "value": value})


async def balance(gateway: Hallwatch) -> Any:  # noqa: ANN401 - JSON
    (hall,) = (await gateway.get("/api/v1/status"))["halls"]
    return hall["balance"]


async def own_alarms(gateway: Hallwatch) -> list[Any]:
    items = (await gateway.get("/api/v1/alarms?open=1"))["items"]
    return [one for one in items if one["kind"] == "gateway" and one["active"]]


async def test_a_message_lost_inside_is_an_alarm_until_the_broker_has_delivered_it_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    gateway = Hallwatch(tmp_path / "hallwatch", small_site(Parts(mosquitto.port)), {"LOSE": '"length": 77'})
    command = gateway.process.command
    command[command.index("dashboard.cli.main")] = "tests.system.losing"
    with gateway:
        for sequence, length in enumerate((3, 77, 5), 1):
            mosquitto.publish("hallwatch/v1/main/telemetry/queue-1/queue", saying(sequence, length=length))
        async with asyncio.timeout(PATIENCE_S):
            while not (alarms := await own_alarms(gateway)):
                await asyncio.sleep(0.2)
        (alarm,) = alarms
        assert (alarm["subject"], alarm["priority"]) == ("account", "high")
        received, counted = (int(part) for part in alarm["detail"].split(" + ")[0].split(" ≠ "))
        assert received == counted + 1
        assert (await balance(gateway))["unexplained"] == 1
        # The gap that the devices' own numbers show stands beside it.
        assert (await gateway.account())["gaps"] == 1
        # It was never acknowledged: the session is cut, and the broker gives it again.
        await asyncio.to_thread(mosquitto.restart)
        async with asyncio.timeout(PATIENCE_S):
            while await own_alarms(gateway):
                await asyncio.sleep(0.2)
        assert await balance(gateway) == {"unexplained": 0, "lost": 1, "devices": []}
        assert (await gateway.account())["stored"] == 3
        assert (await gateway.account())["gaps"] == 0


async def test_nothing_else_disturbs_the_balance(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Duplicates, rubbish, strangers, a broker that is killed under way, and a gateway that is: no false alarm."""
    with Hallwatch(tmp_path / "hallwatch", small_site(Parts(mosquitto.port))) as gateway:
        for sequence in (1, 2, 2, 4):
            mosquitto.publish("hallwatch/v1/main/telemetry/queue-1/queue", saying(sequence, length=sequence))
        mosquitto.publish("hallwatch/v1/main/telemetry/queue-1/queue", b"{")
        mosquitto.publish("hallwatch/v1/main/telemetry/stranger/queue", saying(1, length=1))
        mosquitto.publish("hallwatch/v1/main/gateway/somebody", b"{}")
        await asyncio.to_thread(mosquitto.kill)
        await asyncio.to_thread(mosquitto.start)
        await gateway.linked()
        gateway.kill()
        mosquitto.publish("hallwatch/v1/main/telemetry/queue-1/queue", saying(5, length=5))
        gateway.start()
        async with asyncio.timeout(PATIENCE_S):
            while (await gateway.account())["stored"] < 4:
                await asyncio.sleep(0.1)
        # Longer than the looks that an alarm needs.
        await asyncio.sleep(7)
        assert await balance(gateway) == {"unexplained": 0, "lost": 0, "devices": []}
        assert await own_alarms(gateway) == []
        account = await gateway.account()
        names = ("stored", "duplicate", "quarantined", "refused", "awaiting")
        assert account["received"] == sum(account[name] for name in names)
        assert account["gaps"] == 1
