"""Serves the application: on TCP for browsers, and on a Unix socket for the command on the same machine."""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from dashboard.server.desk import HOUSE
from dashboard.server.doorstep import HEAD_S, IDLE_S, WAITING, Doorstep
from dashboard.server.page_socket import HUBS
from sensors.errors import HallwatchError

LOG = logging.getLogger(__name__)

PATH_LONGEST: Final = 100
SHUTDOWN_S: Final = 2.0


class ListenError(HallwatchError):
    """The server cannot listen where it should; the sentence says why."""

    code = "cannot_listen"


@dataclass(frozen=True, slots=True)
class Served:
    """Where the server listens. `port` is the real one where 0 was asked for."""

    host: str
    port: int
    socket: Path | None


@asynccontextmanager
async def serving(
    app: web.Application, host: str, port: int, socket_path: Path | None, tls: tuple[Path, Path] | None = None
) -> AsyncIterator[Served]:
    """Serve until the block ends, and keep the live pages up to date; `tls` is certificate and key.

    Raises `ListenError`.
    """
    secured = None if tls is None else _secured(*tls)
    # Its socket closes after the server that listens on it.
    with _unix(socket_path) if socket_path is not None else contextlib.nullcontext() as local:
        # No program of ours packs what it sends, and a small packed body may unpack to gigabytes.
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=SHUTDOWN_S, keepalive_timeout=IDLE_S, auto_decompress=False
        )
        await runner.setup()
        listener: asyncio.Server | None = None
        try:
            doorstep = _doorstep(runner, app)
            listener = await _listen_tcp(doorstep, host, port, secured)
            port = listener.sockets[0].getsockname()[1]
            if local is not None:
                await web.SockSite(runner, local).start()
            scheme = "http" if secured is None else "https"
            LOG.info("page: %s://%s:%d", scheme, f"[{host}]" if ":" in host else host, port)
            async with asyncio.TaskGroup() as group:
                hubs = [group.create_task(hub.run()) for hub in app[HUBS].values()]
                try:
                    yield Served(host, port, socket_path)
                finally:
                    for hub in hubs:
                        hub.cancel()
        finally:
            if listener is not None:
                listener.close()
            await runner.cleanup()


def _secured(cert: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ValueError) as error:
        raise ListenError(f"--tls-cert {cert}, --tls-key {key}: {error}") from error
    return context


def _doorstep(runner: web.AppRunner, app: web.Application) -> Doorstep:
    server, house = runner.server, app[HOUSE]
    assert server is not None  # noqa: S101 - set up before
    return Doorstep(server, app[WAITING], house.limits.connections, house.turned_away)


async def _listen_tcp(doorstep: Doorstep, host: str, port: int, secured: ssl.SSLContext | None) -> asyncio.Server:
    """Listen for browsers, for so many connections at once."""
    patience = None if secured is None else HEAD_S
    try:
        return await asyncio.get_running_loop().create_server(
            doorstep, host, port, ssl=secured, ssl_handshake_timeout=patience
        )
    except OSError as error:
        raise ListenError(f"{host}:{port}: {error.strerror or error}") from error


@contextmanager
def _unix(path: Path) -> Iterator[socket.socket]:
    """The socket file, for us alone (0600); a file that a dead process left is removed."""
    if len(os.fsencode(path)) > PATH_LONGEST:
        raise ListenError(f"{path} is too long for a Unix socket ({PATH_LONGEST} bytes); name another with --socket")
    _remove_stale(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)
        try:
            listener.bind(os.fspath(path))
        except OSError as error:
            raise ListenError(f"{path}: {error.strerror or error}") from error
        finally:
            os.umask(before)
        listener.setblocking(False)  # noqa: FBT003 (its only form)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise ListenError(f"{path} is a file, not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionError:
            path.unlink(missing_ok=True)
            return
    raise ListenError(f"another hallwatch listens on {path}")
