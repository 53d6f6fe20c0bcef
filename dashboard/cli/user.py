"""`hallwatch user …`: logins and their roles. A password is asked for, or read from stdin; never an argument."""

import argparse
import getpass
import sys
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from dashboard.cli.client import Json, ask
from dashboard.cli.moment import local_time
from dashboard.cli.place import Commands, add_data, socket_of
from dashboard.cli.user_tokens import add_token_words
from dashboard.server.rights import Role
from sensors.errors import HallwatchError

USERS = "/api/v1/users"
ROLES = [str(role) for role in Role]


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
    add.add_argument("--role", choices=ROLES, required=True, help="角色，见 docs/roles.md · what it may do")
    add.add_argument("--person", metavar="ID", help="站点文件中的人员编号 · the id of a person of the site file")
    add.add_argument(
        "--link",
        action="store_true",
        help="不问密码，打印一次性链接由本人设定 · print a one-time link by which the password is chosen",
    )
    add.set_defaults(run=run_add)
    listing = words.add_parser("list", help="列出 · list them")
    listing.set_defaults(run=run_list)
    role = words.add_parser("role", help="更换角色 · give one another role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=ROLES)
    role.set_defaults(run=run_change)
    for word, disabled, said in (
        ("disable", True, "停用，立即退出登录 · shut one out, at once"),
        ("enable", False, "重新启用 · let one in again"),
    ):
        state = words.add_parser(word, help=said)
        state.add_argument("name", metavar="NAME")
        state.set_defaults(run=run_change, disabled=disabled)
        add_data(state)
    password = words.add_parser("password", help="更换密码 · give one another password")
    password.add_argument("name", metavar="NAME")
    password.set_defaults(run=run_password)
    for word, run, said in (
        ("link", run_link, "重设密码：打印一次性链接，旧密码立即失效 · a one-time link for a new password"),
        ("logout", run_logout, "使其在所有地方退出 · log one out everywhere"),
    ):
        one = words.add_parser(word, help=said)
        one.add_argument("name", metavar="NAME")
        one.set_defaults(run=run)
        add_data(one)
    add_token_words(words)
    for known in (add, listing, role, password):
        add_data(known)


def run_add(chosen: argparse.Namespace) -> int:
    """Add a user; only a link goes to stdout beside the word that it is done."""
    body = {"user": chosen.name, "role": chosen.role, "person": chosen.person}
    if not chosen.link:
        body["password"] = _password()
    made = ask(socket_of(chosen), "POST", USERS, body)
    print(f"{chosen.name}: 已建立 · added ({chosen.role})", file=sys.stderr if chosen.link else sys.stdout)
    if chosen.link:
        _say(made)
    return 0


def run_link(chosen: argparse.Namespace) -> int:
    """Another link; it alone goes to stdout."""
    _say(ask(socket_of(chosen), "POST", f"{USERS}/{quote(chosen.name, safe='')}/link", {}))
    return 0


def _say(made: Json) -> None:
    print(
        f"{made['user']}: 24 小时内有效，只能用一次，只显示这一次 · works once, for 24 hours, shown this once",
        file=sys.stderr,
    )
    print(made["link"])


def run_logout(chosen: argparse.Namespace) -> int:
    """Out of everywhere."""
    ask(socket_of(chosen), "POST", f"{USERS}/{quote(chosen.name, safe='')}/logout", {})
    print(f"{chosen.name}: 已全部退出 · logged out everywhere")
    return 0


def run_list(chosen: argparse.Namespace) -> int:
    """Print all users."""
    table = Table("账号 · user", "角色 · role", "人员 · person", "建立 · created", "", box=None)
    for user in ask(socket_of(chosen), "GET", USERS)["items"]:
        state = "已停用 · disabled" if user["disabled"] else "" if user["password"] else "未设密码 · no password"
        table.add_row(user["user"], user["role"], user["person"] or "", local_time(user["created"]), state)
    Console().print(table)
    return 0


def run_change(chosen: argparse.Namespace) -> int:
    """Another role, or in and out."""
    fields = {name: value for name in ("role", "disabled") if (value := getattr(chosen, name, None)) is not None}
    return _change(chosen, fields)


def run_password(chosen: argparse.Namespace) -> int:
    """Another password."""
    return _change(chosen, {"password": _password()})


def _change(chosen: argparse.Namespace, fields: Json) -> int:
    now = ask(socket_of(chosen), "POST", f"{USERS}/{quote(chosen.name, safe='')}", fields)
    print(f"{now['user']}: {now['role']}{'，已停用 · disabled' if now['disabled'] else ''}")
    return 0


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("密码 · password: ")
    if getpass.getpass("再次输入 · again: ") != first:
        raise PasswordError("两次输入不同 · the two are not alike")
    return first
