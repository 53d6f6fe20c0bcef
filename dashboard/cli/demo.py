"""`hallwatch demo`: everything in one process, a simulated hall with a day behind it, nothing to install.

Broker, devices and gateway are real and speak MQTT over a socket; the hall's day is invented and its clock may run
faster than ours. Nothing is kept.
"""

import argparse
import asyncio
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from alerts.core import Core
from alerts.engine import Engine
from alerts.model import Book
from dashboard.cli.example import EXAMPLE, load_site, on_broker
from dashboard.cli.place import SOCKET_NAME, Commands
from dashboard.cli.run import add_listening, guarded, start_log
from dashboard.cli.simulate import speed
from dashboard.server.accounts import Doors
from dashboard.settings import Settings
from dashboard.system import run_system
from gateway.batch import BatchMaker
from gateway.broker import Address, demo_broker
from gateway.history.readings import ReadingsSink
from gateway.history.shipper import Feed, Shipper
from gateway.pipeline import Clockwork
from gateway.playback import Played, play
from gateway.store.sql import open_store, sqlite_url
from sensors.decode.family import Packet
from sensors.decode.reception import Reception
from sensors.hall.hall import Hall
from sensors.inputs import Lane, Linked, Started
from sensors.site.calendar import HallCalendar
from sensors.site.load import read_site
from sensors.site.model import Site
from simulators.clock import SimClock
from simulators.fleet import Fleet
from simulators.link import Broker, connect
from simulators.link import play as play_live
from simulators.overlay import Overlay
from simulators.publication import Publication
from simulators.scenario import shipped_scenario

VISITOR: Final = "visitor"
SEED: Final = 7
DAY_MS: Final = 86_400_000
SLICE_MS: Final = 10_000
# What happens in the demo, and how many minutes of the hall's clock after its start.
HAPPENS: Final = (("printer_fault", 3), ("queue_surge", 8), ("real_fire", 20))


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("demo", help="演示 · a simulated hall, nothing to install")
    add_listening(command)
    command.add_argument(
        "--speed", type=speed, default=5.0, metavar="N", help="大厅时钟的倍速 · the hall's clock, times real time"
    )
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Run until Ctrl-C."""
    start_log("warning" if chosen.log == "info" else chosen.log)
    with tempfile.TemporaryDirectory(prefix="hallwatch-demo-") as folder:
        return guarded(lambda: asyncio.run(_demo(chosen, Path(folder))))


async def _demo(chosen: argparse.Namespace, folder: Path) -> None:
    async with demo_broker() as broker:
        settings = _settings(chosen, folder, broker)
        site = load_site(settings.site_text, settings.site_name)
        start = opening(site, time.time_ns() // 1_000_000)
        await play_yesterday(settings, site, start)
        clock = SimClock.start(start, chosen.speed)
        answers = asyncio.Event()

        async def greet(doors: Doors) -> None:
            _welcome(settings, await doors.entry(VISITOR))
            answers.set()

        async def devices() -> None:
            await answers.wait()
            # The clock has gone on while the gateway started; the devices connect now.
            async with connect(Broker(broker.host, broker.port, "simulator")) as wire:
                await play_live(today(site, clock.now()), wire, clock)

        async with asyncio.TaskGroup() as group:
            fleet = group.create_task(devices())
            await run_system(settings, clock=Clockwork(clock.now, chosen.speed), ready=greet)
            fleet.cancel()


def _settings(chosen: argparse.Namespace, folder: Path, broker: Address) -> Settings:
    host, port = chosen.listen
    return Settings(
        site_text=on_broker(EXAMPLE.read_text("utf-8"), broker.host, broker.port, broker.username),
        site_name=EXAMPLE.name,
        data=folder,
        host=host,
        port=free_port(host, port),
        socket=folder / SOCKET_NAME,
        base_url=chosen.base_url,
        demo=True,
        clock_rate=chosen.speed,
        open_names=True,
    )


def free_port(host: str, port: int) -> int:
    """This port, or a free one where another program has it: a demo that does not start shows nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (port, 0):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, wanted))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    return port


def opening(site: Site, now: int) -> int:
    """When the demo's day begins (ms): now if the hall is open, else a morning of its last working day."""
    calendar = HallCalendar(site.halls[0])
    if calendar.is_open(now):
        return now
    day = calendar.date_of(now)
    for back in range(30):
        earlier = day - timedelta(days=back)
        periods = calendar.periods(earlier)
        if periods and periods[0][0] <= now:
            return periods[0][0] + 75 * 60_000
    return now


async def play_yesterday(settings: Settings, site: Site, start: int) -> None:
    """Put the day before into the store and its history by the same path, only without a broker."""
    name = site.halls[0].id
    digest = read_site(settings.site_text, settings.site_name).digest
    hall = Hall(site, name)
    begin = start - DAY_MS
    async with open_store(sqlite_url(settings.data / "hallwatch.db")) as store:
        await store.sites.keep(digest, settings.site_text)
        reception = Reception(site, name, hall.state)
        maker = BatchMaker(Core(hall, Engine(site, name, Book())), reception, hall=name, index=0)
        feed = Feed(name, "sqlite", reception.read, await store.records.secret("badges"))
        shipper = Shipper(store.journal, store.cursors, ReadingsSink(store.writer), feed)
        items = _heard(Fleet(site, name, SEED).publications(begin, start), begin, digest)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        async with asyncio.TaskGroup() as group:
            shipping = group.create_task(shipper.run())
            with Progress(*columns, transient=True) as bar:
                task = bar.add_task("昨天 · yesterday", total=DAY_MS)

                def show(at: int) -> None:
                    bar.update(task, completed=at - begin)

                await play(maker, store.journal, items, until=start, slice_ms=SLICE_MS, progress=show)
                while await store.cursors.get(name, "sqlite") < maker.index:  # noqa: ASYNC110 (a row tells nobody)
                    await asyncio.sleep(0.1)
            shipping.cancel()


def _heard(publications: Iterable[Publication], begin: int, digest: str) -> Iterator[Played]:
    yield Started(begin, digest)
    for lane in Lane:
        yield Linked(begin, lane, up=True)
    for one in publications:
        yield Packet(one.topic, one.payload, Lane.TELEMETRY, one.at, one.qos)


def today(site: Site, start: int) -> Iterator[Publication]:
    """The hall's day from `start` on, with what happens in it."""
    fleet = Fleet(site, None, SEED)
    changes = [
        change
        for name, minutes in HAPPENS
        for event in shipped_scenario(name).events
        for change in event.changes(start + minutes * 60_000)
    ]
    return iter(Overlay(fleet, changes).publications(start, start + 30 * DAY_MS))


def _welcome(settings: Settings, token: str) -> None:
    console = Console()
    console.print()
    console.print(f"  打开 · open   {settings.public_url}/enter/{token}", style="bold", soft_wrap=True, highlight=False)
    console.print("  （一次性链接 · this link works once）   Ctrl-C 结束 · ends")
    console.print(f"  hallwatch status --data {settings.data}", style="dim", soft_wrap=True, highlight=False)
    console.print()
