"""What is over a bound is refused with its reason; a fire or a call for help never is, and stays readable when cut."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.decode.bounds import Bounds
from sensors.decode.family import Packet
from sensors.decode.reception import KEPT_BYTES_AT_LEAST, Received, Reception, Verdict
from sensors.decode.sequence import record
from sensors.hall.state import DeviceState, HallState, Origin
from sensors.inputs import Heard, Lane
from sensors.readings import Button, ButtonAction, Fire, FireSensor, Flag, Kind
from sensors.site.limits import Limits
from sensors.site.model import FamilyUse, Hall, Site, Words

BASE = "hallwatch/v1/h1"
FIRE = b'{"value":{"alarm":true}}'
HELP = b'{"value":{"action":"help"}}'
SEAT = b'{"value":{"present":true}}'


class Door:
    """A reception with limits, and time."""

    def __init__(self, **limits: float) -> None:
        families = (FamilyUse(family="native"), FamilyUse(family="zigbee2mqtt"))
        hall = Hall(id="h1", name=Words(zh="厅"), hours={})
        limit = Limits.model_validate(limits)
        site = Site(site="s", name=Words(zh="站"), families=families, halls=(hall,), limits=limit)
        self.state = HallState("h1")
        self.reception = Reception(site, "h1", self.state)
        self.now = 1_700_000_000_000
        for name, kind, family in (
            ("smoke-1", Kind.FIRE, "native"),
            ("desk-1", Kind.PRESENCE, "native"),
            ("help-1", Kind.BUTTON, "native"),
            ("zb", Kind.FIRE, "zigbee2mqtt"),
        ):
            self.state.devices[name] = DeviceState(name, family, name, Origin.SITE, (kind,))

    def hear(self, topic: str, payload: bytes, *, dup: bool = False) -> Received:
        """Judge a message; what is admitted must read the same from the journal, and is then remembered."""
        lane = Lane.SAFETY if "/safety/" in topic else Lane.TELEMETRY
        received = self.reception.receive(Packet(topic, payload, lane, self.now, dup=dup))
        if received.arrival is not None:
            kept = received.kept or Packet(topic, payload, lane, self.now)
            awaiting = received.verdict is Verdict.AWAITING
            heard = Heard(self.now, kept.topic, kept.payload, lane, awaiting=awaiting)
            assert self.reception.read(heard) == received.arrival
            device = self.state.devices.get(received.device)
            if device is not None:
                record(device, received.arrival, heard)
        return received

    def reasons(self, topic: str, payload: bytes, times: int) -> list[str]:
        return [self.hear(topic, payload).reason for _ in range(times)]


def test_a_device_has_its_burst_and_then_its_rate() -> None:
    door = Door(burst=5, rate_per_s=2)
    topic = f"{BASE}/telemetry/desk-1/presence"
    assert door.reasons(topic, SEAT, 7) == [""] * 5 + ["over_rate"] * 2
    door.now += 1000
    assert door.reasons(topic, SEAT, 3) == ["", "", "over_rate"]
    assert door.hear(f"{BASE}/safety/smoke-1/fire", b'{"value":{"alarm":false}}').reason == "", "it has its own share"
    door.now += 3_600_000
    assert door.reasons(topic, SEAT, 6) == [""] * 5 + ["over_rate"]


def test_a_clock_set_back_costs_no_device_its_share() -> None:
    door = Door(burst=5, rate_per_s=2)
    topic = f"{BASE}/telemetry/desk-1/presence"
    assert door.reasons(topic, SEAT, 6)[-1] == "over_rate"
    door.now -= 3_600_000
    assert door.reasons(topic, SEAT, 6) == [""] * 5 + ["over_rate"]


def test_a_long_message_costs_more() -> None:
    bounds = Bounds(Limits(burst=100, rate_per_s=1))
    packet = Packet("t", b"x" * (10 * 16_384), Lane.TELEMETRY, 1)
    assert [bounds.in_time("d", packet) for _ in range(10)] == [True] * 9 + [False]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"{BASE}/safety/smoke-1/fire", FIRE),
        (f"{BASE}/safety/help-1/button", HELP),
        (f"{BASE}/safety/stranger/fire", FIRE),
        (f"{BASE}/safety/stranger-2/button", HELP),
        ("zigbee2mqtt/zb", b'{"smoke": true}'),
        (f"{BASE}/safety/smoke-1/fire", FIRE[:-1]),
        (f"{BASE}/safety/smoke-1/fire", FIRE + b" " * 5_000_000),
    ],
)
def test_no_bound_discards_a_fire_or_a_call_for_help(topic: str, payload: bytes) -> None:
    door = Door(burst=1, rate_per_s=0.001, unknown_devices=0, devices=1, topics=1, quarantine_mib=1)
    door.reasons(f"{BASE}/telemetry/desk-1/presence", SEAT, 2)
    door.reasons(f"{BASE}/telemetry/nobody/nonsense", b"x" * 20_000, 100)
    assert door.hear(f"{BASE}/telemetry/new/badge", b"x" * 16_384).reason == "quarantine_full"
    for _ in range(20):
        received = door.hear(topic, payload)
        assert received.arrival is not None
        (reading,) = received.arrival.readings
        assert reading.value == Button(ButtonAction.HELP) or (isinstance(reading.value, Fire) and reading.value.alarm)


def test_a_fire_after_the_quota_keeps_a_short_row() -> None:
    door = Door(quarantine_mib=1)
    topic = f"{BASE}/safety/smoke-1/fire"
    rows = [door.hear(topic, FIRE + b"x" * 20_000).kept_bytes for _ in range(70)]
    assert rows[0] > KEPT_BYTES_AT_LEAST
    assert rows[-1] == KEPT_BYTES_AT_LEAST
    door.now += 60_000
    assert door.hear(topic, FIRE + b"x" * 20_000).kept_bytes == rows[0]


def test_too_many_devices_and_topics_are_named() -> None:
    door = Door(unknown_devices=0)
    assert door.hear(f"{BASE}/telemetry/new/presence", SEAT).reason == "too_many_unknown"
    assert Door(devices=4).hear(f"{BASE}/telemetry/new/presence", SEAT).reason == "too_many_devices"
    door = Door(topics=2)
    reasons = [door.hear(f"{BASE}/telemetry/new-{n}/presence", SEAT).reason for n in range(3)]
    assert reasons == ["", "", "too_many_topics"]
    assert door.hear(f"{BASE}/telemetry/new-1/presence", SEAT).reason == ""


def test_an_over_long_topic_is_cut_and_its_fire_is_heard() -> None:
    door = Door(topic_length=64)
    long = "x" * 60_000
    assert door.hear(f"{BASE}/telemetry/{long}/presence", SEAT).reason == "topic_too_long"
    for name in (long, "y" * 50):
        received = door.hear(f"{BASE}/safety/{name}/fire", FIRE)
        assert received.arrival is not None
        assert received.kept is not None
        assert len(received.kept.topic) == 64
        assert received.arrival.readings[0].value == Fire(alarm=True)


def test_an_over_long_damaged_fire_is_kept_as_its_evidence() -> None:
    door = Door()
    body = b'{"flags": ["drill"], "value": {"sensor": "heat", "alarm": true, "x": "' + b"a" * 3_000_000 + b'"'
    received = door.hear(f"{BASE}/safety/smoke-1/fire", body)
    assert received.verdict is Verdict.QUARANTINED
    assert received.arrival is not None
    assert received.kept is not None
    assert len(received.kept.payload) < 1000
    assert f"cut: {len(body)} bytes, sha256 {sha256(body).hexdigest()}".encode() in received.kept.payload
    (reading,) = received.arrival.readings
    assert (reading.value, reading.flags) == (Fire(alarm=True, sensor=FireSensor.HEAT), Flag.DRILL)
    assert door.hear(f"{BASE}/safety/smoke-1/fire", body, dup=True).verdict is Verdict.DUPLICATE
    assert door.hear(f"{BASE}/safety/smoke-1/fire", body + b" ", dup=True).verdict is Verdict.QUARANTINED


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"{BASE}/safety/smoke-1/fire", b'{"value":{"alarm":true,"alarm":false}}'),
        (f"{BASE}/safety/smoke-1/fire", b'{"value":{"alarm":true},"value":{"alarm":false}}'),
        (f"{BASE}/safety/help-1/button", b'{"value":{"action":"help","action":"press"}}'),
        ("zigbee2mqtt/zb", b'{"smoke":true,"battery":90,"smoke":false}'),
    ],
)
def test_an_alarm_is_not_unsaid_in_its_own_message(topic: str, payload: bytes) -> None:
    """JSON readers take the last of a key that is written twice."""
    received = Door().hear(topic, payload)
    assert (received.verdict, received.reason) == (Verdict.QUARANTINED, "invalid_value")
    assert received.arrival is not None
    (reading,) = received.arrival.readings
    assert reading.value == Button(ButtonAction.HELP) or (isinstance(reading.value, Fire) and reading.value.alarm)


PIECES = st.sampled_from([
    b'"alarm"', b":", b" true", b"1", b'"on"', b'"action"', b'"help"', b'"sensor"', b'"gas"', b'"smoke"', b'"flags"',
    b"[", b'"test"', b'"drill"', b"]", b",", b"{", b"}", b" " * 70, b"\x00",
    b"\xff", b'"carbon_monoxide"', b"x" * 40_000,
    json.dumps({"alarm": True}).encode(), json.dumps({"smoke": True}).encode(), b'"flags":["test"]', b'"sensor":"co"',
])  # fmt: skip


@given(st.lists(PIECES, max_size=30).map(b"".join), st.sampled_from([f"{BASE}/safety/smoke-1/fire", "zigbee2mqtt/zb"]))
def test_what_is_cut_says_the_same(damaged: bytes, topic: str) -> None:
    """`hear` reads the evidence in the message's place, and holds it against what the whole message said."""
    whole, padded = Door().hear(topic, damaged), Door().hear(topic, damaged + b"~" * 17_000)
    if whole.verdict is Verdict.QUARANTINED and len(damaged) < 60_000:
        assert (whole.arrival is None) == (padded.arrival is None)
    if whole.arrival is not None and padded.arrival is not None and whole.verdict is Verdict.QUARANTINED:
        assert [one.value for one in whole.arrival.readings] == [one.value for one in padded.arrival.readings]


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 40_000)), max_size=200))
def test_no_more_than_the_bucket_holds_gets_through(steps: list[tuple[int, int]]) -> None:
    """Over any stretch of time a device gets in no more than its burst and what its rate gave meanwhile."""
    limits = Limits(burst=50, rate_per_s=3)
    bounds, now, taken = Bounds(limits), 1, list[tuple[int, int]]()
    for wait, size in steps:
        now += wait
        if bounds.in_time("d", Packet("t", b"x" * size, Lane.TELEMETRY, now)):
            taken.append((now, 1 + size // 16_384))
    for first in range(len(taken)):
        spent = sum(cost for _, cost in taken[first:])
        assert spent <= limits.burst + limits.rate_per_s * (taken[-1][0] - taken[first][0]) / 1000 + 1e-6
