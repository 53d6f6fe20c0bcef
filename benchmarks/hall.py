"""The hall that is measured: a hundred devices of five kinds, detectors, windows, a fire plan; and what they say."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sensors.site.load import Loaded, read_site

HALL = "main"
PREFIX = f"hallwatch/v1/{HALL}"
DETECTORS = 20
# Kind, how many devices of it among a hundred, and a value with a place for something that changes.
MIX: tuple[tuple[str, int, str], ...] = (
    ("environment", 40, '{"temperature_c":21.%d,"humidity_pct":45.5,"co2_ppm":612.0}'),
    ("people_count", 20, '{"occupancy":1%d,"in_total":10450,"out_total":10437}'),
    ("presence", 20, '{"present":true,"confidence":0.9%d}'),
    ("queue", 10, '{"length":%d,"wait_s":340.0,"head_wait_s":95.0}'),
    ("equipment", 10, '{"state":"ok","power_w":31.%d,"consumable_pct":62.0}'),
)
INFLUX_TOKEN = "BENCH_INFLUX_TOKEN"  # noqa: S105 - the name of a variable
ALL_DAY = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@dataclass(frozen=True, slots=True)
class Servers:
    """What the site file points at."""

    broker_port: int = 1883
    webhook: str | None = None
    influx: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """A device's topic, and its payload with places for sequence, time and value."""

    id: str
    kind: str
    topic: str
    payload: str

    def says(self, sequence: int, at: int) -> bytes:
        """One message: `at` is ms since the epoch."""
        return (self.payload % (sequence, at, sequence % 10)).encode()


def speakers(count: int = 100) -> list[Speaker]:
    """`count` devices in the mix's proportions, interleaved so that neighbours differ."""
    kinds = [(kind, value) for kind, share, value in MIX for _ in range(share)]
    step = 37  # prime to a hundred: walks through all of the mix
    return [_speaker(number, *kinds[number * step % 100]) for number in range(count)]


def _speaker(number: int, kind: str, value: str) -> Speaker:
    name = f"d-{number:03d}"
    payload = f'{{"device":"{name}","boot":1,"seq":%d,"time":%d,"clock":"synced","value":{value}}}'
    return Speaker(name, kind, f"{PREFIX}/telemetry/{name}/{kind}", payload)


def badge_reader() -> Speaker:
    """The reader at a window; its tokens are badges of the site's person."""
    return Speaker(
        "reader-1",
        "badge",
        f"{PREFIX}/telemetry/reader-1/badge",
        '{"device":"reader-1","boot":1,"seq":%d,"time":%d,"clock":"synced","value":{"token":"AA0%d","result":"granted"}}',
    )


def detector(number: int) -> Speaker:
    """A smoke detector that is quiet."""
    name = f"smoke-{number}"
    start = f'{{"device":"{name}","boot":1,"seq":%d,"time":%d,"clock":"synced"'
    # Nothing changes in what a quiet detector says: `%.0s` takes the third number and writes nothing.
    return Speaker(name, "fire", f"{PREFIX}/safety/{name}/fire", start + ',"value":{"alarm":false}}%.0s')


def fire(number: int, sequence: int, *, alarm: bool) -> tuple[str, bytes]:
    """Topic and payload of a smoke detector that raises its alarm, or ends it."""
    name = f"smoke-{number}"
    body = {"device": name, "boot": 1, "seq": sequence, "value": {"alarm": alarm, "sensor": "smoke"}}
    return f"{PREFIX}/safety/{name}/fire", json.dumps(body).encode()


