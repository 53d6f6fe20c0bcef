"""Hostile messages, by the seed: what a broken device, a fuzzer or an attacker with a login publishes.

Each says what may become of it: a reason of the quarantine or of a refusal, or `stored` / `awaiting` where it is odd
and yet well formed. Nothing here is sent as one of the devices whose messages a test counts as good.
"""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

HALL: Final = "hallwatch/v1/main"
# The site's devices that the rubbish pretends to be; good traffic comes from others.
READER, PRINTER, SMOKE, DESK = "reader-1", "printer-9", "smoke-2", "desk-1"
DAMAGED: Final = frozenset({"invalid_json", "invalid_value"})


@dataclass(frozen=True, slots=True)
class Hostile:
    """One message, and what may become of it."""

    what: str
    topic: str
    payload: bytes
    ends: frozenset[str]
    retain: bool = False


Maker = Callable[[random.Random, int], Hostile]


def _to(device: str, kind: str, lane: str = "telemetry") -> str:
    return f"{HALL}/{lane}/{device}/{kind}"


def _one(what: str, payload: bytes, *ends: str, topic: str = _to(READER, "badge"), retain: bool = False) -> Hostile:
    return Hostile(what, topic, payload, frozenset(ends), retain)


def _body(value: object, **envelope: object) -> bytes:
    return json.dumps({"value": value, **envelope}).encode()


def _malformed(dice: random.Random, number: int) -> Hostile:
    whole = _body({"token": f"AA{number:06d}"})
    cut = whole[: dice.randrange(1, len(whole))]
    return _one("malformed JSON", dice.choice([cut, cut + b"}}}", b"{" + whole, whole + whole]), "invalid_json")


def _noise(dice: random.Random, _: int) -> Hostile:
    return _one("wrong UTF-8", b'{"value":{"token":"' + dice.randbytes(40) + b'\xff"}}', "invalid_json")


def _long(dice: random.Random, number: int) -> Hostile:
    return _one("long", dice.randbytes(16) * 1200 + str(number).encode(), "too_large")


