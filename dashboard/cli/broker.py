"""A command's own way to a broker: from `--broker` and the login beside it, or from a site file."""

import argparse
import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import aiomqtt

from dashboard.cli.example import load_site
from dashboard.cli.place import address
from dashboard.sessions import broker_of
from dashboard.site_file import read_text
from gateway.link.contract import Broker
from sensors.errors import HallwatchError
from sensors.site.model import Site

VARIABLE: Final = "HALLWATCH_MQTT_PASSWORD"
CONNECT_S: Final = 10.0
MIB: Final = 2**20


class BrokerError(HallwatchError):
    """The broker does not answer, refuses, or was lost."""

    code = "broker"


class NoBrokerError(HallwatchError):
    """Neither a broker nor a site file is named."""

    code = "no_broker"


@dataclass(frozen=True, slots=True)
class Way:
    """The broker that is meant, and the site file if one was given."""

    broker: Broker
    site: Site | None = None


def add_broker(command: argparse.ArgumentParser) -> None:
    """`--broker`, `--username` and `--site`."""
    command.add_argument("--broker", type=address, metavar="HOST:PORT", help="MQTT 服务器 · the broker")
    command.add_argument("--username", metavar="NAME", help=f"登录名；密码取自 · login; its password is ${VARIABLE}")
    command.add_argument("--site", type=Path, metavar="FILE", help="站点文件 · a site file: its broker, its devices")


def way_of(chosen: argparse.Namespace) -> Way:
    """The broker that is meant; raises `NoBrokerError`, and what a site file may raise."""
    site = load_site(read_text(chosen.site), str(chosen.site)) if chosen.site is not None else None
    if site is not None and chosen.username is None:
        return Way(broker_of(site.mqtt, chosen.broker, MIB), site)
    if chosen.broker is None:
        raise NoBrokerError("请用 --broker HOST:PORT 或 --site FILE · name one: --broker HOST:PORT or --site FILE")
    host, port = chosen.broker
    return Way(Broker(host, port, username=chosen.username, password=os.environ.get(VARIABLE)), site)


@contextlib.asynccontextmanager
async def connected(broker: Broker) -> AsyncIterator[aiomqtt.Client]:
    """A client of our own, linked while the block runs. Raises `BrokerError`."""
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        protocol=aiomqtt.ProtocolVersion.V5 if broker.version == "5" else aiomqtt.ProtocolVersion.V311,
        tls_context=broker.tls,
        identifier=f"hallwatch-cli-{uuid4().hex[:12]}",
        timeout=CONNECT_S,
    )
    try:
        async with client:
            yield client
    except (aiomqtt.MqttError, OSError) as error:
        raise BrokerError(f"{broker.host}:{broker.port}: {error}") from error


async def speaks_5(broker: Broker) -> bool:
    """Whether the broker speaks MQTT 5; raises `BrokerError` where it does not answer at all."""
    try:
        async with asyncio.timeout(CONNECT_S), connected(broker):
            return True
    except (BrokerError, TimeoutError) as error:
        if "unsupported protocol" in str(error).lower() or isinstance(error, TimeoutError):
            return False
        raise
