"""`GET /metrics`: the figures in Prometheus' text format, for who may read them.

The Unix socket always may; over TCP whoever knows the site's `watch.metrics_token`, and without one nobody: behind
a proxy on the same machine every stranger would seem to come from it.
"""

import hmac
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import CollectorRegistry
from pydantic import SecretStr

from dashboard.server.guard import visitor
from dashboard.server.problem import ProblemError


@dataclass(frozen=True, slots=True)
class Figures:
    """What is read, and the token that opens it over TCP."""

    registry: CollectorRegistry
    token: SecretStr | None


FIGURES = web.AppKey("figures", Figures)


async def metrics(request: web.Request) -> web.Response:
    """All figures."""
    figures = request.app[FIGURES]
    if not visitor(request).local:
        _check(request.headers.get("Authorization", ""), figures.token)
    return web.Response(body=generate_latest(figures.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


def _check(given: str, token: SecretStr | None) -> None:
    if token is None:
        raise ProblemError(403, "metrics_closed", "the site file gives no watch.metrics_token")
    wanted = f"Bearer {token.get_secret_value()}"
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode()):
        refused = ProblemError(401, "bad_token", "Authorization: Bearer TOKEN is needed")
        refused.headers["WWW-Authenticate"] = "Bearer"
        raise refused
