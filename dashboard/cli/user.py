"""`hallwatch user add NAME`: a login for the page. The password is asked for, or read from stdin; never an argument."""

import argparse
import getpass
import sys

from dashboard.cli.client import ask
from dashboard.cli.place import Commands, add_data, socket_of
from sensors.errors import HallwatchError


class PasswordError(HallwatchError):
    """The password was not entered alike twice."""

    code = "password"


def add_to(commands: Commands) -> None:
    """Add the command."""
    whole = commands.add_parser("user", help="登录账号 · logins")
    words = whole.add_subparsers(metavar="WORD", required=True)
    add = words.add_parser(
        "add", help="新建账号，密码从终端或标准输入读取 · add one; the password is asked for or read from stdin"
    )
    add.add_argument("name", metavar="NAME", help="登录名 · its name")
    add.add_argument("--person", metavar="ID", help="站点文件中的人员编号 · the id of a person of the site file")
    add_data(add)
    add.set_defaults(run=run_add)


def run_add(chosen: argparse.Namespace) -> int:
    """Add a user."""
    body = {"user": chosen.name, "password": _password(), "person": chosen.person}
    ask(socket_of(chosen), "POST", "/api/v1/users", body)
    print(f"{chosen.name}: 已建立 · added")
    return 0


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("密码 · password: ")
    if getpass.getpass("再次输入 · again: ") != first:
        raise PasswordError("两次输入不同 · the two are not alike")
    return first
