"""`hallwatch doctor`: looks over the store, the running system and (with `--site`) all that the site file names.

It says of each thing how it is and what mends it, reads beside a running system and changes nothing that lasts. A
further check is a function in `STORE` or `SYSTEM`, or one in `dashboard/doctor`, and its words in `doctor_words.py`.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dashboard.cli.client import AnswerError, NotRunningError, ask
from dashboard.cli.doctor_words import MARKS, MENDS, NAMES
from dashboard.cli.place import Commands, add_data, address, socket_of
from dashboard.cli.stores import add_store, existing_store, shown, store_of
from dashboard.doctor.broker import CONFIGS
from dashboard.doctor.look import Asked, look
from dashboard.site_file import read_text
from gateway import refold
from gateway.store import check
from gateway.store.backup import reading
from gateway.store.check import Check, Finding, State, verdict
from gateway.store.errors import StoreError
from sensors.facts import FactKind
from sensors.site.load import read_site

STORE: Final[tuple[Check, ...]] = (*check.CHECKS, *refold.CHECKS)
SystemCheck = Callable[[Path], Iterable[Finding]]
LESS_URGENT: Final = 10
TO_MEND: Final = (State.WRONG, State.WARN)


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("doctor", help="体检，运行中也可 · look everything over, also while it runs")
    command.add_argument("--json", action="store_true", help="JSON")
    command.add_argument(
        "--site", type=Path, metavar="FILE", help="连同站点文件所指的一切 · and all that the site file names"
    )
    command.add_argument("--broker", type=address, metavar="HOST:PORT", help="代替站点文件中的 · instead of the file's")
    command.add_argument(
        "--mosquitto",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="本机 Mosquitto 的配置 · its files on this machine",
    )
    command.add_argument("--base-url", metavar="URL", help="他人访问本页的地址 · how people reach the page")
    command.add_argument(
        "--device", metavar="ID", help="用一台设备的登录试权限 · try the rights of this device's login"
    )
    command.add_argument("--device-password", type=Path, metavar="FILE", help="其密码文件 · a file with its password")
    command.add_argument("--device-broker", type=address, metavar="HOST:PORT", help="设备所用的门 · the devices' door")
    command.add_argument("--device-ca", type=Path, metavar="FILE", help="设备信任的证书 · whom devices trust there")
    command.add_argument(
        "--send-test", metavar="PERSON", help="向此人的每个通道发一条测试 · send this person one test by each channel"
    )
    add_data(command)
    add_store(command)
    command.set_defaults(run=run, command=command)


def run(chosen: argparse.Namespace) -> int:
    """0: all is well; 1: something is wrong. Raises `StoreError` where there is neither a store nor a site file."""
    if (chosen.device is None) != (chosen.device_password is None) or (chosen.send_test and chosen.site is None):
        chosen.command.error("--device ID --device-password FILE; --send-test PERSON --site FILE")
    # Whoever watches the hall goes first.
    with suppress(OSError):
        os.nice(LESS_URGENT)
    found = _installation(chosen) if chosen.site is not None else []
    try:
        store = existing_store(chosen)
    except StoreError as error:
        # Before the first start there is nothing to be wrong with.
        if chosen.site is None or error.code != "store_missing":
            raise
        store = store_of(chosen)
        found.append(Finding("reach", State.NOTE, str(error)))
    else:
        found += [*store_findings(store.get_secret_value()), *system_findings(socket_of(chosen))]
    wrong = [one for one in found if one.state is State.WRONG]
    if chosen.json:
        print(json.dumps({"well": not wrong, "checks": [_entry(one) for one in found]}, ensure_ascii=False, indent=2))
    else:
        _show(shown(store), found)
    return 1 if wrong else 0


def _installation(chosen: argparse.Namespace) -> list[Finding]:
    asked = Asked(
        loaded=read_site(read_text(chosen.site), str(chosen.site)),
        data=chosen.data,
        broker=chosen.broker,
        base_url=chosen.base_url,
        device=None if chosen.device is None else (chosen.device, chosen.device_password),
        device_broker=chosen.device_broker,
        device_ca=chosen.device_ca,
        person=chosen.send_test,
        configs=chosen.mosquitto or CONFIGS,
    )
    return asyncio.run(look(asked))


def store_findings(url: str) -> Iterator[Finding]:
    """Each check in a transaction of its own: one that cannot be carried out is a finding, and the others go on."""
    try:
        with reading(url):
            yield Finding("reach", State.OK, "")
    except StoreError as error:
        yield Finding("reach", State.WRONG, str(error))
        return
    for one in STORE:
        try:
            with reading(url) as connection:
                yield from list(one(connection))
        except StoreError as error:
            yield Finding(one.__name__.removeprefix("check_"), State.WRONG, str(error))


def system_findings(socket: Path) -> Iterator[Finding]:
    """What the running system says of itself."""
    for one in SYSTEM:
        try:
            yield from list(one(socket))
        except NotRunningError:
            yield Finding("running", State.NOTE, str(socket))
            return
        except AnswerError as error:
            yield Finding(one.__name__.removeprefix("check_"), State.WRONG, str(error))


def check_running(socket: Path) -> Iterator[Finding]:
    """It answers, its sessions are up, and the store takes what it writes."""
    answer = ask(socket, "GET", "/api/v1/status")
    yield Finding("running", State.OK, str(socket))
    for hall in answer["halls"]:
        links = {str(lane): bool(up) for lane, up in hall["links"].items()}
        down = [lane for lane, up in links.items() if not up]
        yield verdict("broker", ", ".join(down or links) or "?", well=bool(links) and not down, hall=hall["hall"])
        stalled = hall["stalled_since"]
        yield verdict("writing", "ok" if stalled is None else str(stalled), well=stalled is None, hall=hall["hall"])


def check_identity(socket: Path) -> Iterator[Finding]:
    """How many devices have no key, so that only the broker's access file keeps others from speaking for them."""
    for hall in ask(socket, "GET", "/api/v1/status")["halls"]:
        unsigned = int(hall["unsigned"])
        if unsigned:
            yield Finding("identity", State.NOTE, f"{unsigned} / {sum(hall['devices'].values())}", hall["hall"])


def check_clocks(socket: Path) -> Iterator[Finding]:
    """Devices whose own time is off, by the alarms that are open."""
    alarms = ask(socket, "GET", "/api/v1/alarms?open=1")["items"]
    off = sorted(str(one.get("device")) for one in alarms if one["kind"] == FactKind.CLOCK_SKEW)
    if off:
        yield Finding("clocks", State.WARN, ", ".join(off))


SYSTEM: Final[tuple[SystemCheck, ...]] = (check_running, check_identity, check_clocks)


def _entry(one: Finding) -> dict[str, str]:
    mend = MENDS.get(one.check, ("", "")) if one.state in TO_MEND else ("", "")
    return {**asdict(one), "mend_zh": mend[0], "mend_en": mend[1]}


def _show(place: str, found: list[Finding]) -> None:
    table = Table(title=escape(place), title_justify="left", show_header=False, box=None)
    for one in found:
        name = " · ".join(NAMES.get(one.check, (one.check, one.check)))
        table.add_row(MARKS[one.state], name, one.hall, escape(one.detail))
    console = Console()
    console.print(table)
    for check_ in dict.fromkeys(one.check for one in found if one.state in TO_MEND):
        zh, en = MENDS[check_]
        console.print(f"→ {NAMES[check_][0]}：{zh}\n  {NAMES[check_][1]}: {en}", soft_wrap=True, highlight=False)
