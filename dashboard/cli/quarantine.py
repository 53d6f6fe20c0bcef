"""`hallwatch quarantine list|replay|discard`: what could not be read, and what a person decides about it."""

import argparse

from rich.console import Console
from rich.table import Table

from dashboard.cli.ack import in_hall
from dashboard.cli.client import Json, ask
from dashboard.cli.moment import local_time
from dashboard.cli.place import Commands, add_data, socket_of
from dashboard.cli.terminal import plain


def add_to(commands: Commands) -> None:
    """Add the command."""
    whole = commands.add_parser("quarantine", help="隔离区 · messages that could not be read")
    words = whole.add_subparsers(metavar="WORD", required=True)
    listing = words.add_parser("list", help="列出 · list them, newest first")
    listing.add_argument("--limit", type=int, default=50, metavar="N")
    listing.add_argument("--full", action="store_true", help="内容全文 · the whole content")
    replay = words.add_parser("replay", help="重新解码 · give them to the decoders again")
    discard = words.add_parser("discard", help="丢弃 · say that they are rubbish")
    for word in (replay, discard):
        word.add_argument("id", type=int, nargs="+", metavar="ID")
    for word, name in ((listing, "list"), (replay, "replay"), (discard, "discard")):
        word.add_argument("--hall", metavar="ID", help="大厅 · the hall")
        add_data(word)
        word.set_defaults(run=run_list if name == "list" else run_each, word=name)


def run_list(chosen: argparse.Namespace) -> int:
    """Print the newest rows."""
    answer = ask(socket_of(chosen), "GET", "/api/v1/quarantine" + in_hall(chosen, f"limit={chosen.limit}"))
    if chosen.full:
        for row in answer["items"]:
            print(f"#{row['id']} {local_time(row['at'])} {row['topic']!r}")
            print(f"{row['reason']}: {row['detail']!r}\n{row['text']!r}\n")
        return 0
    Console().print(_table(answer["items"]))
    return 0


def run_each(chosen: argparse.Namespace) -> int:
    """Replay or discard one after the other; the first that is refused ends it."""
    for row in chosen.id:
        ask(socket_of(chosen), "POST", f"/api/v1/quarantine/{row}/{chosen.word}" + in_hall(chosen))
        print(f"#{row}: {'已重放 · replayed' if chosen.word == 'replay' else '已丢弃 · discarded'}")
    return 0


def _table(rows: list[Json]) -> Table:
    table = Table("#", "时间 · time", "设备 · device", "主题 · topic", "原因 · reason", "内容 · content", box=None)
    for row in rows:
        # repr: what a device sent must not steer the terminal.
        cells = (row["device"], row["topic"], f"{row['reason']}: {row['detail']}", row["text"][:60])
        table.add_row(str(row["id"]), local_time(row["at"]), *(ascii_safe(cell) for cell in cells))
    return table


def ascii_safe(text: str) -> str:
    """A device's text for a terminal: no control characters, no markup."""
    return plain(text).replace("[", r"\[")
