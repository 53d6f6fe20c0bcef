"""Six services that fail each in a way of its own, behind one real gateway: each message is tried again or given up as
the class of the failure says, and none comes twice without its mark.
"""

import asyncio
import json
from pathlib import Path

from tests.fakes import rude as fake
from tests.fakes.rude import rude
from tests.fakes.stubborn import WAYS, Stubborn, stubborn
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.storm import Aftermath, aftermath, calls, failures, storm_site, unsettled

# The copies that have arrived (True: marked) and the state in the end. The third copy is taken wherever it comes.
# What was surely not taken goes out again unmarked; what may have been is marked, or never sent again.
AGAIN = ([False, False, False], "sent")
MARKED = ([False, True, True], "sent")
LIFE = {"refuse": AGAIN, "body": AGAIN, "redirect": AGAIN, "limit": AGAIN, "hang": MARKED, "drop": MARKED}
GIVEN_UP = ([False], "dead")
IN_DOUBT = ([False], "unknown")
ROUTINE = {
    "refuse": GIVEN_UP,
    "body": GIVEN_UP,
    "redirect": GIVEN_UP,
    "limit": AGAIN,
    "hang": IN_DOUBT,
    "drop": IN_DOUBT,
}


def _site(port: int, services: Stubborn) -> str:
    """A hall whose one person is told by all six."""
    site = json.loads(storm_site(port, services.url("refuse"), machines=1, buttons=1))
    robot = {"accept": {"field": "errcode", "equals": 0}}
    site["channels"] = [{"id": "log", "type": "log"}] + [
        {
            "id": way, "type": "webhook", "url": services.url(way), "allow_private": True,
            "timeout_s": 1 if way == "hang" else 10, **(robot if way == "body" else {}),
        }
        for way in WAYS
    ]  # fmt: skip
    site["people"][0]["contacts"] = dict.fromkeys(WAYS, "wang")
    return json.dumps(site, ensure_ascii=False)


async def test_each_is_tried_again_or_given_up_as_its_failure_says_and_never_twice_unmarked(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    alarms = [next(calls(1)), next(failures(1))]
    async with rude(fake.hang_after_reading) as inside, stubborn(inside.url()) as services:
        # The pauses between attempts go by the gateway's clock.
        gateway = Hallwatch(tmp_path / "gateway", _site(mosquitto.port, services), speed=20)
        with gateway:
            await gateway.linked()
            for one in alarms:
                await asyncio.to_thread(mosquitto.publish, one.topic, one.payload)
            async with asyncio.timeout(90):
                # Dead letters are alarms of their own, which the same services are told of: wait for those too.
                while unsettled(gateway.store, len(alarms) + 3) or not _all_tried(aftermath(gateway.store), services):
                    await asyncio.sleep(0.2)
        assert inside.connections == 0, "a redirect was followed to an address inside"
        after = aftermath(gateway.store)
    for alarm in alarms:
        about = after.alarms[alarm.key]
        assert {one.channel for one in after.messages.values() if one.about == about} >= WAYS.keys()
    for told in after.messages.values():
        if told.channel in WAYS:
            expected = LIFE if told.lane == "life_safety" else ROUTINE
            assert (services.copies[told.channel, told.id], told.state) == expected[told.channel], told


def _all_tried(after: Aftermath, services: Stubborn) -> bool:
    """Whether each message has come to its service."""
    return all((one.channel, one.id) in services.copies for one in after.messages.values() if one.channel in WAYS)
