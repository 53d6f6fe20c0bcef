"""The guard at the door: hosts, origins, CSRF, headers of every answer, and who is behind the Unix socket.

A page of a stranger may send requests to us from our own people's browsers. So a request must name us by an
address that a stranger cannot own (DNS rebinding), a write must come from our own page (Origin) and carry the
session's token.
"""

import ipaddress
import os
import pwd
import socket
import struct
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from dashboard.server.accounts import Doors, Visitor
from dashboard.server.bearers import Bearers
from dashboard.server.problem import Handler, ProblemError
from dashboard.server.rights import RIGHTS, Right, Role

COOKIE: Final = "hallwatch"
CSRF_HEADER: Final = "X-CSRF-Token"

DOORS = web.AppKey("doors", Doors)
BEARERS = web.AppKey("bearers", Bearers)
# Names by which this server may be called, besides addresses and localhost.
HOSTS = web.AppKey("hosts", frozenset[str])
VISITOR = web.RequestKey("visitor", Visitor)
# Whether a proxy of ours stands before us, whose word for an address counts.
PROXIED = web.AppKey("proxied", bool)
# People reach us by https and by nothing else.
SECURE = web.AppKey("secure", bool)
# How people reach us, for links that they are given.
BASE = web.AppKey("base", str)
# What whoever asks may do, with a login or without.
OPEN = web.AppKey("open", frozenset[Right])

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # And not which release of which library answers.
    "Server": "hallwatch",
}


def visitor(request: web.Request) -> Visitor:
    """Who asks."""
    return request[VISITOR]


def known(request: web.Request) -> Visitor:
    """Who asks, who must be logged in; raises `ProblemError` 401."""
    asking = visitor(request)
    if not asking.known:
        raise ProblemError(401, "login_needed")
    return asking


def rights_of(request: web.Request) -> frozenset[Right]:
    """All that whoever asks may do."""
    role = visitor(request).role
    return request.app[OPEN] if role is None else request.app[OPEN] | RIGHTS[role]


def allowed(request: web.Request, right: Right) -> Visitor:
    """Who asks, who must have this right; raises `ProblemError` 401 without a login, 403 with too small a role."""
    if right not in rights_of(request):
        known(request)
        raise ProblemError(403, "not_allowed", right=right)
    return visitor(request)


def secured(request: web.Request) -> bool:
    """Whether who asks came by https: to us, or to a proxy of ours, which says so."""
    if request.app[SECURE] or request.secure:
        return True
    told = request.headers.getall("X-Forwarded-Proto", [])
    return request.app[PROXIED] and bool(told) and told[-1].rpartition(",")[2].strip().lower() == "https"


def same_origin(request: web.Request) -> None:
    """Refuse what another site's page sent; raises `ProblemError` 403. Programs have no pages."""
    if visitor(request).local or visitor(request).bearer:
        return
    origin = urlsplit(request.headers.get("Origin", ""))
    schemes = {"https"} if secured(request) else {"http", "https"}
    if origin.scheme not in schemes or origin.netloc != request.host:
        raise ProblemError(403, "bad_origin")


async def still(request: web.Request) -> Visitor:
    """Who asked when a page was opened, NOBODY once that login or token has ended."""
    asking = visitor(request)
    if asking.token is None:
        return asking
    return await (request.app[BEARERS] if asking.bearer else request.app[DOORS]).still(asking.token)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks, and refuse what did not come from our own page."""
    local = _local_user(request)
    if local is not None:
        request[VISITOR] = Visitor(local, f"local:{local}", Role.ADMIN, local=True)
        return await handler(request)
    if not _may_be_called(request.host, request.app[HOSTS]):
        raise ProblemError(403, "bad_host", "this server is not known by that name; see --base-url")
    header = request.headers.get("Authorization")
    if header is not None and request.path.startswith("/api/"):
        request[VISITOR] = await request.app[BEARERS].who(header)
        return await handler(request)
    request[VISITOR] = await request.app[DOORS].who(request.cookies.get(COOKIE))
    # A signed link is its own proof: no stranger's page knows it, and a mail program may send no Origin.
    if request.method not in {"GET", "HEAD"} and not request.path.startswith("/a/"):
        same_origin(request)
        asking = visitor(request)
        if asking.csrf is not None and request.headers.get(CSRF_HEADER) != asking.csrf:
            raise ProblemError(403, "bad_csrf")
    return await handler(request)


def address_of(request: web.Request) -> str:
    """Where a request comes from, "" by the Unix socket; behind a proxy of ours what the proxy has seen."""
    told = request.headers.getall("X-Forwarded-For", [])
    if request.app[PROXIED] and told:
        # The last word is our proxy's own; all before it is what anybody may have written.
        last = told[-1].rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(last))
        except ValueError:
            pass
    return request.remote or ""


async def secure_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on every answer."""
    response.headers.update(HEADERS)
    if request.path.startswith(("/api/", "/a/", "/enter/")):
        response.headers.setdefault("Cache-Control", "no-store")


def _may_be_called(host: str, names: frozenset[str]) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _local_user(request: web.Request) -> str | None:
    """The user behind the Unix socket: the one we run as, or root. None for TCP; raises for anyone else."""
    transport = request.transport
    connection = None if transport is None else transport.get_extra_info("socket")
    if connection is None or connection.family != socket.AF_UNIX:
        return None
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", raw)
    if uid not in {os.getuid(), 0}:
        raise ProblemError(403, "other_user")
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
