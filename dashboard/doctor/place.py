"""This machine: who can read the secrets and the data, how much room is left, and how people reach the page."""

import os
import shutil
import ssl
import stat
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from pydantic import BaseModel

from dashboard.cli.exposure import is_loopback
from dashboard.doctor.broker import certificate
from dashboard.doctor.clock import Heard, hear
from gateway.store.check import FREE_BYTES, Finding, State
from sensors.site.load import Loaded
from sensors.site.model import Site, Tls
from sensors.site.problem import Severity
from sensors.site.secret import Secret

REACH: Final = aiohttp.ClientTimeout(total=10)
PROBLEMS_SHOWN: Final = 10
_MIB: Final = 2**20


def site_findings(loaded: Loaded) -> Iterator[Finding]:
    """What `hallwatch check` says of the file."""
    for problem in loaded.problems[:PROBLEMS_SHOWN]:
        state = State.WRONG if problem.severity is Severity.ERROR else State.WARN
        yield Finding(
            "site", state, f"{problem.line}: {problem.key} {problem.value} — {problem.what.zh} · {problem.what.en}"
        )
    if not loaded.problems:
        yield Finding("site", State.OK, f"{loaded.name}, {loaded.digest[:12]}")


def secret_findings(site: Site) -> Iterator[Finding]:
    """Each secret is there, and its file is its owner's alone."""
    for secret in dict.fromkeys(_secrets(site)):
        if secret.env is not None:
            # The service has an environment of its own, which this shell does not see.
            state = State.OK if os.environ.get(secret.env) else State.NOTE
            yield Finding("secret", state, f"${secret.env}{'' if state is State.OK else ' is not set here'}")
        elif secret.file is not None:
            yield _file(Path(secret.file))
    tls = site.mqtt.tls
    if isinstance(tls, Tls) and tls.key is not None:
        yield _file(Path(tls.key))


def _file(file: Path) -> Finding:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        with file.open("rb"):
            pass
    except OSError as error:
        return Finding("secret", State.WRONG, f"{file}: {error.strerror}")
    # A group is how a service's user is let in; the world is nobody's.
    state = State.WRONG if mode & 0o007 else State.WARN if mode & 0o070 else State.OK
    return Finding("secret", state, f"{file} {mode:04o}")


def _secrets(part: object) -> Iterator[Secret]:
    """Every secret that a part of the site file names."""
    match part:
        case Secret():
            yield part
        case BaseModel():
            for name in type(part).model_fields:
                yield from _secrets(getattr(part, name))
        case tuple():
            for one in part:
                yield from _secrets(one)


def room_findings(data: Path, site: Site) -> Iterator[Finding]:
    """The data folder is ours alone, and its disk holds what the journal may grow to."""
    if not data.is_dir():
        return
    mode = stat.S_IMODE(data.stat().st_mode)
    yield Finding("data", State.WARN if mode & 0o077 else State.OK, f"{data} {mode:04o}")
    free = shutil.disk_usage(data).free
    held = sum(file.stat().st_size for file in data.glob("hallwatch.db*"))
    budget = max(site.limits.journal_mib * _MIB - held, 0)
    state = State.WRONG if free < FREE_BYTES else State.WARN if free < budget + FREE_BYTES else State.OK
    yield Finding("disk", state, f"{free // _MIB} MiB free, the journal may take {budget // _MIB} MiB more")


async def page_findings(base_url: str, clocks: list[Heard]) -> list[Finding]:
    """The address in people's links opens the page, with a certificate that holds."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        return [Finding("page", State.WRONG, base_url)]
    found = []
    try:
        async with (
            aiohttp.ClientSession(timeout=REACH) as session,
            session.get(f"{base_url.rstrip('/')}/healthz", allow_redirects=False) as answer,
        ):
            clocks += hear("page", answer)
            well = answer.status == HTTPStatus.OK
            found.append(Finding("page", State.OK if well else State.WRONG, f"{base_url}: HTTP {answer.status}"))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        found.append(Finding("page", State.WRONG, f"{base_url}: {type(error).__name__}"))
    if parts.scheme == "http":
        found.append(Finding("page_tls", State.OK if is_loopback(host) else State.WRONG, "no TLS"))
    else:
        with suppress(OSError):
            found.append(await certificate("page_tls", host, parts.port or 443, ssl.create_default_context()))
    return found
