"""`hallwatch status`: how the running system is, in a few figures for each hall."""

import argparse
import json

from rich.console import Console
from rich.table import Table

from dashboard.cli.client import Json, ask
from dashboard.cli.moment import local_time
from dashboard.cli.place import Commands, add_data, socket_of


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("status", help="运行状态 · how the running system is")
    command.add_argument("--json", action="store_true", help="JSON")
    add_data(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """0: all is linked; 1: a hall has lost its broker."""
    answer = ask(socket_of(chosen), "GET", "/api/v1/status")
    if chosen.json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        for hall in answer["halls"]:
            Console().print(_table(hall))
    return 0 if all(_well(hall) for hall in answer["halls"]) else 1


def _well(hall: Json) -> bool:
    return bool(hall["links"]) and all(hall["links"].values()) and hall["stalled_since"] is None


def _table(hall: Json) -> Table:
    table = Table(title=hall["hall"], title_justify="left", show_header=False, box=None)
    links = ", ".join(f"{lane} {'通 up' if up else '断 down'}" for lane, up in hall["links"].items()) or "未知 unknown"
    table.add_row("时间 · time", local_time(hall["now"]))
    table.add_row("消息服务器 · broker", links)
    table.add_row("设备 · devices", ", ".join(f"{state} {count}" for state, count in hall["devices"].items()))
    table.add_row("告警 · alarms", f"{hall['alarms']} (未确认 · unacknowledged {hall['unacknowledged']})")
    table.add_row("预案 · runs", str(hall["runs"]))
    table.add_row("工单 · tickets", str(hall["tickets"]))
    if hall["stalled_since"] is not None:
        table.add_row("存储 · store", f"无应答，自 · does not answer since {local_time(hall['stalled_since'])}")
    table.add_row("历史 · history", f"{hall['history_store']}, 落后 · behind {hall['history_behind']}")
    return table