def stream(
    devices: list[Speaker], count: int, start: int, every_ms: float, first: int = 1
) -> Iterator[tuple[str, bytes, int]]:
    """Topic, payload and time of `count` messages, device after device; their sequences begin at `first`."""
    for number in range(count):
        device = devices[number % len(devices)]
        at = start + int(number * every_ms)
        yield device.topic, device.says(first + number // len(devices), at), at


def site_text(servers: Servers, devices: int = 100) -> str:
    """The site file. JSON is YAML, so nothing has to be escaped by hand."""
    channels: list[dict[str, object]] = [{"id": "log", "type": "log"}]
    contacts = {"log": "duty"}
    if servers.webhook is not None:
        channels.append(
            {"id": "hook", "type": "webhook", "url": servers.webhook, "allow_private": True, "timeout_s": 5}
        )
        contacts = {"hook": "duty"}
    site: dict[str, object] = {
        "site": "bench",
        "name": {"zh": "测试站点", "en": "Bench"},
        "mqtt": {"host": "127.0.0.1", "port": servers.broker_port},
        "families": [{"family": "native"}, {"family": "zigbee2mqtt", "hall": HALL}],
        "channels": channels,
        "limits": {"pages": 2000, "connections": 3000},
        "people": [
            {"id": "wang", "name": {"zh": "王敏"}, "badges": [f"AA0{n}" for n in range(10)], "contacts": contacts}
        ],
        "halls": [_hall(devices)],
    }
    if servers.influx is not None:
        site["influx"] = {**servers.influx, "token": {"env": INFLUX_TOKEN}}
    return json.dumps(site, ensure_ascii=False, indent=1)


def _hall(devices: int) -> dict[str, object]:
    return {
        "id": HALL,
        "name": {"zh": "测试大厅"},
        "hours": ALL_DAY,
        "zones": [{"id": f"z{n}", "name": {"zh": f"区域{n}"}, "area_m2": 200, "capacity": 200} for n in range(4)],
        "services": [{"id": f"s{n}", "name": {"zh": f"业务{n}"}} for n in range(4)],
        "windows": [
            {"id": f"w{n}", "number": n, "name": {"zh": f"窗口{n}"}, "zone": f"z{n % 4}", "services": [f"s{n % 4}"]}
            for n in range(8)
        ],
        "devices": [*_telemetry(devices), *_others()],
        "plans": [_fire_plan()],
        "routing": {"people": ["wang"]},
        # One queue of 9 and a hundred counts are no crowd: what is measured is the ordinary day.
        "thresholds": {"start_grace_s": 3600},
    }


def _telemetry(count: int) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for number, device in enumerate(speakers(count)):
        entry: dict[str, object] = {"id": device.id, "kinds": [device.kind], "zone": f"z{number % 4}"}
        if device.kind == "presence":
            entry["window"] = f"w{number % 8}"
        elif device.kind == "queue":
            entry["service"] = f"s{number % 4}"
        made.append(entry)
    return made


def _others() -> list[dict[str, object]]:
    reader: dict[str, object] = {"id": "reader-1", "kinds": ["badge"], "zone": "z1", "window": "w1"}
    smoke: list[dict[str, object]] = [
        {"id": f"smoke-{number}", "kinds": ["fire"], "zone": f"z{number % 4}"} for number in range(DETECTORS)
    ]
    zigbee: dict[str, object] = {
        "id": "z-air",
        "family": "zigbee2mqtt",
        "address": "lobby/air",
        "kinds": ["environment", "battery"],
        "zone": "z0",
        "power": "sleeping",
    }
    return [reader, *smoke, zigbee]


def _fire_plan() -> dict[str, object]:
    return {
        "id": "fire",
        "name": {"zh": "火灾应急预案"},
        "hazard": "fire",
        "verify_s": 3600,
        "repeat_s": 3600,
        "roles": [{"id": "commander", "name": {"zh": "总指挥"}, "holders": ["wang"], "answer_s": 3600}],
        "messages": [
            {"stage": "verify", "audience": "holders", "text": {"zh": "请立即核实火情"}},
            {"stage": "active", "audience": "roles", "text": {"zh": "立即疏散"}},
        ],
    }


def load_site(servers: Servers, devices: int = 100) -> Loaded:
    """The site as the gateway reads it."""
    return read_site(site_text(servers, devices), "bench")
