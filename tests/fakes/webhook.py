"""An outside service that takes webhooks: a real HTTP server on loopback that answers as it is told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(slots=True)
class Received:
    """One request as it came; `at` is its arrival on the monotonic clock, its body not yet read."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = 0.0


@dataclass(slots=True)
class FakeWebhook:
    """Answers with `status`, `headers` and `body` after `delay_s`.

    `hang` never answers, `endless` answers and never ends its body.
    """

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    hang: bool = False
    endless: bool = False
    received: list[Received] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take one request."""
        at = time.monotonic()
        self.received.append(Received(request.path, dict(request.headers), await request.read(), at))
        self.arrived.set()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.hang:
            await self.closing.wait()
        response = web.StreamResponse(status=self.status, headers=self.headers)
        await response.prepare(request)
        if self.body:
            await response.write(self.body)
        if self.endless:
            await response.write(b"x" * 100_000)
            await self.closing.wait()
        return response


@asynccontextmanager
async def fake_webhook() -> AsyncIterator[FakeWebhook]:
    """Run the service on a free port."""
    service = FakeWebhook()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", service.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    service.url = f"http://{host}:{port}/hook"
    try:
        yield service
    finally:
        service.closing.set()
        await runner.cleanup()
