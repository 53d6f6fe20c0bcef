"""The link between page and server goes and comes back: the page says so, shows nothing old as new, and catches up."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import HallPage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def greyed(page: HallPage, state: str) -> None:
    """The banner is there, across the page, and what is below it has lost its colours."""
    banner = page.see("link-banner")
    await expect(banner).to_be_visible()
    await expect(banner).to_have_attribute("data-state", state)
    await expect(banner).to_contain_text("旧数据")
    await expect(page.see("main")).to_have_css("filter", "grayscale(1)")


async def back(page: HallPage, length: int) -> None:
    """The banner is gone and the hall is as it is now."""
    await expect(page.see("link-banner")).to_have_count(0)
    await expect(page.see("length-cards")).to_have_text(str(length))
    await expect(page.see("main")).to_have_css("filter", "none")


async def ready(visit: Visit, gateway: Gateway, length: int) -> HallPage:
    page = await visit()
    gateway.hear("queue-1", "queue", length=length)
    await back(page, length)
    return page


async def test_offline_for_a_moment_and_back(visit: Visit, gateway: Gateway) -> None:
    page = await ready(visit, gateway, 3)
    await page.page.context.set_offline(True)
    await greyed(page, "lost")
    gateway.hear("queue-1", "queue", length=11)
    gateway.hear("help-1", "button", action="help")
    async with asyncio.timeout(10):
        while not (await gateway.get("/api/v1/alarms?open=1"))["items"]:
            await asyncio.sleep(0.1)
    # Offline means offline: the page cannot know yet, and does not pretend to.
    await expect(page.see("length-cards")).to_have_text("3")
    await greyed(page, "lost")
    await page.page.context.set_offline(False)
    await back(page, 11)
    await expect(page.one("alarm", "求助")).to_be_visible()


async def test_a_server_that_falls_silent_is_noticed(visit: Visit, gateway: Gateway) -> None:
    page = await ready(visit, gateway, 4)
    gateway.process.pause()
    try:
        await greyed(page, "stale")
        gateway.hear("queue-1", "queue", length=12)
    finally:
        gateway.process.resume()
    await back(page, 12)


async def test_a_killed_gateway_comes_back_to_the_open_page(visit: Visit, gateway: Gateway) -> None:
    page = await ready(visit, gateway, 5)
    known = await visit("duty")
    await page.page.evaluate("window.stayed = true")
    gateway.kill()
    await greyed(page, "lost")
    gateway.hear("queue-1", "queue", length=13)
    await asyncio.to_thread(gateway.start)
    await back(page, 13)
    # It came back by itself, without being loaded anew; and a login outlives the server.
    assert await page.page.evaluate("window.stayed") is True
    await back(known, 13)
    await expect(known.see("me")).to_contain_text("duty")
