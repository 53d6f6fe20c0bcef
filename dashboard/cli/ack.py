"""`hallwatch ack ALARM`: answer an alarm from the terminal."""

import argparse

from dashboard.cli.client import ask
from dashboard.cli.place import Commands, add_data, socket_of


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("ack", help="确认告警 · acknowledge an alarm")
    command.add_argument("alarm", metavar="ALARM", help="告警编号，如 A000001 · its id")
    command.add_argument("--note", default="", metavar="TEXT", help="备注 · a note")
    command.add_argument("--hall", metavar="ID", help="大厅 · the hall")
    add_data(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Acknowledge; repeats and escalation stop."""
    body = {"do": "acknowledge", "alarm": chosen.alarm, "note": chosen.note}
    ask(socket_of(chosen), "POST", "/api/v1/actions" + in_hall(chosen), body)
    print(f"{chosen.alarm}: 已确认 · acknowledged")
    return 0


def in_hall(chosen: argparse.Namespace, *more: str) -> str:
    """The query for the hall that is meant, and what else is asked."""
    words = [*more, *([f"hall={chosen.hall}"] if chosen.hall else [])]
    return "?" + "&".join(words) if words else ""
