"""The three services of group robots on loopback: they verify what the real ones do, and refuse in the same words.

HTTP 200 whatever happens (Feishu says 400 where it says "too many request"), the truth is in the body. The signature
is made here by hand from each service's document, not by the code under test.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "SECthe-key-of-the-robot"
TOKEN = "the-token-in-the-address"
HOUR_S = 3600


@dataclass(slots=True)
class FakeRobots:
    """Keeps what each service took. `refuse` is an answer for each coming request, in order, before its own checks.

    `hang` takes a request and answers nothing. `now_s` is the services' clock. `per_minute` is their own limit.
    """

    origin: str = ""
    hang: bool = False
    per_minute: int = 20
    now_s: float = field(default_factory=time.time)
    refuse: deque[tuple[int, bytes]] = field(default_factory=deque)
    taken: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    arrivals: dict[str, list[float]] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, service: str, token: str = TOKEN) -> str:
        """A robot's address, of the form that the service gives."""
        path = {
            "wecom": f"/cgi-bin/webhook/send?key={token}",
            "dingtalk": f"/robot/send?access_token={token}",
            "feishu": f"/open-apis/bot/v2/hook/{token}",
        }[service]
        return self.origin + path

    async def _begin(self, request: web.Request) -> tuple[bytes, web.Response | None]:
        self.requests += 1
        body = await request.read()
        self.arrived.set()
        if self.hang:
            await self.closing.wait()
        if self.refuse:
            status, said = self.refuse.popleft()
            return body, web.Response(status=status, body=said, content_type="application/json")
        return body, None

    def _too_many(self, service: str) -> bool:
        now = time.monotonic()
        arrivals = [at for at in self.arrivals.get(service, []) if at > now - 60]
        self.arrivals[service] = [*arrivals, now]
        return len(arrivals) >= self.per_minute

    async def wecom(self, request: web.Request) -> web.Response:
        """企业微信."""
        body, refused = await self._begin(request)
        if refused is not None:
            return refused
        if request.query.get("key") != TOKEN:
            return _said({"errcode": 93000, "errmsg": "invalid webhook url, hint: [1], from ip: 127.0.0.1"})
        if self._too_many("wecom"):
            return _said({"errcode": 45009, "errmsg": "api freq out of limit, hint: [1]"})
        content = json.loads(body)
        kind = content["msgtype"]
        limit = {"markdown": 4096, "text": 2048}.get(kind)
        if limit is None:
            return _said({"errcode": 40008, "errmsg": "invalid message type"})
        if len(content[kind]["content"].encode()) > limit:
            return _said({"errcode": 40058, "errmsg": f"{kind}.content exceed max length {limit}."})
        self.taken.append(content)
        return _said({"errcode": 0, "errmsg": "ok"})

    async def dingtalk(self, request: web.Request) -> web.Response:
        """钉钉, with 加签."""
        body, refused = await self._begin(request)
        if refused is not None:
            return refused
        if request.query.get("access_token") != TOKEN:
            return _said({"errcode": 300005, "errmsg": "token is not exist"})
        if unproven := self._unproven(request):
            return _said({"errcode": 310000, "errmsg": unproven})
        if self._too_many("dingtalk"):
            errmsg = "send too fast, exceed 20 times per minute"
            return _said({"status": 1111, "wait": 5, "punish": "deny", "errcode": 130101, "errmsg": errmsg})
        content = json.loads(body)
        if content.get("msgtype") != "markdown" or not content["markdown"]["title"] or len(body) > 20_000:
            return _said({"errcode": 40035, "errmsg": "缺少参数 json"})
        self.taken.append(content)
        return _said({"errcode": 0, "errmsg": "ok"})

    def _unproven(self, request: web.Request) -> str:
        at = request.query.get("timestamp", "")
        if not re.fullmatch(r"\d{13}", at) or abs(int(at) / 1000 - self.now_s) > HOUR_S:
            return "invalid timestamp"
        digest = hmac.new(KEY.encode(), (at + "\n" + KEY).encode(), hashlib.sha256).digest()
        return "" if request.query.get("sign") == base64.b64encode(digest).decode() else "sign not match"

    async def feishu(self, request: web.Request) -> web.Response:
        """飞书, with 签名校验."""
        body, refused = await self._begin(request)
        if refused is not None:
            return refused
        if request.match_info["token"] != TOKEN:
            return _said({"code": 19001, "msg": "param invalid: incoming webhook access token invalid"})
        content = json.loads(body)
        at = str(content.get("timestamp", ""))
        digest = hmac.new((at + "\n" + KEY).encode(), digestmod=hashlib.sha256).digest()
        fresh = re.fullmatch(r"\d{10}", at) is not None and abs(int(at) - self.now_s) <= HOUR_S
        if not fresh or content.get("sign") != base64.b64encode(digest).decode():
            return _said(
                {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
            )
        if self._too_many("feishu"):
            return _said({"code": 9499, "msg": "too many request", "data": {}}, 400)
        if content.get("msg_type") != "interactive" or "card" not in content or len(body) > 20 * 1024:
            return _said({"code": 9499, "msg": "Bad Request", "data": {}}, 400)
        self.taken.append(content)
        return _said({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})


def _said(content: dict[str, object], status: int = 200) -> web.Response:
    return web.json_response(content, status=status)


@asynccontextmanager
async def fake_robots() -> AsyncIterator[FakeRobots]:
    """Run the three on one free port."""
    service = FakeRobots()
    app = web.Application()
    app.router.add_post("/cgi-bin/webhook/send", service.wecom)
    app.router.add_post("/robot/send", service.dingtalk)
    app.router.add_post("/open-apis/bot/v2/hook/{token}", service.feishu)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    service.origin = f"http://{host}:{port}"
    try:
        yield service
    finally:
        service.closing.set()
        await runner.cleanup()
