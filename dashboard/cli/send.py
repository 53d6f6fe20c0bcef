"""`hallwatch send DEVICE KIND field=value …`: publishes as a device, in the envelope that a device would use.

For trying out a rule, a plan or an ACL. What is sent is checked first: a wrong field costs nothing but a sentence.
"""

import argparse
import asyncio
import time
from dataclasses import fields
from enum import EnumType
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import SecretStr, TypeAdapter, ValidationError

from alerts.notify.secret import read_secret
from dashboard.cli.broker import Way, add_broker, connected, way_of
from dashboard.cli.place import Commands
from dashboard.cli.terminal import plain
from sensors.decode.encode import Stamp, encode_native
from sensors.decode.envelope import FLAGS
from sensors.decode.native import EMPTY
from sensors.decode.signature import sign
from sensors.errors import HallwatchError
from sensors.readings import VALUES, Availability, Clock, Flag, Kind, Value
from sensors.site.model import Device
from sensors.site.secret import Secret
from sensors.topics import BASE, device_topic, qos_of

TRUTHS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class WordsError(HallwatchError):
    """What was asked to be sent is no message."""

    code = "words"


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "send",
        help="以设备的身份发布 · publish as a device",
        description="hallwatch send smoke-1 fire alarm=true test=true --site site.yaml",
    )
    command.add_argument("device", metavar="DEVICE", help="设备编号 · its id")
    command.add_argument("kind", metavar="KIND", help=", ".join(Kind))
    command.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="读数 · the reading")
    command.add_argument("--hall", metavar="ID", help="没有站点文件时必填 · the hall, where no site file names it")
    command.add_argument("--flag", action="append", choices=sorted(FLAGS), default=[], help="test, drill, …")
    command.add_argument("--boot", type=int, metavar="N", help="默认为现在 · default: now, in ms")
    command.add_argument("--seq", type=int, default=1, metavar="N", help="1")
    command.add_argument("--retain", action="store_true", help="保留消息 · a retained message")
    command.add_argument("--key", type=Path, metavar="FILE", help="设备密钥文件，用于签名 · the device's key, to sign")
    command.add_argument("--dry-run", action="store_true", help="只显示 · show it and send nothing")
    add_broker(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Check, publish with the QoS of its kind, and show what went over the wire."""
    kind = kind_of(chosen.kind)
    value = value_of(kind, chosen.fields)
    way = None if chosen.dry_run and chosen.broker is None and chosen.site is None else way_of(chosen)
    hall, device = _device(way, chosen)
    if device is not None and device.family != "native":
        raise WordsError(f"{chosen.device}: {device.family} 设备由网桥说话，只能发 native · its bridge speaks for it")
    name = chosen.device if device is None else device.address or device.id
    topic = device_topic(hall, name, kind, _base(way, hall))
    payload = _payload(name, value, chosen)
    key = _key(chosen, device)
    if key is not None:
        payload = sign(topic, payload, key.get_secret_value().encode())
    if not chosen.dry_run and way is not None:
        asyncio.run(_publish(way, topic, payload, qos_of(kind), retain=chosen.retain))
    print(f"{topic}\n{plain(payload.decode())}")
    return 0


def kind_of(word: str) -> Kind:
    """A kind by its name; raises `WordsError` with those that there are."""
    try:
        return Kind(word)
    except ValueError:
        raise WordsError(f"{word}: 没有这种读数 · no kind of reading; {', '.join(Kind)}") from None


def value_of(kind: Kind, words: list[str]) -> Value:
    """A value from `field=value` words; raises `WordsError` with what the kind takes."""
    model = VALUES[kind]
    given: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in {field.name for field in fields(model)}:
            raise WordsError(f"{word}: {_takes(kind)}")
        given[name] = TRUTHS.get(text.lower(), text)
    try:
        # Lax: on a command line a number is a text.
        value: Value = TypeAdapter(model).validate_python(given, strict=False)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or kind}: {one['msg']}" for one in error.errors()[:5])
        raise WordsError(f"{told}\n{_takes(kind)}") from None
    if kind in EMPTY and value == EMPTY[kind]:
        raise WordsError(_takes(kind))
    return value


def _takes(kind: Kind) -> str:
    """What a kind takes, field by field."""
    taken = ", ".join(f"{field.name}=<{_type(field.type)}>" for field in fields(VALUES[kind]))
    return f"{kind} 的字段 · takes: {taken}"


def _type(of: Any) -> str:  # noqa: ANN401 - a type, however it is written
    parts = [part for part in (get_args(of) or (of,)) if part is not type(None)]
    if get_origin(of) is not None and parts:
        return _type(parts[0])
    inner = parts[0]
    if isinstance(inner, EnumType):
        return "|".join(map(str, inner))
    return inner.__name__ if isinstance(inner, type) else str(inner)


def _device(way: Way | None, chosen: argparse.Namespace) -> tuple[str, Device | None]:
    """The hall, and the device as the site file has it; a device that the file has not is sent as all the same."""
    site = None if way is None else way.site
    if site is None:
        if chosen.hall is None:
            raise WordsError("没有站点文件时请写明大厅 · without --site, say which hall: --hall ID")
        return chosen.hall, None
    for hall in site.halls:
        for device in hall.devices:
            if device.id == chosen.device and chosen.hall in {None, hall.id}:
                return hall.id, device
    return chosen.hall or site.halls[0].id, None


def _base(way: Way | None, hall: str) -> str:
    site = None if way is None else way.site
    uses = () if site is None else site.families
    return next((use.base for use in uses if use.family == "native" and use.hall in {None, hall} and use.base), BASE)


def _payload(name: str, value: Value, chosen: argparse.Namespace) -> bytes:
    now = time.time_ns() // 1_000_000
    flags = Flag.NONE
    for flag in chosen.flag:
        flags |= FLAGS[flag]
    if isinstance(value, Availability) and not value.online:  # like a last will, it has no number
        return encode_native(name, value, Stamp(time=now, clock=Clock.SYNCED, flags=flags))
    boot = now if chosen.boot is None else chosen.boot
    return encode_native(name, value, Stamp(boot, chosen.seq, now, Clock.SYNCED, flags))


def _key(chosen: argparse.Namespace, device: Device | None) -> SecretStr | None:
    if chosen.key is not None:
        return read_secret(Secret(file=str(chosen.key)))
    return None if device is None or device.key is None else read_secret(device.key)


async def _publish(way: Way, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
    async with connected(way.broker) as client:
        await client.publish(topic, payload, qos=qos, retain=retain)
