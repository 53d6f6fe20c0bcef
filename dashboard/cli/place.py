"""Where things are on this machine: the data folder, the socket in it, and addresses as people write them."""

import argparse
import os
from pathlib import Path
from typing import Final, TypeAlias

SOCKET_NAME: Final = "hallwatch.sock"
# argparse gives its type no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def data_folder(name: str = "hallwatch") -> Path:
    """Where a person's own Hallwatch keeps its data (XDG Base Directory: state)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / name


def add_data(command: argparse.ArgumentParser) -> None:
    """`--data` and `--socket`, by which a command finds the running system."""
    command.add_argument("--data", type=Path, metavar="DIR", default=data_folder(), help="数据目录 · data folder")
    command.add_argument(
        "--socket", type=Path, metavar="PATH", help="套接字，默认在数据目录中 · default: in the data folder"
    )


def socket_of(chosen: argparse.Namespace) -> Path:
    """The socket that is meant."""
    named: Path | None = chosen.socket
    if named is not None:
        return named
    data: Path = chosen.data
    return data / SOCKET_NAME


def make_data_folder(folder: Path) -> Path:
    """Make the folder for us alone: alarms and logins are nobody else's business."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def address(text: str) -> tuple[str, int]:
    """HOST:PORT, [::1]:PORT or :PORT, as argparse wants it."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r}: HOST:PORT")
    return host or "127.0.0.1", int(port)
