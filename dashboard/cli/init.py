"""`hallwatch init`: a first site file from the devices that a broker shows. It listens, and overwrites nothing."""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from dashboard.cli.broker import add_broker, connected, speaks_5, way_of
from dashboard.cli.place import Commands
from gateway.link.contract import Broker
from sensors.decode.family import Family, Packet
from sensors.decode.native import NativeFamily
from sensors.decode.zigbee2mqtt import Zigbee2MqttFamily
from sensors.errors import HallwatchError, UndecodableError
from sensors.inputs import Lane
from sensors.readings import Kind
from sensors.site.draft import Met, Source, draft
from sensors.site.load import read_site
from sensors.site.problem import format_problems
from sensors.topics import BASE

LISTEN_S: Final = 15.0
DEVICES_AT_MOST: Final = 2000
NOTHING_HEARD: Final = (
    "没有听到设备。它们发布到 hallwatch/v1/… 吗？可加长 --listen-for，或之后在页面上批准\n"
    "No device was heard. Do they publish below hallwatch/v1/…? Listen longer, or approve them on the page later"
)
Key = tuple[str, str, str]


class ThereIsOneError(HallwatchError):
    """A file stands where the site file should go."""

    code = "there_is_one"


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("init", help="听设备，生成站点文件 · a first site file from a broker's devices")
    command.add_argument("file", type=Path, nargs="?", default=Path("site.yaml"), metavar="FILE", help="site.yaml")
    add_broker(command)
    command.add_argument(
        "--listen-for", type=seconds, default=LISTEN_S, metavar="SECONDS", help=f"听多久 · how long ({LISTEN_S:g})"
    )
    command.add_argument("--zigbee", default="zigbee2mqtt", metavar="TOPIC", help="Zigbee2MQTT base topic")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """0: written, also when nothing was heard; 1: the broker does not answer, or there is a file already."""
    file: Path = chosen.file
    if file.exists():
        raise ThereIsOneError(f"{file}: 已经存在，不覆盖，请换名 · it exists and is not overwritten: name another")
    text = asyncio.run(_listen(chosen))
    loaded = read_site(text, str(file))
    if loaded.site is None:
        # Ours to mend: but a person can, and loses nothing.
        print(format_problems(loaded.problems, loaded.name), file=sys.stderr)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise ThereIsOneError(f"{file}: 已经存在 · it exists") from None
    except OSError as error:
        raise ThereIsOneError(f"{file}: {error.strerror}") from error
    devices = 0 if loaded.site is None else sum(len(hall.devices) for hall in loaded.site.halls)
    windows = 0 if loaded.site is None else sum(len(hall.windows) for hall in loaded.site.halls)
    print(f"{file}: {devices} 台设备 devices, {windows} 个窗口 windows")
    if not devices:
        print(NOTHING_HEARD)
    print(f"核对标有 TODO 的行，然后 · look over the lines marked TODO, then:\n  hallwatch check {file}")
    print(f"  hallwatch run --site {file}")
    return 0 if loaded.site is not None else 1


def seconds(text: str) -> float:
    """How long to listen, as argparse wants it."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) <= 3600:  # noqa: PLR2004
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r}: 0 < SECONDS <= 3600")


async def _listen(chosen: argparse.Namespace) -> str:
    broker = way_of(chosen).broker
    if not await speaks_5(broker):
        broker = replace(broker, version="3.1.1")
    print(f"在 {broker.host}:{broker.port} 上听 {chosen.listen_for:g} 秒 · listening …", file=sys.stderr)
    ears = Ears(chosen.zigbee)
    async with connected(broker) as client:
        for topic in (f"{BASE}/+/safety/#", f"{BASE}/+/telemetry/#", f"{chosen.zigbee}/#"):
            await client.subscribe(topic, qos=0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(chosen.listen_for):
                async for message in client.messages:
                    ears.hear(str(message.topic), message.payload)
    return draft(ears.met(), _source(broker, chosen, ears))


def _source(broker: Broker, chosen: argparse.Namespace, ears: "Ears") -> Source:
    zigbee = chosen.zigbee if any(family == "zigbee2mqtt" for _, family, _ in ears.heard) else None
    return Source(broker.host, broker.port, broker.version, broker.username, round(chosen.listen_for), zigbee)


class Ears:
    """Remembers which devices spoke, or were named by a bridge, and of what kinds."""

    def __init__(self, zigbee: str) -> None:
        self._zigbee = Zigbee2MqttFamily("", zigbee)
        self._halls: dict[str, NativeFamily] = {}
        self._kinds: dict[Key, set[Kind]] = {}
        self._models: dict[Key, str] = {}

    @property
    def heard(self) -> Mapping[Key, set[Kind]]:
        """The kinds of each device, by hall ("" for a bridge's), family and name on the wire."""
        return self._kinds

    def hear(self, topic: str, payload: bytes) -> None:
        """Take one message; what cannot be read tells nothing."""
        family, hall = self._family(topic)
        if family is None:
            return
        packet = Packet(topic, payload, Lane.TELEMETRY, time.time_ns() // 1_000_000)
        try:
            decoded = family.decode(packet)
        except UndecodableError:
            return
        own = {Kind.AVAILABILITY} if decoded.seen else {kind for kind, _ in decoded.values}
        self._note((hall, family.name, decoded.address), own)
        for seen in decoded.seen:
            self._note((hall, family.name, seen.address), set(seen.kinds), seen.model)

    def met(self) -> list[Met]:
        """All of them."""
        return [Met(*key, frozenset(kinds), self._models.get(key, "")) for key, kinds in self._kinds.items()]

    def _family(self, topic: str) -> tuple[Family | None, str]:
        if topic.startswith(f"{BASE}/"):
            hall = topic.split("/")[2]
            return self._halls.setdefault(hall, NativeFamily(hall)), hall
        return (self._zigbee, "") if self._zigbee.speaks(topic) else (None, "")

    def _note(self, key: Key, kinds: set[Kind], model: str = "") -> None:
        if key not in self._kinds and len(self._kinds) >= DEVICES_AT_MOST:
            return
        self._kinds.setdefault(key, set()).update(kinds)
        if model:
            self._models[key] = model
