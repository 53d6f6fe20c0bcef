"""`hallwatch tail DEVICE`: what one device says, as it comes, and what became of it or why it was refused.

A running gateway is asked over its socket. With `--broker` (or `--site`) the broker itself is listened to, and the
message is decoded here: that tells what a gateway would read, and not what one has made of it.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec

from dashboard.cli.ack import in_hall
from dashboard.cli.broker import add_broker, connected, way_of
from dashboard.cli.client import AnswerError, Json, NotRunningError
from dashboard.cli.moment import local_time
from dashboard.cli.place import Commands, add_data, socket_of
from dashboard.cli.terminal import plain
from sensors.decode.families import families_of
from sensors.decode.family import Family, Packet
from sensors.decode.native import NativeFamily
from sensors.decode.zigbee2mqtt import Zigbee2MqttFamily
from sensors.errors import UndecodableError
from sensors.inputs import Lane
from sensors.site.model import Site
from sensors.topics import BASE

WORDS: Final = {
    "stored": "✓ 已存 · stored",
    "awaiting": "? 待批准，不计入 · awaits approval, does not count",
    "duplicate": "= 重复 · duplicate",
    "quarantined": "✗ 隔离 · quarantined",
    "refused": "✗ 拒收 · refused",
    "probe": "· 探测 · probe",
    "decoded": "✓ 可解码 · decodes",
    "undecodable": "✗ 不可解码 · does not decode",
}


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("tail", help="跟踪一台设备 · follow one device live")
    command.add_argument("device", metavar="DEVICE", help="设备编号 · its id, or its name on the wire")
    command.add_argument("--count", type=int, metavar="N", help="N 条之后结束 · end after N messages")
    command.add_argument("--json", action="store_true", help="每行一个 JSON · one JSON a line")
    command.add_argument("--hall", metavar="ID", help="大厅 · the hall")
    add_data(command)
    add_broker(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Follow until Ctrl-C, or until so many messages came."""
    return asyncio.run(_follow(chosen))


async def _follow(chosen: argparse.Namespace) -> int:
    # One that is silent, or spelled wrongly, looks like a command that hangs.
    print(f"… 跟踪 {chosen.device}，Ctrl-C 结束 · following it, Ctrl-C ends", file=sys.stderr)
    direct = chosen.broker is not None or chosen.site is not None
    left = chosen.count
    async with contextlib.aclosing(_from_broker(chosen) if direct else _from_gateway(chosen)) as lines:
        async for line in lines:
            if line.get("missed"):
                print(f"… 漏看 {line['missed']} 条 · missed, too fast to follow", flush=True)
            if "topic" not in line:
                continue
            print(json.dumps(line, ensure_ascii=False) if chosen.json else _said(line), flush=True)
            left = None if left is None else left - 1
            if left == 0:
                break
    return 0


def _said(line: Json) -> str:
    """Time, topic and bytes as they came; under them what they were read as, or why not."""
    marks = [word for word, is_so in (("retained", line["retained"]), ("DUP", line.get("dup"))) if is_so]
    became = " ".join(filter(None, (WORDS.get(line["verdict"], line["verdict"]), line["reason"])))
    read = "  ".join(f"{one['kind']}: {_fields(one['value'])}" for one in line["values"])
    detail = f" ({line['detail']})" if line["detail"] else ""
    text = f"{local_time(line['at'])}  {line['topic']}{''.join(f' [{mark}]' for mark in marks)}  {line['text']}"
    return f"{plain(text)}\n    {plain(f'{became}{detail}  {read}'.rstrip())}"


def _fields(value: Json) -> str:
    said = {name: json.dumps(given, ensure_ascii=False) for name, given in value.items() if given is not None}
    return " ".join(f"{name}={given}" for name, given in said.items())


async def _from_gateway(chosen: argparse.Namespace) -> AsyncGenerator[Json, None]:
    socket = socket_of(chosen)
    connector = aiohttp.UnixConnector(str(socket))
    # It says something at least every few seconds.
    timeout = aiohttp.ClientTimeout(total=None, sock_read=30)
    path = f"/api/v1/devices/{quote(chosen.device, safe='')}/tail{in_hall(chosen)}"
    try:
        async with (
            aiohttp.ClientSession("http://localhost", connector=connector, timeout=timeout) as session,
            session.get(path) as answer,
        ):
            if answer.status >= 400:  # noqa: PLR2004
                raise AnswerError(await answer.json(content_type=None))
            async for line in answer.content:
                yield json.loads(line)
    except (aiohttp.ClientConnectorError, FileNotFoundError) as error:
        raise NotRunningError(
            f"{socket} 无人应答；没有网关时请加 --broker HOST:PORT · nobody answers there; without a gateway: --broker"
        ) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotRunningError(f"{socket}: {type(error).__name__}") from error


async def _from_broker(chosen: argparse.Namespace) -> AsyncGenerator[Json, None]:
    way = way_of(chosen)
    async with connected(way.broker) as client:
        families, topics = _wires(chosen.device, way.site, chosen.hall)
        for topic in topics:
            await client.subscribe(topic, qos=1)
        async for message in client.messages:
            packet = Packet(
                str(message.topic),
                message.payload,
                Lane.TELEMETRY,
                time.time_ns() // 1_000_000,
                message.qos,
                message.retain,
            )
            yield _read(packet, families)


def _wires(device: str, site: Site | None, hall: str | None) -> tuple[list[Family], list[str]]:
    """The families that may read a device, and its topics: by the site file, else by its name in either family."""
    if site is None:
        native, zigbee = NativeFamily(hall or "+"), Zigbee2MqttFamily("")
        below = [f"{BASE}/{hall or '+'}/{lane}/{device}/+" for lane in ("safety", "telemetry")]
        return [native, zigbee], [*below, f"zigbee2mqtt/{device}", f"zigbee2mqtt/{device}/availability"]
    halls = [part for part in site.halls if hall in {None, part.id}] or list(site.halls)
    chosen = next((part for part in halls if any(one.id == device for one in part.devices)), halls[0])
    planned = next((one for one in chosen.devices if one.id == device), None)
    name, family = (device, None) if planned is None else (planned.address or planned.id, planned.family)
    topics: list[str] = []
    for use in site.families:
        if use.hall not in {None, chosen.id} or family not in {None, use.family}:
            continue
        if use.family == "native":
            topics += [f"{use.base or BASE}/{chosen.id}/{lane}/{name}/+" for lane in ("safety", "telemetry")]
        else:
            topics += [f"{use.base or use.family}/{name}", f"{use.base or use.family}/{name}/availability"]
    return list(families_of(site, chosen.id)), topics


def _read(packet: Packet, families: list[Family]) -> Json:
    line: Json = {
        "at": packet.at,
        "topic": packet.topic,
        "text": packet.payload.decode("utf-8", "replace"),
        "retained": packet.retained,
        "reason": "",
        "detail": "",
        "values": [],
    }
    # Without a site the hall stands in the topic.
    hall = packet.topic.split("/")[2] if packet.topic.startswith(f"{BASE}/") else ""
    family = next((one for one in [*families, NativeFamily(hall)] if one.speaks(packet.topic)), None)
    if family is None:
        return {**line, "verdict": "undecodable", "reason": "topic_unknown"}
    try:
        decoded = family.decode(packet)
    except UndecodableError as error:
        return {**line, "verdict": "undecodable", "reason": error.reason, "detail": error.detail}
    values = [{"kind": str(kind), "value": msgspec.to_builtins(asdict(value))} for kind, value in decoded.values]
    return {**line, "verdict": "decoded", "values": values}
