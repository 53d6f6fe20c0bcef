"""The fuzzer: raw bytes, any JSON, and valid messages of every family that were bent, through the whole door.

Whatever comes in gets a verdict and never an exception; whatever is admitted every store can hold, reads the same
again from the journal, and bends the hall's state into nothing that a snapshot cannot keep. Hypothesis' deadline
bounds the time of each.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Book
from gateway.batch import BatchMaker
from gateway.link.contract import Delivery
from sensors.decode.encode import Stamp, encode_native
from sensors.decode.family import Packet
from sensors.decode.reasons import REASONS
from sensors.decode.reception import Reception, Verdict
from sensors.hall.hall import Hall
from sensors.hall.snapshot import decode_state, encode_state
from sensors.inputs import Heard, Lane, unpack
from sensors.readings import Kind
from sensors.site.load import read_site
from sensors.topics import device_topic, probe_topic
from tests.sensors.decode.test_hostile import JSON, VALUE
from tests.system.small_site import Parts, small_site

START = 1_795_400_000_000
SITE = read_site(small_site(Parts(1883)), "small").site
DEVICES = ["smoke-1", "reader-1", "printer-1", "help-1", "queue-1", "count-1", "new", "New/1", "设备", "x" * 128, ""]
QUICK = settings(deadline=timedelta(seconds=2), max_examples=100)
Message = tuple[str, bytes]

topics = st.builds(device_topic, st.just("main"), st.sampled_from(DEVICES), st.sampled_from(Kind)) | st.sampled_from(
    [
        "zigbee2mqtt/lobby/smoke",
        "zigbee2mqtt/lobby/smoke/availability",
        "zigbee2mqtt/bridge/devices",
        "hallwatch/v1/main",
    ]
)
spoiled_topics = topics | st.text(max_size=300).map(lambda tail: f"hallwatch/v1/main/{tail}")
raw = st.binary(max_size=300)
any_json = JSON.map(lambda value: json.dumps(value).encode("utf-8", "replace"))


@st.composite
def bent(draw: st.DrawFn) -> Message:
    """A valid native message of which some bytes were changed, cut, doubled or put elsewhere."""
    value = draw(VALUE)
    kind = Kind(next(kind for kind in Kind if _kind_of(value) == kind))
    stamp = Stamp(draw(st.none() | st.integers(0, 3)), None, draw(st.none() | st.integers(0, 2**53)))
    body = bytearray(encode_native("d", value, stamp).replace(b'"device":"d",', b"").replace(b',"device":"d"', b""))
    for _ in range(draw(st.integers(0, 4))):
        at, end = sorted(draw(st.tuples(st.integers(0, len(body)), st.integers(0, len(body)))))
        piece = draw(raw | st.sampled_from([b"NaN", b"1e999", b"\\ud800", b"\\u0000", str(2**70).encode(), b"[" * 200]))
        body[at : draw(st.sampled_from([at, end]))] = draw(st.sampled_from([piece, bytes(body[at:end])]))
    return device_topic("main", draw(st.sampled_from(DEVICES)), kind), bytes(body)


def _kind_of(value: object) -> str:
    name = type(value).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@st.composite
def bent_states(draw: st.DrawFn) -> Message:
    """A Zigbee2MQTT state or list, right in some of its fields and wrong in others."""
    names = ["smoke", "gas", "action", "battery", "temperature", "power", "energy", "people", "contact", "presence"]
    good = st.booleans() | st.floats(0, 100) | st.sampled_from(["ON", "emergency", "", None])
    state = draw(st.dictionaries(st.sampled_from(names), good | JSON))
    if draw(st.booleans()):
        return "zigbee2mqtt/lobby/smoke", json.dumps(state).encode()
    exposes = [{"property": name, "features": draw(JSON)} for name in state]
    name = draw(st.text(max_size=150) | st.sampled_from(DEVICES))
    entry = {"friendly_name": name, "type": "Router", "definition": {"exposes": exposes, "model": draw(JSON)}}
    return "zigbee2mqtt/bridge/devices", json.dumps([entry, draw(JSON)]).encode()


probe_topics = st.sampled_from([probe_topic("main", lane.name.lower()) for lane in Lane])
numbers = st.sampled_from([2**53, 2**63, 2**64, 2**70, -1, -(2**63) - 1])
probes = st.fixed_dictionaries({"id": st.just("a") | st.text(max_size=80), "sent": numbers | JSON})
probe_bodies = probes.map(lambda value: json.dumps(value).encode("utf-8", "replace")) | raw

messages = st.one_of(
    st.tuples(spoiled_topics, raw),
    st.tuples(spoiled_topics, any_json),
    bent(),
    bent(),
    bent_states(),
    st.tuples(probe_topics, probe_bodies),
)


def maker() -> BatchMaker:
    """The deciding part of one hall, new."""
    assert SITE is not None
    hall = Hall(SITE, "main")
    return BatchMaker(
        Core(hall, Engine(SITE, "main", Book())), Reception(SITE, "main", hall.state), hall="main", index=0
    )


def atoms(value: Any) -> Iterator[object]:  # noqa: ANN401 - whatever a reading is made of
    """All the plain values within a value."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from atoms(getattr(value, name))
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from atoms(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from atoms(one)
    else:
        yield value.value if isinstance(value, Enum) else value


def assert_storable(value: object) -> None:
    """What SQLite, PostgreSQL and InfluxDB all hold: 64-bit integers, finite numbers, Unicode without NUL."""
    for atom in atoms(value):
        if isinstance(atom, int):
            assert -(2**63) <= atom < 2**63
        elif isinstance(atom, float):
            assert math.isfinite(atom)
        elif isinstance(atom, str):
            assert "\x00" not in atom
            atom.encode()
        else:
            assert atom is None or isinstance(atom, bytes), atom


@QUICK
@given(messages)
def test_every_message_gets_a_verdict_that_can_be_stored(message: Message) -> None:
    topic, payload = message
    reception = maker().reception
    received = reception.receive(Packet(topic, payload, Lane.TELEMETRY, START))
    assert_storable(received.reason)
    assert_storable(received.detail)
    assert len(received.detail) < 500
    if received.verdict in {Verdict.QUARANTINED, Verdict.REFUSED}:
        assert received.reason in REASONS
    if received.arrival is not None:
        assert_storable(received.arrival.decoded)
        assert_storable(received.arrival.readings)
        kept = received.kept or Packet(topic, payload, Lane.TELEMETRY, START)
        awaiting = received.verdict is Verdict.AWAITING
        heard = Heard(START, kept.topic, kept.payload, Lane.TELEMETRY, awaiting=awaiting)
        assert reception.read(heard) == received.arrival


@QUICK
@given(st.lists(messages, min_size=1, max_size=12))
def test_every_batch_is_decided_kept_and_read_again(some: list[Message]) -> None:
    making = maker()
    packets = [Packet(topic, body, Lane.TELEMETRY, START + number) for number, (topic, body) in enumerate(some)]
    prepared = making.prepare([Delivery(packet, number + 1, 1) for number, packet in enumerate(packets)], START)
    assert prepared.batch is not None
    state = making.core.hall.state
    assert sum(
        one.received for one in [device.account for device in state.devices.values()]
    ) + state.stray.received == len(some)
    for row in prepared.batch.quarantined:
        assert_storable((row.device, row.topic, row.detail))
    blob = encode_state(state)
    assert decode_state(blob) == state
    again = maker()
    for item in unpack(prepared.batch.blob):
        again.core.step(item, again.reception.read(item) if isinstance(item, Heard) else None)
    assert encode_state(again.core.hall.state) == blob, "the fold of the journal is the state"
