"""`hallwatch demo`: everything in one process, a simulated hall with a day behind it, nothing to install.

Broker, devices and gateway are real and speak MQTT over a socket; the hall's day is invented and its clock may run
faster than ours. Nothing is kept.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dashboard.cli.client import AnswerError, NotRunningError
from dashboard.cli.example import EXAMPLE, load, on_broker
from dashboard.cli.exposure import exposure_of
from dashboard.cli.place import SOCKET_NAME, Commands, free_port, listening
from dashboard.cli.run import add_listening, guarded, start_log
from dashboard.cli.simulate import speed
from dashboard.cli.staff import Staff, act_out
from dashboard.cli.stage import FASTEST, DemoStage
from dashboard.cli.yesterday import DAY_MS, Show, leave_sessions, play_yesterday
from dashboard.server.accounts import Doors
from dashboard.settings import Settings
from dashboard.system import run_system
from gateway.broker import Address, demo_broker
from gateway.clockwork import Clockwork
from sensors.site.calendar import HallCalendar
from simulators.clock import SimClock
from simulators.fleet import Fleet
from simulators.link import Broker, connect
from simulators.overlay import Overlay
from simulators.scenario import Scenario, shipped_scenario
from simulators.weather import Weather

VISITOR: Final = "visitor"
TOUR: Final = "tour"
# Late enough in a morning for a queue, early enough for much of a day.
AFTER_OPENING_MS: Final = 75 * 60_000
LOOK_BACK_DAYS: Final = 40
LIVELY_WITHIN_MS: Final = 45 * 60_000
# More in one queue make a hall no livelier than some in each.
LIVELY_QUEUE: Final = 3


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("demo", help="演示 · a simulated hall, nothing to install")
    add_listening(command)
    command.add_argument(
        "--speed", type=_speed, default=5.0, metavar="N", help="大厅时钟的倍速 · the hall's clock, times real time"
    )
    command.add_argument("--no-browser", action="store_true", help="不打开浏览器 · open no browser")
    command.set_defaults(run=run)


def _speed(text: str) -> float:
    value = speed(text)
    if value > FASTEST:
        raise argparse.ArgumentTypeError(f"{text}: N <= {FASTEST}")
    return value


def run(chosen: argparse.Namespace) -> int:
    """Run until Ctrl-C."""
    start_log("warning" if chosen.log == "info" else chosen.log)
    with tempfile.TemporaryDirectory(prefix="hallwatch-demo-") as folder:
        return guarded(lambda: asyncio.run(_demo(chosen, Path(folder))))


async def _demo(chosen: argparse.Namespace, folder: Path) -> None:
    async with demo_broker() as broker:
        settings = _settings(chosen, folder, broker)
        with _preparing() as show:
            kept, tour = load(settings.site_text, settings.site_name), shipped_scenario(TOUR)
            fleet = Fleet(kept.site, tour.hall, tour.seed)
            start = lively(fleet, opening(HallCalendar(fleet.index.hall), time.time_ns() // 1_000_000))
            await play_yesterday(settings.store, kept, tour, start, show)
            await leave_sessions(broker, kept.site, fleet.hall)
        clock = SimClock.start(start, chosen.speed)
        answers = asyncio.Event()
        stage = DemoStage(today(fleet, tour, start), clock, Weather(fleet, tour.seed))

        async def greet(doors: Doors) -> None:
            entry = f"{settings.public_url}/enter/{await doors.entry(VISITOR)}"
            _welcome(settings, entry)
            answers.set()
            if not chosen.no_browser and _has_screen():
                # One that does not start, or takes its time, is no reason to wait: the address stands above.
                await asyncio.to_thread(webbrowser.open, entry)

        async def devices() -> None:
            await answers.wait()
            async with connect(Broker(broker.host, broker.port, broker.username)) as wire:
                # The clock has gone on while the gateway started; the devices connect now.
                now = clock.now()
                await stage.weather.blow(stage.day.publications(now, now + 30 * DAY_MS), wire, clock)

        staff = Staff(folder / SOCKET_NAME, kept.site)

        async def people() -> None:
            await answers.wait()
            for action in tour.actions:
                # What the visitor has done meanwhile is not there any more, or is refused.
                with contextlib.suppress(LookupError, AnswerError, NotRunningError):
                    await act_out([action], staff, start, clock)

        async with asyncio.TaskGroup() as group:
            living = [group.create_task(one) for one in (devices(), people(), stage.people(staff))]
            await run_system(settings, clock=Clockwork(clock.now, lambda: clock.rate), ready=greet, stage=stage)
            for task in living:
                task.cancel()


def _settings(chosen: argparse.Namespace, folder: Path, broker: Address) -> Settings:
    host, port = listening(chosen)
    return Settings(
        site_text=on_broker(EXAMPLE.read_text("utf-8"), broker.host, broker.port, broker.username),
        site_name=EXAMPLE.name,
        data=folder,
        host=host,
        # A demo that does not start shows nothing: another program's port is no reason.
        port=free_port(host, port),
        socket=folder / SOCKET_NAME,
        base_url=chosen.base_url,
        demo=True,
        clock_rate=chosen.speed,
        open_names=True,
        exposure=exposure_of(chosen),
    )


def opening(calendar: HallCalendar, now: int) -> int:
    """When the demo's day begins (ms): in the last morning that was worked after a day that was worked.

    Whenever it is really started, the hall is open, its staff is in, and there are visitors in its yesterday.
    """
    today_ = calendar.date_of(now)
    mornings = []
    for back in range(LOOK_BACK_DAYS):
        day = today_ - timedelta(days=back)
        periods = calendar.periods(day)
        if periods and (morning := min(periods[0][0] + AFTER_OPENING_MS, sum(periods[0]) // 2)) <= now:
            mornings.append((not calendar.periods(day - timedelta(days=1)), back, morning))
    return min(mornings)[2] if mornings else now


def lively(fleet: Fleet, opening_at: int) -> int:
    """The minute soon after `opening_at` (ms) at which most people wait, spread over the queues.

    On a good day a hall's queues are empty every now and then: nobody would see that they are queues.
    """
    queues = fleet.day_of(opening_at).queues.values()
    minutes = range(opening_at, opening_at + LIVELY_WITHIN_MS, 60_000)
    return max(minutes, key=lambda at: sum(min(queue.at(at), LIVELY_QUEUE) for queue in queues))


def today(fleet: Fleet, tour: Scenario, start: int) -> Overlay:
    """The hall's day with what happens in it; the tour's times count from `start`."""
    return Overlay(fleet, [change for event in tour.events for change in event.changes(start)])


def _has_screen() -> bool:
    return sys.platform in {"darwin", "win32"} or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())


@contextlib.contextmanager
def _preparing() -> Iterator[Show]:
    """One bar from the first second to the page's address."""
    console = Console()
    console.print("  正在模拟大厅的昨天，约十秒 · simulating the hall's yesterday, about ten seconds", soft_wrap=True)
    columns = (
        TextColumn("  昨天 · yesterday"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda done: bar.update(task, completed=done)


def _welcome(settings: Settings, entry: str) -> None:
    console = Console()
    console.print()
    console.print(f"  打开 · open   {entry}", style="bold", soft_wrap=True, highlight=False)
    console.print("  （一次性链接 · this link works once）   Ctrl-C 结束 · ends")
    console.print(f"  hallwatch status --data {settings.data}", style="dim", soft_wrap=True, highlight=False)
    console.print()
