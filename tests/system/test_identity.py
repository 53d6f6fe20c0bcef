"""Somebody with a login speaks in the name of a device that signs: he is not believed, and the device is unharmed."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from sensors.decode.signature import sign
from sensors.readings import Kind
from sensors.topics import device_topic
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.ledger import HALL, read_kept
from tests.system.scene import page
from tests.system.small_site import Parts, small_site

DESK_KEY, SMOKE_KEY = "desk-key-6f1d0c9b2a7e4853", "smoke-key-91c4e27ab5d80f36"
DESK = device_topic(HALL, "desk-1", Kind.PRESENCE)
OTHER = device_topic(HALL, "desk-2", Kind.PRESENCE)
FIRE = device_topic(HALL, "smoke-1", Kind.FIRE)
PATIENCE_S = 40.0


def signing_site(port: int) -> str:
    site = small_site(Parts(port))
    for device, name in (("desk-1", "DESK_KEY"), ("smoke-1", "SMOKE_KEY")):
        assert f"{{id: {device}, " in site
        site = site.replace(f"{{id: {device}, ", f"{{id: {device}, key: {{env: {name}}}, ")
    return site


def desk(sequence: int, *, present: bool = True) -> bytes:
    return json.dumps({"device": "desk-1", "boot": 7, "seq": sequence, "value": {"present": present}}).encode()


def fire(sequence: int, *, alarm: bool = True, boot: int = 7) -> bytes:
    return json.dumps(
        {"device": "smoke-1", "boot": boot, "seq": sequence, "value": {"alarm": alarm, "sensor": "smoke"}}
    ).encode()


async def alarms(gateway: Hallwatch, *kinds: str) -> list[dict[str, Any]]:
    items = (await gateway.get("/api/v1/alarms?limit=500"))["items"]
    return [one for one in items if one["kind"] in kinds]


async def received(gateway: Hallwatch, count: int) -> dict[str, int]:
    async with asyncio.timeout(PATIENCE_S):
        while (account := await gateway.account())["received"] < count:
            await asyncio.sleep(0.05)
    return account


async def test_who_has_no_key_is_not_believed_and_harms_nobody(tmp_path: Path, mosquitto: Mosquitto) -> None:
    key, others = DESK_KEY.encode(), b"a key that somebody has thought up"
    gateway = Hallwatch(
        tmp_path / "gateway", signing_site(mosquitto.port), {"DESK_KEY": DESK_KEY, "SMOKE_KEY": SMOKE_KEY}
    )
    with gateway:
        await gateway.linked()
        genuine = sign(DESK, desk(1), key)
        mosquitto.publish(DESK, genuine)
        # Unsigned, by another key, said elsewhere, changed under way: all of them ahead of the device's own numbers.
        mosquitto.publish(DESK, desk(900, present=False))
        mosquitto.publish(DESK, sign(DESK, desk(901, present=False), others))
        mosquitto.publish(DESK, sign(OTHER, desk(902, present=False), key))
        mosquitto.publish(DESK, sign(DESK, desk(2), key).replace(b"true", b"null"))
        # What it really said, once more.
        mosquitto.publish(DESK, genuine)
        mosquitto.publish(DESK, sign(DESK, desk(2), key))
        account = await received(gateway, 7)
        assert (account["stored"], account["quarantined"], account["duplicate"], account["gaps"]) == (2, 4, 1, 0)
        rows = (await gateway.get("/api/v1/quarantine"))["items"]
        assert [(one["device"], one["reason"]) for one in reversed(rows)] == [
            ("desk-1", "signature_missing"),
            ("desk-1", "signature_wrong"),
            ("desk-1", "signature_wrong"),
            # It can no longer be read either, which is found out first.
            ("desk-1", "invalid_value"),
        ]
        assert all(one["detail"] for one in rows)
        async with asyncio.timeout(PATIENCE_S):
            while not await alarms(gateway, "gateway"):
                await asyncio.sleep(0.1)
        (told,) = await alarms(gateway, "gateway")
        assert (told["subject"], told["detail"], told["active"]) == ("desk-1", "forged", True)
        assert (await page(gateway))["window/w1"]["staffing"] == "staffed", "as the desk itself has said"
        mosquitto.publish(DESK, desk(903))
        await received(gateway, 8)
        await asyncio.sleep(2.5)  # the next look
        assert ("identity", "note", "main", "9 / 11") in await examined(gateway)
        assert len(await alarms(gateway, "gateway")) == 1, "one alarm, however often"
    kept = await read_kept(gateway.store)
    assert kept.sequences["desk-1"] == {1: 1, 2: 1}
    assert kept.resumed == kept.from_empty
    assert_untold(gateway)


async def test_a_forged_fire_asks_people_to_look_and_only_the_detectors_own_starts_the_plan(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    key = SMOKE_KEY.encode()
    gateway = Hallwatch(
        tmp_path / "gateway", signing_site(mosquitto.port), {"DESK_KEY": DESK_KEY, "SMOKE_KEY": SMOKE_KEY}
    )
    with gateway:
        await gateway.linked()
        mosquitto.publish(FIRE, sign(FIRE, fire(1, alarm=False), key))
        mosquitto.publish(FIRE, fire(2))
        async with asyncio.timeout(PATIENCE_S):
            while not (looked := await alarms(gateway, "fire")):
                await asyncio.sleep(0.05)
        assert [(one["subject"], one["verified"], one["active"]) for one in looked] == [("smoke-1", False, True)]
        status = (await gateway.get("/api/v1/status"))["halls"][0]
        assert status["runs"] == 0
        # Nor is an unsigned "all clear" believed once the detector itself has spoken, under the number that was forged.
        mosquitto.publish(FIRE, sign(FIRE, fire(2), key))
        mosquitto.publish(FIRE, fire(3, alarm=False))
        account = await received(gateway, 4)
        assert (account["stored"], account["quarantined"], account["duplicate"]) == (2, 2, 0)
        async with asyncio.timeout(PATIENCE_S):
            while (await gateway.get("/api/v1/status"))["halls"][0]["runs"] == 0:
                await asyncio.sleep(0.05)
        (alarm,) = await alarms(gateway, "fire")
        assert (alarm.get("verified", True), alarm["active"]) == (True, True)
        # What was forged is still forged after a crash, and what was believed believed.
        gateway.kill()
        gateway.start()
        await gateway.linked()
        # A kill between the commit and the broker reading our PUBACK brings a message once more, never once less.
        assert 2 <= (await gateway.account())["quarantined"] <= 4
        (alarm,) = await alarms(gateway, "fire")
        assert (alarm.get("verified", True), alarm["active"]) == (True, True)
        mosquitto.publish(FIRE, sign(FIRE, fire(3, alarm=False), key))
        async with asyncio.timeout(PATIENCE_S):
            while (await alarms(gateway, "fire"))[0]["active"]:
                await asyncio.sleep(0.05)
    kept = await read_kept(gateway.store)
    assert kept.resumed == kept.from_empty
    assert_untold(gateway)


async def test_an_all_clear_that_was_recorded_two_starts_ago_ends_no_fire(tmp_path: Path, mosquitto: Mosquitto) -> None:
    key = SMOKE_KEY.encode()
    recorded = sign(FIRE, fire(1, alarm=False), key)
    gateway = Hallwatch(
        tmp_path / "gateway", signing_site(mosquitto.port), {"DESK_KEY": DESK_KEY, "SMOKE_KEY": SMOKE_KEY}
    )
    with gateway:
        await gateway.linked()
        mosquitto.publish(FIRE, recorded)
        mosquitto.publish(FIRE, sign(FIRE, fire(1, alarm=False, boot=8), key))
        mosquitto.publish(FIRE, sign(FIRE, fire(1, boot=9), key))
        mosquitto.publish(FIRE, recorded)
        account = await received(gateway, 4)
        assert (account["stored"], account["quarantined"], account["duplicate"]) == (3, 1, 0)
        (row,) = (await gateway.get("/api/v1/quarantine"))["items"]
        assert (row["device"], row["reason"]) == ("smoke-1", "signature_old")
        # A gateway that began anew has not forgotten what was said before.
        gateway.kill()
        gateway.start()
        await gateway.linked()
        await received(gateway, 4)
        mosquitto.publish(FIRE, recorded)
        # A kill before the broker has read our PUBACK may bring one more than was said.
        account = await received(gateway, 5)
        assert (account["stored"], account["quarantined"] + account["duplicate"]) == (3, account["received"] - 3)
        (alarm,) = await alarms(gateway, "fire")
        assert alarm["active"]
        mosquitto.publish(FIRE, sign(FIRE, fire(2, alarm=False, boot=9), key))
        async with asyncio.timeout(PATIENCE_S):
            while (await alarms(gateway, "fire"))[0]["active"]:
                await asyncio.sleep(0.05)
    kept = await read_kept(gateway.store)
    assert kept.resumed == kept.from_empty


async def examined(gateway: Hallwatch) -> set[tuple[str, ...]]:
    """What the doctor says."""
    doctor = [sys.executable, "-m", "dashboard.cli.main", "doctor", "--json", "--data", str(gateway.data)]
    child = await asyncio.create_subprocess_exec(
        *doctor, "--socket", str(gateway.socket), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    return {tuple(one[name] for name in ("check", "state", "hall", "detail")) for one in json.loads(said)["checks"]}


def assert_untold(gateway: Hallwatch) -> None:
    """The keys are in nothing that the gateway has written."""
    for file in gateway.folder.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert not any(key.encode() in held for key in (DESK_KEY, SMOKE_KEY)), file