def _deep(dice: random.Random, number: int) -> Hostile:
    if number % 7 == 0:
        return _one("depth 100 000", b'{"value":' + b"[" * 100_000 + str(number).encode(), "too_large")
    depth = dice.randrange(200, 16_000)
    return _one("nested", dice.choice([b'{"value":' + b"[" * depth, b'{"a":' * (depth // 5)]), *DAMAGED)


def _no_number(dice: random.Random, number: int) -> Hostile:
    word = dice.choice(["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999999999"])
    body = f'{{"value":{{"state":"ok","power_w":{word}}},"boot":1,"seq":{number}}}'.encode()
    # A number too small to be told from nothing is nothing.
    ends = {"awaiting"} if word == "1e-999999999" else DAMAGED
    return Hostile("no number", _to(PRINTER, "equipment"), body, frozenset(ends))


def _huge_number(dice: random.Random, _: int) -> Hostile:
    number = dice.choice([str(2**70), str(-(2**70)), "9" * 5000, "1" + "0" * 4999, str(2**64), str(2**53 + 1)])
    field = dice.choice(["boot", "time"])
    return _one("huge number", f'{{"value":{{"token":"AA01"}},"{field}":{number}}}'.encode(), *DAMAGED)


def _zero_byte(dice: random.Random, _: int) -> Hostile:
    raw = dice.choice([b"\x00", b'{"value":\x00}', b'{"value":{"token":"AA\\u0000"}}', b"\x00" * 300])
    return _one("NUL", raw, *DAMAGED)


def _surrogate(dice: random.Random, _: int) -> Hostile:
    lone = dice.choice(["\\ud800", "\\udfff", "\\udc00\\ud800"])
    body = f'{{"value":{{"state":"fault","code":"{lone}"}}}}'.encode()
    return _one("lone surrogate", body, *DAMAGED, topic=_to(PRINTER, "equipment"))


def _twice(dice: random.Random, number: int) -> Hostile:
    if dice.random() < 0.5:
        body = f'{{"value":{{"alarm":false,"alarm":false}},"boot":1,"seq":{number}}}'.encode()
        return _one("duplicate keys", body, "invalid_value", topic=_to(SMOKE, "fire", "safety"))
    body = b'{"value":{"token":"AA01"},"value":{"token":"A!"}}'
    return _one("duplicate keys", body, "invalid_value")


def _wrong_topic(dice: random.Random, number: int) -> Hostile:
    topic, end = dice.choice(
        [
            (f"{HALL}/telemetry", "topic_malformed"),
            (f"{HALL}/telemetry//presence", "topic_malformed"),
            (f"{HALL}/telemetry/{READER}", "topic_malformed"),
            (f"{HALL}/telemetry/a/b/c/d{number}", "topic_malformed"),
            (f"{HALL}/telemetry/{'n' * 129}/badge", "topic_malformed"),
            (f"{HALL}/telemetry/{'x' * 60_000}/badge", "topic_too_long"),
            (f"{HALL}/telemetry/{READER}/{'/' * 150}", "topic_malformed"),
            (f"{HALL}/telemetry/{READER}/nonsense{number}", "kind_unknown"),
            (f"{HALL}/telemetry/{READER}/BADGE", "kind_unknown"),
            (f"{HALL}/safety/{READER}/badge", "kind_not_safety"),
            (f"{HALL}/telemetry/{READER}\u2028/badge", "topic_malformed"),
        ]
    )
    return _one("wrong topic", _body({"token": "AA01"}), end, topic=topic)


def _stranger(dice: random.Random, number: int) -> Hostile:
    name = dice.choice(["$SYS", "$share", "..", "-", "设备", "a b", "%2f", "'; DROP TABLE journal; --", "<script>"])
    body = _body({"present": True}, boot=1, seq=number)
    return _one("unknown device", body, "awaiting", topic=_to(name, "presence"))


def _foreign(_: random.Random, number: int) -> Hostile:
    body = _body({"token": "AA01"}, device=f"other-{number}")
    return _one("foreign device", body, "device_mismatch")


def _untimely(dice: random.Random, number: int) -> Hostile:
    at = dice.choice([0, 1, -1, 2**53, 4_102_444_800_000, -(2**40), 946_684_800_000])
    body = _body({"state": "ok"}, boot=2, seq=number, time=at, clock="synced")
    return _one("untimely", body, "invalid_value" if at < 0 else "awaiting", topic=_to("clock-1", "equipment"))


def _bomb(dice: random.Random, number: int) -> Hostile:
    packed = gzip.compress(b"\x00" * 1_000_000 + str(number).encode(), mtime=0)
    text = b" " * 16_000 + str(number).encode()
    return _one("compressed", dice.choice([packed, text]), *DAMAGED)


def _retained(_: random.Random, number: int) -> Hostile:
    return _one("retained rubbish", f"<{number}>".encode(), "invalid_json", topic=_to(READER, "battery"), retain=True)


def _empty(_: random.Random, __: int) -> Hostile:
    return _one("empty", b"", "ignored")


def _probe(dice: random.Random, number: int) -> Hostile:
    sent = dice.choice([2**70, -1, "1", 10**200, [number], None])
    topic = f"{HALL}/gateway/probe/{dice.choice(['safety', 'telemetry'])}"
    return _one("no probe of ours", json.dumps({"id": "a", "sent": sent}).encode(), "ignored", topic=topic)


def _elsewhere(dice: random.Random, number: int) -> Hostile:
    body = dice.choice([b"{}", str(number).encode(), b"[]", b"offline?", b'{"state":7}', b"\xff"])
    return _one("bridge's rubbish", body, "invalid_value", "invalid_json", topic="zigbee2mqtt/bridge/state")


def _bad_list(dice: random.Random, number: int) -> Hostile:
    body = dice.choice([b"[" * 100_000, b"{}", b"null", b'"' + b"x" * 5000, str(number).encode()])
    return _one("bridge's list", body, *DAMAGED, topic="zigbee2mqtt/bridge/devices")


def _bad_state(dice: random.Random, number: int) -> Hostile:
    body = dice.choice(
        [
            b"[]",
            b"7",
            b'{"smoke":"perhaps"}',
            b'{"battery":{"a":[]}}',
            b'{"battery":1e999}',
            b"{" + str(number).encode(),
        ]
    )
    return _one("Zigbee rubbish", body, *DAMAGED, topic="zigbee2mqtt/lobby/smoke")


def _wrong_type(dice: random.Random, number: int) -> Hostile:
    value: object = dice.choice(
        [None, [], {}, "x", number, True, {"token": 7}, {"token": "AA01", "x": 1}, {"token": "A" * 5000}]
    )
    return _one("wrong type", _body(value), "invalid_value")


def _loose(_: random.Random, number: int) -> Hostile:
    return _one("sequence without boot", _body({"token": "AA01"}, seq=number), "sequence_without_boot")


MAKERS: Final[tuple[Maker, ...]] = (
    _malformed,
    _noise,
    _long,
    _deep,
    _no_number,
    _huge_number,
    _zero_byte,
    _surrogate,
    _twice,
    _wrong_topic,
    _stranger,
    _foreign,
    _untimely,
    _bomb,
    _retained,
    _empty,
    _elsewhere,
    _bad_list,
    _bad_state,
    _wrong_type,
    _loose,
    _probe,
)
# Topics that Mosquitto lets nobody publish: wildcards, control characters, no UTF-8, too many levels, none.
FORBIDDEN: Final = (
    f"{HALL}/telemetry/+/presence".encode(),
    f"{HALL}/#".encode(),
    f"{HALL}/telemetry/a\x00b/presence".encode(),
    f"{HALL}/telemetry/a\x7fb/presence".encode(),
    f"{HALL}/telemetry/{'/' * 500}".encode(),
    f"{HALL}/telemetry/".encode() + b"\xff\xfe/presence",
    f"{HALL}/telemetry/".encode() + b"\xed\xa0\x80/presence",
    b"",
)


def hostile(seed: int, count: int) -> Iterator[Hostile]:
    """So many hostile messages, of every kind in turn; five of them are 10 MB long. Two seeds repeat no sequence."""
    dice = random.Random(seed)
    for number in range(seed * 1_000_000, seed * 1_000_000 + count):
        if number % (count // 5) == 7:
            yield _one("10 MB", bytes([97 + number % 20]) * 10_000_000 + str(number).encode(), "too_large")
        else:
            yield MAKERS[number % len(MAKERS)](dice, number)
