"""From the alarm to the group chat: robots that take, refuse in the body, or take nothing more for a while."""

import asyncio
import json
import re
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.robots import KEY, FakeRobots, fake_robots
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.storm import calls, storm_site

SERVICES = ("wecom", "dingtalk", "feishu")
BUSY = {
    "wecom": (200, b'{"errcode": -1, "errmsg": "system busy"}'),
    "dingtalk": (200, b'{"errcode": -1, "errmsg": "\xe7\xb3\xbb\xe7\xbb\x9f\xe7\xb9\x81\xe5\xbf\x99"}'),
    "feishu": (400, b'{"code": 9499, "msg": "too many request", "data": {}}'),
}


def robot_site(folder: Path, port: int, robots: FakeRobots, *services: str, token: str | None = None) -> str:
    """A hall whose only person is told by robots; each robot's address and key are in files."""
    site = json.loads(storm_site(port, "http://127.0.0.1:9/", machines=0, buttons=1))
    site["channels"] = [{"id": "log", "type": "log"}]
    (folder / "key").write_text(KEY, encoding="utf-8")
    for service in services:
        (folder / service).write_text(robots.url(service, *[token] if token else []), encoding="utf-8")
        url = {"url": {"file": str(folder / service)}}
        key = {} if service == "wecom" else {"secret": {"file": str(folder / "key")}}
        site["channels"].append({"id": service, "type": service, "allow_private": True, "timeout_s": 2, **url, **key})
    site["people"][0]["contacts"] = {"log": "duty", **dict.fromkeys(services, "wang")}
    return json.dumps(site, ensure_ascii=False)


async def until_taken(robots: FakeRobots, many: int) -> None:
    """Wait until the services have taken so many."""
    async with asyncio.timeout(90):
        while len(robots.taken) < many:
            await asyncio.sleep(0.1)


async def press_the_button(gateway: Hallwatch, said: str) -> None:
    """Answer by the link in a message, as a phone would."""
    found = re.search(r"/a/[\w-]+", said)
    assert found is not None
    url = gateway.url + found[0]
    async with aiohttp.ClientSession() as phone, phone.post(url, headers={"Origin": gateway.url}) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_call_for_help_is_sent_again_until_the_body_says_that_it_was_taken(
    tmp_path: Path, mosquitto: Mosquitto, service: str
) -> None:
    """Twice the service answers with a body that says no; the person's link in what it took works."""
    (press,) = calls(1)
    async with fake_robots() as robots:
        robots.refuse += [(200, b"<html>login</html>"), (200, b'{"errcode": 0, "code": 4}')]
        if service == "feishu":
            robots.refuse[1] = BUSY["feishu"]
        else:
            robots.refuse[1] = (200, b'{"errcode": 5, "errmsg": "request too frequent"}')
        gateway = Hallwatch(tmp_path / "gateway", robot_site(tmp_path, mosquitto.port, robots, service), speed=20)
        with gateway:
            await gateway.linked()
            await asyncio.to_thread(mosquitto.publish, press.topic, press.payload)
            await until_taken(robots, 1)
            assert robots.requests >= 3
            said = json.dumps(robots.taken[0], ensure_ascii=False)
            assert "求助按钮" in said
            assert "可能重复" in said, "the first answer said nothing: it may have been taken"
            (alarm,) = (await gateway.get("/api/v1/alarms?open=1"))["items"]
            assert (alarm["kind"], alarm.get("acknowledged_by")) == ("help", None)
            await press_the_button(gateway, said)
            (told,) = (one for one in (await gateway.get("/api/v1/alarms"))["items"] if one["id"] == alarm["id"])
            assert told["acknowledged_by"]["zh"] == "wang"


async def test_a_robot_that_is_gone_is_an_alarm_of_its_own_and_the_others_tell(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    (press,) = calls(1)
    async with fake_robots() as robots:
        site = json.loads(robot_site(tmp_path, mosquitto.port, robots, *SERVICES))
        (tmp_path / "wecom").write_text(robots.url("wecom", "another"), encoding="utf-8")
        gateway = Hallwatch(tmp_path / "gateway", json.dumps(site), speed=20)
        with gateway:
            await gateway.linked()
            await asyncio.to_thread(mosquitto.publish, press.topic, press.payload)
            await until_taken(robots, 2)
            async with asyncio.timeout(90):
                while True:
                    alarms = (await gateway.get("/api/v1/alarms?open=1"))["items"]
                    if any(one.get("detail", "").startswith("dead_letter answer_93000") for one in alarms):
                        break
                    await asyncio.sleep(0.1)
        assert robots.taken[0].keys() & {"card", "markdown"}
        assert "another" not in gateway.log(), "a robot's address is in no log"
