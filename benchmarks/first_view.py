"""Case `first_view`: from the address to the hall as it stands now, drawn, in a Chromium that has never been there.

On this machine, and as a phone has it: a processor four times slower, 9 Mbit/s, 60 ms there and back (what browsers'
own tools call fast 4G). Beside it the page of five hundred devices, which nobody opens first.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, Page

from benchmarks.figures import Table
from benchmarks.hall import Servers, site_text
from benchmarks.plan import NotMeasuredError, Plan, Say
from benchmarks.servers import Gateway, broker
from benchmarks.stores import grounds, turns
from tests.servers.browser import chromium

VIEWS: Final = 5
MANY: Final = 500
PATIENCE_MS: Final = 30_000
# Looks at each frame; the frame after the one that has it is on the screen.
DRAWN: Final = """
(selector) => new Promise((done) => {
  const look = () => document.querySelector(selector) ? requestAnimationFrame(() => done(performance.now()))
                                                      : requestAnimationFrame(look)
  look()
})
"""
HALL: Final = "[data-testid=floor-plan]"
ROWS: Final = "#devices tbody tr"
PHONE: Final = {"offline": False, "latency": 60, "downloadThroughput": 9e6 / 8, "uploadThroughput": 9e6 / 8}


async def run(plan: Plan, say: Say) -> Table:
    """Each view anew in every round; the cache is empty each time."""
    table = Table("first_view", f"From the address to the hall drawn, {VIEWS} visits a round, cache empty", "drawn")
    async with contextlib.AsyncExitStack() as stack:
        try:
            browser = await stack.enter_async_context(chromium())
        except pytest.skip.Exception as missing:
            raise NotMeasuredError(str(missing)) from missing
        stores = stack.enter_context(grounds(plan, table))
        ground = next(iter(turns(stores, 0)))
        for number in range(plan.rounds):
            folder = plan.folder / f"view-{number}"
            with broker(folder) as mosquitto:
                site = site_text(Servers(mosquitto.port), MANY)
                async with Gateway(folder, site, store=ground.fresh(folder / "data")).running() as gateway:
                    for label, phone, path, what in (
                        ("the hall, this machine", False, "/", HALL),
                        ("the hall, as a phone has it", True, "/", HALL),
                        (f"{MANY} devices, this machine", False, "/#/devices", ROWS),
                        (f"{MANY} devices, as a phone has it", True, "/#/devices", ROWS),
                    ):
                        say(f"round {number + 1}: {label}")
                        for _ in range(VIEWS):
                            table.add(
                                label, "drawn", "ms", await _visit(browser, gateway.url + path, what, phone=phone)
                            )
    table.notes.append(f"A site of {MANY} devices, so the hall's snapshot is larger than an ordinary hall's.")
    return table


async def _visit(browser: Browser, address: str, what: str, *, phone: bool) -> float:
    async with _page(browser, phone=phone) as page:
        # From here on the page's own clock counts: its zero is the navigation's begin.
        await page.goto(address, wait_until="commit")
        try:
            async with asyncio.timeout(PATIENCE_MS / 1000):
                return float(await page.evaluate(DRAWN, what))
        except TimeoutError:
            shown = (await page.inner_text("body"))[:200]
            raise NotMeasuredError(
                f"{what} was not drawn within {PATIENCE_MS // 1000} s; there stood: {shown}"
            ) from None


@asynccontextmanager
async def _page(browser: Browser, *, phone: bool) -> AsyncIterator[Page]:
    size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 1000}
    context = await browser.new_context(viewport={"width": size["width"], "height": size["height"]})
    page = await context.new_page()
    if phone:
        session = await context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", PHONE)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    try:
        yield page
    finally:
        await context.close()
