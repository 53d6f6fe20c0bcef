"""Two hundred alarms a second and a fire among them: the fire goes first, every alarm is told of, and nothing grows.

How fast it is, `python -m benchmarks storm` measures; here a slow service makes the queue in which the fire is first.
"""

import asyncio
import json
import time
from pathlib import Path

from benchmarks.servers import memory_mb
from benchmarks.wire import publisher
from tests.fakes.webhook import fake_webhook
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.storm import FIRE, Aftermath, aftermath, failures, fire, storm_site, unsettled

MACHINES = 500
RATE = 200


async def _blow(port: int, *, with_fire_after: int) -> None:
    """All failures at the storm's rate, a fire among them."""
    said = list(failures(MACHINES))
    said.insert(with_fire_after, fire())
    async with publisher(port, "storm") as out:
        began = time.monotonic()
        for number in range(0, len(said), 10):
            await out.publish((one.topic, one.payload) for one in said[number : number + 10])
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
        await out.drained()


async def _settled(store: Path) -> None:
    async with asyncio.timeout(60):
        while unsettled(store, MACHINES * 3 + 1):
            await asyncio.sleep(0.2)


async def test_the_fire_goes_first_every_alarm_is_told_and_nothing_grows(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with fake_webhook() as service:
        # Two routine workers at a quarter of a second each: eight messages a second for two hundred alarms.
        service.delay_s = 0.25
        gateway = Hallwatch(tmp_path / "gateway", storm_site(mosquitto.port, service.url, machines=MACHINES))
        with gateway:
            await gateway.linked()
            before = memory_mb(gateway.process.pid)
            await _blow(mosquitto.port, with_fire_after=MACHINES)
            await _settled(gateway.store)
            grown = memory_mb(gateway.process.pid) - before
        after = aftermath(gateway.store)
        arrived = [str(json.loads(one.body)["id"]) for one in service.received]
    _fire_was_first(after)
    told = after.told_by("hook")
    unheard = [key for key, alarm in after.alarms.items() if not told.get(alarm, set()) & set(arrived)]
    assert len(after.alarms) == MACHINES * 3 + 1
    assert not unheard, "every alarm was told of by a message that arrived"
    routine = [one for one in after.messages.values() if one.lane == "operational" and one.channel == "hook"]
    assert len(routine) < 150, "some single ones, then summaries: no thousands of mails"
    assert len(arrived) == len(set(arrived)), "each once"
    assert grown < 120, f"{grown:.0f} MiB for {len(after.alarms)} alarms"


def _fire_was_first(after: Aftermath) -> None:
    run = after.alarms[FIRE]
    mine = {one.id: one for one in after.messages.values() if one.about == run}
    assert mine
    assert not any(one.code == "alarm.summary" for one in mine.values())
    born = min(one.created for one in mine.values())
    begun = next(number for number, (_, id_) in enumerate(after.attempts) if id_ in mine)
    overtaken = [id_ for at, id_ in after.attempts[:begun] if at > born]
    assert not overtaken, "what was queued and had not begun waits for the fire"
    waited = [one for one in after.messages.values() if one.created < born and one.id in _later(after, begun)]
    assert waited, "there was a queue for it to pass"


def _later(after: Aftermath, begun: int) -> set[str]:
    return {id_ for _, id_ in after.attempts[begun + 1 :]} - {id_ for _, id_ in after.attempts[:begun]}
