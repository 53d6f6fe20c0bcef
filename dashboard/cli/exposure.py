"""Who can reach the page, and how: never beyond this machine without TLS, or a proxy that somebody has named."""

import argparse
import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from dashboard.settings import Exposure
from sensors.errors import HallwatchError


class ExposedError(HallwatchError):
    """The page would go over the network readable for everybody on the way, passwords and names with it."""

    code = "exposed"


class TlsError(HallwatchError):
    """One half of a certificate."""

    code = "tls"


def add_exposure(command: argparse.ArgumentParser) -> None:
    """`--tls-cert`, `--tls-key`, `--behind-proxy` and `--open-view`."""
    command.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="TLS 证书链 (PEM) · the certificate and its chain"
    )
    command.add_argument("--tls-key", type=Path, metavar="FILE", help="证书私钥 (PEM) · its key")
    command.add_argument(
        "--behind-proxy",
        action="store_true",
        help="前面有带 TLS 的反向代理 · a proxy with TLS of yours stands before it",
    )
    command.add_argument(
        "--open-view",
        action="store_true",
        help="他人不登录也可查看（不含姓名）· others may look without a login, no names",
    )


def exposure_of(chosen: argparse.Namespace) -> Exposure:
    """How the page is exposed. Raises `ExposedError` and `TlsError`, which say the mend.

    Without a login the hall is shown only to who sits at this machine, unless `--open-view` says otherwise.
    """
    tls = _tls(chosen)
    host, port = chosen.listen
    if not is_loopback(host) and tls is None and not chosen.behind_proxy:
        raise ExposedError(
            f"--listen {host}:{port}: 对外监听须用 --tls-cert 与 --tls-key，或由 TLS 反向代理转发并加 --behind-proxy · "
            "beyond this machine it needs --tls-cert and --tls-key, or a proxy with TLS before it and --behind-proxy"
        )
    near = is_loopback(host) and not chosen.behind_proxy
    named = urlsplit(chosen.base_url).hostname if chosen.base_url is not None else None
    return Exposure(
        tls=tls,
        behind_proxy=chosen.behind_proxy,
        open_view=chosen.open_view or (near and (named is None or is_loopback(named))),
    )


def _tls(chosen: argparse.Namespace) -> tuple[Path, Path] | None:
    match chosen.tls_cert, chosen.tls_key:
        case None, None:
            return None
        case Path() as cert, Path() as key:
            return cert, key
        case _:
            raise TlsError("--tls-cert 与 --tls-key 须同时给出 · --tls-cert and --tls-key go together")


def is_loopback(host: str) -> bool:
    """True for an address that nobody but this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
