"""`hallwatch simulate SCENARIO --broker HOST:PORT`: simulated devices on any broker, at real time."""

import argparse
import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Final

import aiomqtt
from pydantic import ValidationError
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from ruamel.yaml.error import YAMLError

from dashboard.cli.example import EXAMPLE, load_site
from dashboard.cli.place import Commands, address
from dashboard.recording_file import Writer, writing
from dashboard.site_file import read_text
from sensors.errors import HallwatchError
from sensors.recording import Sent, write_end, write_head, write_message
from sensors.site.model import Site
from simulators.clock import SimClock
from simulators.link import Broker, simulate
from simulators.link import Progress as Reached
from simulators.scenario import Scenario, load_scenario, scenario_names, shipped_scenario

NOT_SHARED: Final = (
    "倍速：网关的时钟不随之加快，保持、升级和失联时限仍按真实时间 · "
    "times real time: the gateway's clock does not go along, so holds, escalation and silence take real time, and the "
    "devices' clocks will seem wrong to it"
)


class BrokerError(HallwatchError):
    """The broker does not answer, refuses, or was lost."""

    code = "broker"


class ScenarioError(HallwatchError):
    """No such scenario, or its file is wrong."""

    code = "scenario"


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("simulate", help="向 MQTT 服务器播放模拟场景 · play a scenario onto a broker")
    command.add_argument("scenario", metavar="SCENARIO", help=f"{', '.join(scenario_names())}, FILE.yaml")
    command.add_argument("--broker", type=address, required=True, metavar="HOST:PORT", help="MQTT 服务器 · the broker")
    command.add_argument(
        "--username", metavar="NAME", help="登录名；密码取自 · login; its password is $HALLWATCH_MQTT_PASSWORD"
    )
    command.add_argument("--site", type=Path, metavar="FILE", help="站点文件，默认为示例 · default: the example site")
    command.add_argument("--speed", type=speed, default=1.0, metavar="N", help="几倍于真实时间 · times real time")
    command.add_argument(
        "--record", type=Path, metavar="FILE",
        help="把发出的每条消息写入文件，.gz 即压缩，供 replay 重放 · write what goes over the wire, for replay",
    )  # fmt: skip
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Play the scenario from now on, to its end."""
    site = (
        load_site(read_text(chosen.site), str(chosen.site))
        if chosen.site
        else load_site(EXAMPLE.read_text("utf-8"), EXAMPLE.name)
    )
    scenario = find(chosen.scenario)
    if chosen.speed != 1:
        print(f"hallwatch: {chosen.speed:g} × {NOT_SHARED}", file=sys.stderr)
    with contextlib.ExitStack() as stack:
        record = stack.enter_context(writing(chosen.record)) if chosen.record else None
        sent = asyncio.run(_play(chosen, site, scenario, record))
    print(f"{scenario.title.zh} · {scenario.title.en or scenario.id}: {sent} 条消息已发布 · messages published")
    return 0


async def _play(chosen: argparse.Namespace, site: Site, scenario: Scenario, record: Writer | None) -> int:
    start = time.time_ns() // 1_000_000
    clock = SimClock.start(start, chosen.speed)
    host, port = chosen.broker
    broker = Broker(host, port, chosen.username, os.environ.get("HALLWATCH_MQTT_PASSWORD"))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task(scenario.title.zh, total=scenario.duration_s * 1000)

        def went(reached: Reached) -> None:
            bar.update(task, completed=reached.at - start)
            if record is not None:
                said = reached.last
                if reached.published == 1:
                    record.write(*write_head(published=True), f"# hallwatch simulate {scenario.id}")
                record.write(write_message(Sent(clock.now(), said.topic, said.payload, said.qos, said.retain)))

        try:
            published = await simulate(scenario, site, broker, clock, on_progress=went)
            if record is not None:
                record.write(write_end(clock.now()))
        except ValueError as error:
            raise ScenarioError(str(error)) from error
        except aiomqtt.MqttError as error:
            raise BrokerError(f"{host}:{port}: {error}") from error
        return published


def find(name: str) -> Scenario:
    """A scenario by its name, or from a file; raises `ScenarioError`."""
    try:
        if name.endswith((".yaml", ".yml")):
            return load_scenario(read_text(Path(name)))
        return shipped_scenario(name)
    except KeyError:
        raise ScenarioError(f"{name}: 没有这个场景 · no such scenario; {', '.join(scenario_names())}") from None
    except (ValidationError, YAMLError) as error:
        raise ScenarioError(f"{name}: {error}") from error


def speed(text: str) -> float:
    """How many times real time, as argparse wants it."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1000:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r}: 0 < N <= 1000")
    return value
