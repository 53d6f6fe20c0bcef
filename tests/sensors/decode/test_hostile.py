"""Whatever comes in: a decoder answers with `Decoded` or raises `UndecodableError`, and never anything else."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sensors.decode.encode import KIND_OF, Stamp, encode_native
from sensors.decode.families import FAMILIES
from sensors.decode.family import Decoded, Packet
from sensors.decode.native import EMPTY
from sensors.decode.reasons import REASONS
from sensors.errors import UndecodableError
from sensors.inputs import Lane
from sensors.readings import (
    Availability,
    Badge,
    BadgeResult,
    Battery,
    Button,
    ButtonAction,
    Clock,
    Contact,
    Crowd,
    CrowdLevel,
    Direction,
    Environment,
    Equipment,
    EquipmentState,
    Fire,
    FireSensor,
    Flag,
    Kind,
    PeopleCount,
    Presence,
    Queue,
    Scope,
    Seismic,
    Value,
)
from sensors.topics import device_topic

NATIVE = FAMILIES["native"]("h", None)
ZIGBEE = FAMILIES["zigbee2mqtt"]("h", None)
FIELDS = ["smoke", "test", "contact", "occupancy", "people", "action", "temperature", "battery", "power", "state"]
FIELDS += ["carbon_monoxide", "fault_state", "energy", "battery_low", "water_leak", "humidity", "tamper"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


def decode(topic: str, payload: bytes) -> Decoded | None:
    for family in (NATIVE, ZIGBEE):
        if family.speaks(topic):
            try:
                return family.decode(Packet(topic, payload, Lane.TELEMETRY, at=0))
            except UndecodableError as error:
                found = error
            assert found.reason in REASONS
            assert "\x00" not in found.detail
            assert len(found.detail) < 500
    return None


def native_topics() -> st.SearchStrategy[str]:
    words = st.sampled_from(["safety", "telemetry", "gateway", "notice", "", *Kind, "smoke-1"]) | st.text(max_size=200)
    return st.lists(words, min_size=1, max_size=5).map(lambda levels: "hallwatch/v1/h/" + "/".join(levels))


@given(native_topics(), st.binary(max_size=200) | JSON.map(lambda it: json.dumps(it).encode("utf-8", "replace")))
def test_native_bytes(topic: str, payload: bytes) -> None:
    decode(topic, payload)


@given(st.sampled_from(list(Kind)), st.dictionaries(st.sampled_from(["value", "boot", "seq", "time"]), JSON), JSON)
def test_native_nearly_right(kind: Kind, envelope: dict[str, object], value: object) -> None:
    decode(device_topic("h", "d", kind), json.dumps({"value": value, **envelope}).encode())


@given(
    st.sampled_from(["", "a", "a/availability", "bridge/state", "bridge/devices", "bridge/x", "a/set", "\x00"]),
    st.binary(max_size=200) | st.dictionaries(st.sampled_from(FIELDS), JSON).map(lambda it: json.dumps(it).encode()),
)
def test_zigbee_bytes(name: str, payload: bytes) -> None:
    decode(f"zigbee2mqtt/{name}", payload)


@given(JSON, JSON)
def test_zigbee_device_lists(exposes: object, name: object) -> None:
    entry = {"friendly_name": name, "type": "Router", "definition": {"exposes": [exposes], "model": name}}
    decode("zigbee2mqtt/bridge/devices", json.dumps([entry, exposes]).encode())


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_a_zigbee_fire_is_never_lost_for_what_stands_beside_it(fields: dict[str, object]) -> None:
    decoded = decode("zigbee2mqtt/smoke", json.dumps({**fields, "smoke": True}).encode())
    assert decoded is not None
    assert any(isinstance(value, Fire) and value.alarm for _, value in decoded.values)


@given(st.integers(0, 100_000), st.sampled_from(["telemetry/d/badge", "safety/d/fire"]))
def test_depth_is_bounded(depth: int, below: str) -> None:
    assert decode(f"hallwatch/v1/h/{below}", b'{"value":' + b"[" * min(depth, 16_000)) is None


def real(low: float, high: float) -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(low, high)


TEXT = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=64)
PEOPLE = st.none() | st.integers(0, 1_000_000)
COUNTERS = st.integers(0, 2**53)
TRUTH = st.booleans()
VALUE: st.SearchStrategy[Value] = st.one_of(
    st.builds(
        Badge,
        st.text("0123456789ABCDEF", min_size=2, max_size=64),
        st.sampled_from(BadgeResult),
        st.none() | st.sampled_from(Direction),
        st.none() | st.integers(0, 255),
        real(-150, 30),
    ),
    st.builds(Presence, TRUTH, real(0, 1)),
    st.builds(PeopleCount, PEOPLE, PEOPLE, PEOPLE, COUNTERS, st.none() | COUNTERS, real(0, 604_800)),
    st.builds(Queue, st.integers(0, 1_000_000), real(0, 604_800), real(0, 604_800)),
    st.builds(
        Equipment, st.sampled_from(EquipmentState), TEXT, real(0, 1e5), real(0, 1e9), real(0, 100), real(0, 1e10)
    ),
    st.builds(Fire, TRUTH, st.sampled_from(FireSensor), TRUTH, TRUTH, TRUTH, TRUTH),
    st.builds(Crowd, st.none() | st.sampled_from(CrowdLevel), PEOPLE, PEOPLE),
    st.builds(Environment, real(-60, 150), real(0, 100), real(0, 1e5), real(0, 1e4), real(0, 160), st.none() | TRUTH),
    st.builds(Contact, TRUTH, TRUTH),
    st.builds(Button, st.sampled_from(ButtonAction)),
    st.builds(Seismic, real(-2, 11), real(0, 12), real(-90, 90), real(-180, 180), real(0, 1000), st.none() | COUNTERS),
    st.builds(Availability, TRUTH, st.sampled_from(Scope), TEXT),
    st.builds(Battery, real(0, 100), st.none() | TRUTH),
)


@given(VALUE, COUNTERS, COUNTERS, st.none() | COUNTERS, st.sampled_from(Clock), st.integers(0, 15))
def test_what_is_encoded_is_decoded(
    value: Value, boot: int, seq: int, time: int | None, clock: Clock, flags: int
) -> None:
    kind = KIND_OF[type(value)]
    body = encode_native("d", value, Stamp(boot, seq, time, clock, Flag(flags)))
    decoded = decode(device_topic("h", "d", kind), body)
    if value == EMPTY.get(kind):
        assert decoded is None
    else:
        assert decoded == Decoded("d", ((kind, value),), time, clock, boot, seq, Flag(flags))
