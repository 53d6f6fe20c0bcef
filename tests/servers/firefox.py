"""The system's Firefox, driven by WebDriver BiDi, which it speaks itself: Playwright has a Firefox of its own only.

Source: W3C, WebDriver BiDi (browsingContext, script, input).
"""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.servers.find import program
from tests.servers.process import Process

PATIENCE_S = 60.0
_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://127\.0\.0\.1:\d+)")
# It asks its maker's hosts at every start: nobody's affair, and slow where the network is closed.
_QUIET = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:1",
    "toolkit.telemetry.enabled": False,
}


class FirefoxError(Exception):
    """The browser refused, or the page's script raised."""


class FirefoxPage:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0
        self.tab = ""

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """One command of the protocol and its result; events are passed over."""
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE_S):
            while True:
                said = await self._socket.receive_json()
                if said.get("id") == self._sent:
                    break
        if said["type"] == "error":
            raise FirefoxError(f"{method}: {said['error']} {said['message']}")
        result: dict[str, Any] = said["result"]
        return result

    async def open(self, url: str) -> None:
        """Go there and wait until it is loaded."""
        await self.call("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    async def resize(self, width: int, height: int) -> None:
        """Set the size of what is seen (CSS px)."""
        await self.call("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})

    async def read(self, expression: str) -> Any:  # noqa: ANN401 - whatever JSON the page's script gives
        """The value of a JavaScript expression that JSON can carry; `undefined` is `None`."""
        wrapped = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        return json.loads((await self._evaluate(wrapped))["value"])

    async def until(self, expression: str) -> None:
        """Wait until an expression is true; raises `TimeoutError` after `PATIENCE_S`."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.read(f"Boolean({expression})"):
                await asyncio.sleep(0.1)

    async def press(self, selector: str) -> None:
        """Press what the selector finds first, by the mouse, as soon as it is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"{found} && !{found}.disabled")
        await self._evaluate(f"{found}.scrollIntoView({{block: 'center'}})")
        element = await self._evaluate(found)
        origin = {"type": "element", "element": {"sharedId": element["sharedId"]}}
        mouse = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self.call("input.performActions", context=self.tab, actions=[_source("pointer", mouse)])

    async def type(self, selector: str, text: str) -> None:
        """Press a field and type into it by the keyboard."""
        await self.press(selector)
        keys = [{"type": way, "value": key} for key in text for way in ("keyDown", "keyUp")]
        await self.call("input.performActions", context=self.tab, actions=[_source("key", keys)])

    async def picture(self, file: Path) -> None:
        """What is seen, as a PNG."""
        taken = await self.call("browsingContext.captureScreenshot", context=self.tab)
        await asyncio.to_thread(file.write_bytes, base64.b64decode(taken["data"]))

    async def _evaluate(self, expression: str) -> dict[str, Any]:
        target = {"context": self.tab}
        answer = await self.call("script.evaluate", expression=expression, target=target, awaitPromise=True)
        if answer["type"] != "success":
            raise FirefoxError(f"{expression}: {answer['exceptionDetails']['text']}")
        value: dict[str, Any] = answer["result"]
        return value


def _source(kind: str, actions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": kind, "id": kind, "actions": actions}


@asynccontextmanager
async def firefox(folder: Path) -> AsyncIterator[FirefoxPage]:
    """A headless Firefox with a profile of its own in `folder`, and one tab, in Chinese."""
    log = folder / "log"
    process = await asyncio.to_thread(_started, folder, log)
    try:
        address = _listening(log)
        # What a page's whole state takes is more than aiohttp lets through by default.
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{address}/session", max_msg_size=0) as wire:
            page = FirefoxPage(wire)
            await page.call("session.new", capabilities={})
            page.tab = (await page.call("browsingContext.create", type="tab"))["context"]
            yield page
    finally:
        process.kill()


def _started(folder: Path, log: Path) -> Process:
    profile = folder / "profile"
    profile.mkdir(parents=True)
    wishes = {**_QUIET, "intl.accept_languages": "zh-CN"}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wishes.items()]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    browser = program("firefox-esr", "firefox-esr")
    wanted = ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(profile)]
    process = Process([browser, *wanted], log, lambda: bool(_listening(log)))
    process.start()
    return process


def _listening(log: Path) -> str:
    found = _LISTENS.search(log.read_text("utf-8", errors="replace"))
    return "" if found is None else found[1]
