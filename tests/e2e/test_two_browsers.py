"""Firefox and Chromium show the same hall, and what is done in one is seen in the other."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import PASSWORD, Gateway
from tests.servers.firefox import FirefoxPage, firefox

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Every part with a name that can be seen: its words but for ages, which go on while we look, and its state.
SHOWN = """
Object.fromEntries([...document.querySelectorAll('main [data-testid]')]
  .filter((one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
  .map((one) => [one.dataset.testid, [
    one.textContent.replace(/\\d+\\s*(秒|分钟|小时|天)前?|\\d+:\\d\\d(:\\d\\d)?/g, '…').replace(/\\s+/g, ' ').trim(),
    one.dataset.staffing ?? one.dataset.liveness ?? one.dataset.level ?? one.dataset.state ?? '',
  ]]))
"""
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
WIDTHS = (390, 768, 1024, 1440, 1920)


@pytest_asyncio.fixture(loop_scope="session")
async def other(gateway: Gateway, tmp_path: Path) -> AsyncIterator[FirefoxPage]:
    """Firefox at the hall's page, logged in as Wang."""
    async with firefox(tmp_path / "firefox") as page:
        await page.resize(1440, 1000)
        await page.open(f"{gateway.url}/")
        await page.press("[data-testid=login]")
        await page.type("[data-testid=login-user]", "duty")
        await page.type("[data-testid=login-password]", PASSWORD)
        await page.press("[data-testid=login-submit]")
        await page.until("document.querySelector('[data-testid=logout]')")
        yield page


async def test_two_browsers_show_the_same_hall_and_hear_of_each_other(
    visit: Visit, gateway: Gateway, other: FirefoxPage
) -> None:
    gateway.hear("reader-1", "badge", token="AA01")
    gateway.hear("desk-1", "presence", present=True)
    gateway.hear("queue-1", "queue", length=7)
    gateway.hear("printer-1", "equipment", state="fault", code="paper_jam")
    page = await visit("duty")
    alarm = page.one("alarm", "printer-1")
    await expect(alarm).to_be_visible()
    await expect(page.see("window-w1")).to_have_attribute("data-staffing", "staffed")
    await expect(page.see("length-cards")).to_have_text("7")
    seen, too = await page.page.evaluate(SHOWN), await other.read(SHOWN)
    for _ in range(3):  # a figure may change between one look and the other
        if seen == too:
            break
        await page.page.wait_for_timeout(2000)
        seen, too = await page.page.evaluate(SHOWN), await other.read(SHOWN)
    assert seen == too
    assert len(seen) > 30, "it was a hall that was compared"
    name = await alarm.get_attribute("data-testid")
    acknowledge = f"[data-testid={json.dumps(name)}] button[data-testid^='ack-']"
    await other.press(acknowledge)
    await expect(alarm.locator("button[data-testid^='ack-']")).to_have_count(0)
    await expect(alarm).to_contain_text("王敏")
    for width in WIDTHS:
        await other.resize(width, 900)
        await other.read("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
        assert not await other.read(SIDEWAYS), width
