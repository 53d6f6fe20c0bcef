"""On a real broker: what is published arrives, at its time, and the broker itself tells of a lost device."""

import asyncio
import json
import os
import signal
import sys
import time

import aiomqtt
import pytest

from sensors.clock import Clock
from simulators.clock import SimClock
from simulators.fleet import Fleet
from simulators.link import Broker, Progress, connect, play, simulate
from simulators.scenario import load_scenario
from tests.servers.mosquitto import Mosquitto
from tests.simulators.halls import ROOT, university

SITE = university()
TEN = 1_773_194_400_000  # 2026-03-11 10:00 in Shanghai
SCENARIO = """
id: short
title: {zh: 短}
watch: {zh: 看}
duration_s: 30
events: [{at: 10, device: help-lounge, press: help}]
"""


def test_the_clock_is_arithmetic() -> None:
    clock = Clock(origin=1000, rate=60, anchor=5)
    assert clock.at(5) == 1000
    assert clock.at(6.5) == 1000 + 90_000
    assert clock.monotonic(clock.at(7)) == pytest.approx(7)
    with pytest.raises(ValueError, match="rate"):
        Clock(0, rate=0)


async def test_the_clock_sleeps_until_it_shows_the_time() -> None:
    clock = SimClock.start(TEN, rate=100)
    before = time.monotonic()
    await clock.sleep_until(TEN + 10_000)
    assert clock.now() >= TEN + 10_000
    assert 0.09 < time.monotonic() - before < 2


async def test_a_scenario_arrives_whole(mosquitto: Mosquitto) -> None:
    scenario = load_scenario(SCENARIO)
    steps: list[Progress] = []
    heard: list[tuple[str, bytes]] = []
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as listener:
        await listener.subscribe("#", qos=1)
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:

            async def listen() -> None:
                async for message in listener.messages:
                    assert isinstance(message.payload, bytes)
                    heard.append((str(message.topic), message.payload))
                    if message.topic.value == "done":
                        return

            group.create_task(listen())
            clock = SimClock.start(TEN, rate=60)
            count = await simulate(
                scenario, SITE, Broker(mosquitto.host, mosquitto.port), clock, on_progress=steps.append
            )
            await asyncio.sleep(0.2)
            await listener.publish("done", qos=1)
    assert count == len(steps) == len(heard) - 1
    wanted = list(scenario.publications(SITE, steps[0].at))
    assert sorted(heard[:-1]) == sorted((it.topic, it.payload) for it in wanted)
    assert [step.at for step in steps] == [it.at for it in wanted]


async def test_availability_is_retained_and_readings_are_not(mosquitto: Mosquitto) -> None:
    fleet = Fleet(SITE, seed=1)
    async with connect(Broker(mosquitto.host, mosquitto.port)) as wire:
        await play(fleet.publications(TEN, TEN + 2000), wire, SimClock.start(TEN, rate=1000))
    retained = set()
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as late:
        await late.subscribe("#", qos=1)
        await late.publish("done", qos=1)
        async with asyncio.timeout(10):
            async for message in late.messages:
                if message.topic.value == "done":
                    break
                retained.add(message.topic.value.rsplit("/", 1)[1])
    assert retained == {"availability", "state", "devices"}


async def test_the_broker_publishes_the_will_of_a_device_that_was_killed(mosquitto: Mosquitto) -> None:
    program = (
        "import asyncio\n"
        "from simulators.link import Broker, connect\n"
        "from simulators.fleet import Fleet\n"
        "from tests.simulators.halls import university\n"
        "async def main():\n"
        "    fleet = Fleet(university())\n"
        f"    async with connect(Broker('{mosquitto.host}', {mosquitto.port}), [fleet.will('w1-badge', 0)], pool=1):\n"
        "        print('connected', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    async with asyncio.timeout(30), aiomqtt.Client(mosquitto.host, mosquitto.port) as listener:
        await listener.subscribe("hallwatch/v1/main/telemetry/w1-badge/availability", qos=1)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=-1
        )
        try:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"connected\n"
        finally:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        message = await anext(aiter(listener.messages))
        assert isinstance(message.payload, bytes)
        assert json.loads(message.payload)["value"] == {"online": False, "reason": "last_will"}
