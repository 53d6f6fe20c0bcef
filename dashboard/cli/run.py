"""`hallwatch run --site FILE`: the real thing, until SIGTERM."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from dashboard.cli.exposure import add_exposure, exposure_of
from dashboard.cli.first import invite
from dashboard.cli.place import Commands, add_data, address, listening, make_data_folder, socket_of
from dashboard.cli.stores import add_store, named_store, shown
from dashboard.server.accounts import Doors
from dashboard.settings import Settings
from dashboard.site_file import read_text
from dashboard.system import run_system
from sensors.errors import HallwatchError

LOG = logging.getLogger(__name__)


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("run", help="运行 · run a site")
    command.add_argument("--site", type=Path, metavar="FILE", required=True, help="站点文件 · the site file")
    add_data(command)
    add_store(command)
    add_listening(command)
    command.add_argument(
        "--broker", type=address, metavar="HOST:PORT", help="代替站点文件中的 MQTT 服务器 · instead of the file's"
    )
    command.set_defaults(run=run)


def add_listening(command: argparse.ArgumentParser) -> None:
    """`--listen`, `--base-url`, how it is exposed, and `--log`."""
    command.add_argument(
        "--listen",
        type=address,
        metavar="HOST:PORT",
        default=("127.0.0.1", 8080),
        help="默认只限本机 · default: this machine",
    )
    command.add_argument("--base-url", metavar="URL", help="他人访问本页的地址 · how people reach this page")
    add_exposure(command)
    command.add_argument(
        "--log", choices=("debug", "info", "warning", "error"), default="info", help="日志级别 · log level"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT."""
    start_log(chosen.log)
    host, port = listening(chosen)
    named = named_store(chosen)
    if named is not None:
        LOG.info("store: %s", shown(named))
    settings = Settings(
        site_text=read_text(chosen.site),
        site_name=str(chosen.site),
        site_file=chosen.site.absolute(),
        data=make_data_folder(chosen.data),
        store_url=named,
        host=host,
        port=port,
        socket=socket_of(chosen),
        base_url=chosen.base_url,
        broker=chosen.broker,
        exposure=exposure_of(chosen),
    )

    async def greet(doors: Doors) -> None:
        await invite(doors, settings.public_url, settings.data)

    return guarded(lambda: asyncio.run(run_system(settings, ready=greet)))


def guarded(work: Callable[[], None]) -> int:
    """Do the work; what a person can mend is said in a sentence, what we did not foresee keeps its traceback."""
    try:
        work()
    except* HallwatchError as errors:
        for error in _leaves(errors):
            print(f"hallwatch: {error}", file=sys.stderr)
        return_code = 1
    else:
        return_code = 0
    return return_code


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def start_log(level: str) -> None:
    """One line for each event, on stderr, with local time and its offset."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"
    )
