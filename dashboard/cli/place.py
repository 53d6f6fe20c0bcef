"""Where things are on this machine: the data folder, the socket in it, and addresses as people write them."""

import argparse
import ipaddress
import os
import socket
from pathlib import Path
from typing import Final, TypeAlias

from sensors.errors import HallwatchError

SOCKET_NAME: Final = "hallwatch.sock"
# argparse gives its type no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


class BaseUrlNeededError(HallwatchError):
    """The server would listen everywhere, and nobody could open the links that it sends."""

    code = "base_url_needed"


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


def listening(chosen: argparse.Namespace) -> tuple[str, int]:
    """Host and port of `--listen`, port 0 as the free port that it will be: links that people get name it.

    Raises `BaseUrlNeededError` for a host that is every address and so is none to open a link by.
    """
    host, port = chosen.listen
    if _is_everywhere(host) and chosen.base_url is None:
        raise BaseUrlNeededError(
            f"--listen {host}:{port}: 监听所有地址时请用 --base-url 写明他人访问本页的地址 · "
            f"say by --base-url how people reach this page (such as https://hall.example.org:{port or 8443}); "
            "the links in messages are made of it"
        )
    return host, port or free_port(host, 0)


def free_port(host: str, port: int) -> int:
    """This port, or a free one where another program has it or 0 is asked for."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (port, 0):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, wanted))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    return port


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        # The short form of 0.0.0.0, which a socket takes as well.
        return host == "0"
