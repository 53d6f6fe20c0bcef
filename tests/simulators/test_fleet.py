"""A fleet made from the example site: a plausible day, the same one for the same seed, and nothing amiss in it."""

import json
from collections import Counter
from itertools import pairwise

import pytest

from sensors.decode.reception import Verdict
from sensors.facts import FactKind
from sensors.hall.state import Liveness, Origin
from sensors.readings import Fire, Kind
from sensors.site.model import Device
from simulators.devices.native import NativeDevice
from simulators.devices.zigbee2mqtt import Zigbee2MqttDevice, bridge_publications
from simulators.fleet import Fleet
from simulators.publication import Publication
from simulators.visitors import shape
from tests.simulators.halls import Listener, university

SITE = university()
HOUR = 3_600_000
MIDNIGHT = 1_773_158_400_000  # 2026-03-11 00:00 in Shanghai, a Wednesday
EIGHT = MIDNIGHT + 8 * HOUR


def between(start: int, end: int, seed: int = 3) -> list[Publication]:
    return list(Fleet(SITE, seed=seed).publications(start, end))


def test_the_same_seed_says_the_same_and_another_something_else() -> None:
    one, two = between(EIGHT + 2 * HOUR, EIGHT + 3 * HOUR), between(EIGHT + 2 * HOUR, EIGHT + 3 * HOUR)
    assert one == two
    assert one != between(EIGHT + 2 * HOUR, EIGHT + 3 * HOUR, seed=4)


def test_publications_come_in_order_and_within_their_time() -> None:
    said = between(EIGHT, EIGHT + HOUR)
    assert all(before.at <= after.at for before, after in pairwise(said))
    assert said[0].at == EIGHT
    assert said[-1].at < EIGHT + HOUR + 2000


def test_a_day_is_the_same_wherever_one_begins_to_look() -> None:
    late = Fleet(SITE, seed=3)
    whole = [it for it in Fleet(SITE, seed=3).told(EIGHT, EIGHT + 3 * HOUR) if it.at >= EIGHT + 2 * HOUR + 2000]
    part = [it for it in late.told(EIGHT + 2 * HOUR, EIGHT + 3 * HOUR) if it.at >= EIGHT + 2 * HOUR + 2000]
    assert whole == part


def test_the_rate_is_that_of_a_hall() -> None:
    said = between(EIGHT + 2 * HOUR, EIGHT + 3 * HOUR)
    assert 1 < len(said) / 3600 < 20


def test_every_device_of_the_site_is_heard_at_once_and_within_its_limit() -> None:
    listener = Listener(SITE, EIGHT)
    listener.hear(Fleet(SITE, seed=3).publications(EIGHT, EIGHT + 2 * HOUR), EIGHT + 2 * HOUR)
    ours = [device for device in listener.hall.state.devices.values() if device.origin is Origin.SITE]
    assert len(ours) == len(SITE.halls[0].devices) >= 60
    assert {device.liveness for device in ours} == {Liveness.ONLINE}
    assert all(device.account.gaps == 0 for device in ours)


def test_a_day_raises_nothing_but_punches_and_everybody_is_on_time() -> None:
    listener = Listener(SITE, EIGHT)
    end = EIGHT + 10 * HOUR
    listener.hear(Fleet(SITE, seed=3).publications(EIGHT, end), end)
    kinds = Counter((fact.kind, fact.detail) for fact in listener.facts)
    assert set(kinds) == {(FactKind.PUNCH, "on_time")}
    assert set(listener.verdicts) == {Verdict.STORED}


def test_nobody_comes_on_a_sunday() -> None:
    day = Fleet(SITE, seed=3).day_of(MIDNIGHT + 4 * 24 * HOUR + 10 * HOUR)
    assert day.stays == ()
    assert all(queue.at(day.start + 10 * HOUR) == 0 for queue in day.queues.values())


def test_it_is_busiest_in_the_middle_of_the_morning() -> None:
    assert max(range(1440), key=shape) == pytest.approx(600, abs=10)
    assert max(shape(minute) for minute in range(1440)) <= 1


def test_a_native_device_counts_its_starts_and_its_messages() -> None:
    device = NativeDevice("h", Device(id="smoke-1", kinds=(Kind.FIRE,)))
    bodies = []
    for start in (EIGHT, EIGHT + 5000):
        (birth,) = device.connect(start)
        assert birth.retain
        assert json.loads(birth.payload)["value"] == {"online": True}
        bodies += [json.loads(device.say(Fire(alarm=False), start)[0].payload) for _ in range(2)]
    assert [body["seq"] for body in bodies] == [1, 2, 1, 2]
    assert len({body["boot"] for body in bodies}) == 2
    will = device.will(EIGHT)
    assert will.topic == "hallwatch/v1/h/telemetry/smoke-1/availability"
    assert json.loads(will.payload)["value"]["online"] is False


def test_a_zigbee_device_repeats_all_that_it_knows() -> None:
    device = Zigbee2MqttDevice(Device(id="s", address="hall/smoke 1", family="zigbee2mqtt", kinds=(Kind.FIRE,)))
    (said,) = device.say(Fire(alarm=True), EIGHT)
    assert said.topic == "zigbee2mqtt/hall/smoke 1"
    assert json.loads(said.payload)["smoke"] is True
    assert "linkquality" in json.loads(said.payload)


def test_the_bridge_names_its_devices_with_what_they_expose() -> None:
    behind = [it for it in SITE.halls[0].devices if it.family == "zigbee2mqtt" and it.address != "bridge"]
    listener = Listener(SITE, EIGHT)
    listener.hear(iter(bridge_publications(behind, EIGHT)), EIGHT + 1)
    names = {device.address for device in listener.hall.state.devices.values() if device.model}
    assert names == {device.address for device in behind}


def test_a_bridge_of_the_site_speaks_when_it_starts_and_its_last_will_for_it() -> None:
    fleet = Fleet(SITE)
    started = [one for one in fleet.connect(EIGHT) if "/bridge/" in one.topic]
    assert [one.topic for one in started] == ["zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/devices"]
    listener = Listener(SITE, EIGHT)
    listener.hear(iter(fleet.connect(EIGHT)), EIGHT + 1)
    device = listener.hall.state.devices["zigbee-bridge"]
    assert (device.origin, device.liveness) == (Origin.SITE, Liveness.ONLINE)
    listener.hear(iter([fleet.will("zigbee-bridge", EIGHT + 2)]), EIGHT + 3)
    assert device.liveness is Liveness.OFFLINE
    assert listener.hall.state.devices["smoke-lounge"].liveness is Liveness.UNKNOWN


def test_a_site_without_its_bridge_has_one_all_the_same() -> None:
    hall = SITE.halls[0]
    others = tuple(device for device in hall.devices if device.address != "bridge")
    fleet = Fleet(SITE.model_copy(update={"halls": (hall.model_copy(update={"devices": others}),)}))
    started = [one.topic for one in fleet.connect(EIGHT) if "/bridge/" in one.topic]
    assert started == ["zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/devices"]


def test_a_damaged_fire_of_a_known_detector_asks_people_to_look() -> None:
    listener = Listener(SITE, EIGHT)
    damaged = Publication(
        EIGHT, "hallwatch/v1/main/safety/smoke-staff/fire", b'{"value":{"alarm":true', 1, retain=False, device="x"
    )
    listener.hear(iter([damaged]), EIGHT + 1)
    (fact,) = listener.facts
    assert (fact.kind, fact.subject.id, fact.verified) == (FactKind.FIRE, "smoke-staff", False)
    assert listener.verdicts == {Verdict.QUARANTINED: 1}
