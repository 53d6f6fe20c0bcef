"""`hallwatch reload`: the running system reads its site file again, without a restart."""

import argparse
import sys

from dashboard.cli.client import AnswerError, ask
from dashboard.cli.place import Commands, add_data, socket_of
from dashboard.cli.terminal import plain


def add_to(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("reload", help="不停机重新加载站点文件 · load the site file anew, without a restart")
    add_data(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """0: taken, with what changed; 1: refused with the reasons, and the old one goes on."""
    try:
        answer = ask(socket_of(chosen), "POST", "/api/v1/site/reload")
    except AnswerError as error:
        print(f"未加载，仍按原站点文件运行 · not taken, the old one goes on\n{error}", file=sys.stderr)
        return 1
    for change in answer["changes"]:
        print(plain(change["text"]))
    print("已加载 · loaded" if answer["changes"] else "没有改动 · nothing has changed")
    return 0
