"""`hallwatch user token add|list|revoke`: what programs come in by. A token is printed once, when it is made."""

import argparse
from typing import TypeAlias

from rich.console import Console
from rich.table import Table

from dashboard.cli.client import Json, ask
from dashboard.cli.moment import local_time
from dashboard.cli.place import add_data, socket_of
from dashboard.cli.quarantine import ascii_safe
from dashboard.server.rights import Role

TOKENS = "/api/v1/tokens"
# argparse gives its type no public name.
Words: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def add_token_words(words: Words) -> None:
    """Add `token` to the words of `user`."""
    whole = words.add_parser("token", help="程序令牌 · tokens for programs")
    inner = whole.add_subparsers(metavar="WORD", required=True)
    add = inner.add_parser("add", help="新建，只显示一次 · make one; it is shown once")
    add.add_argument("name", metavar="NAME", help="用途 · what it is for")
    add.add_argument("--role", choices=[str(role) for role in Role], required=True)
    add.add_argument("--days", type=int, default=365, metavar="N", help="有效天数，0 为不限 · 0: until it is revoked")
    add.set_defaults(run=run_add)
    listing = inner.add_parser("list", help="列出 · list them")
    listing.set_defaults(run=run_list)
    revoke = inner.add_parser("revoke", help="吊销 · end one")
    revoke.add_argument("id", metavar="ID")
    revoke.set_defaults(run=run_revoke)
    for word in (add, listing, revoke):
        add_data(word)


def run_add(chosen: argparse.Namespace) -> int:
    """Make one; only the token itself goes to stdout, so that it can be piped into a file."""
    body = {"name": chosen.name, "role": chosen.role, "days": chosen.days or None}
    made = ask(socket_of(chosen), "POST", TOKENS, body)
    Console(stderr=True).print(f"{made['id']}: 只显示这一次 · shown this once", highlight=False)
    print(made["secret"])
    return 0


def run_list(chosen: argparse.Namespace) -> int:
    """Print all of them, never what opens anything."""
    table = Table("ID", "用途 · for", "角色 · role", "建立 · made", "到期 · ends", "上次使用 · last used", "", box=None)
    for one in ask(socket_of(chosen), "GET", TOKENS)["items"]:
        state = "已吊销 · revoked" if one["revoked"] else ""
        times = (_at(one, "created"), _at(one, "expires"), _at(one, "used"))
        table.add_row(one["id"], ascii_safe(one["name"]), one["role"], *times, state)
    Console().print(table)
    return 0


def _at(token: Json, what: str) -> str:
    return "-" if token[what] is None else local_time(token[what])


def run_revoke(chosen: argparse.Namespace) -> int:
    """End one, at once."""
    ask(socket_of(chosen), "POST", f"{TOKENS}/{chosen.id}/revoke", {})
    print(f"{chosen.id}: 已吊销 · revoked")
    return 0
