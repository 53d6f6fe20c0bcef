"""The public display in both lights: calm, taken over by a plan, and cut off from the server in both.

Axe finds nothing, and no screen cuts anything off.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.gateway import Gateway
from tests.e2e.test_quality import judged
from tests.fakes.webhook import FakeWebhook
from tests.servers.firefox import firefox
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="session")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A wall, a screen on end, a desk, a phone.
SCREENS = ((1920, 1080), (1080, 1920), (1024, 768), (390, 844))
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
SAID = "document.querySelector('[data-testid=display]').innerText.replace(/\\d+:\\d+(:\\d+)?/g, '')"


async def looked_at(page: Page) -> list[str]:
    """What is wrong with what is shown now, in both lights and on all screens."""
    found = []
    for light in ("light", "dark"):
        await page.emulate_media(color_scheme="light" if light == "light" else "dark")
        for width, height in SCREENS:
            await page.set_viewport_size({"width": width, "height": height})
            if await page.evaluate(SIDEWAYS):
                found.append(f"{width}x{height} {light}: scrolls sideways")
        found += [f"{light}: {one}" for one in await judged(page)]
    return found


async def cut_off(page: Page, said: str) -> list[str]:
    """What is wrong while the link is lost: who stands before it must still read that it is."""
    await page.context.set_offline(True)
    await expect(page.get_by_test_id(said)).to_be_visible()
    found = await looked_at(page)
    await page.context.set_offline(False)
    await expect(page.get_by_test_id(said)).to_have_count(0, timeout=60_000)
    return found


async def test_the_display_can_be_read_by_everybody_calm_and_in_an_emergency(
    browser: Browser, gateway: Gateway, tmp_path: Path
) -> None:
    context = await browser.new_context(locale="zh-CN", viewport={"width": 1920, "height": 1080})
    page = await context.new_page()
    gateway.hear("reader-1", "badge", token="AA01")
    gateway.hear("desk-1", "presence", present=True)
    gateway.hear("queue-1", "queue", length=6, wait_s=420)
    await page.goto(f"{gateway.url}/display/main")
    await expect(page.get_by_test_id("display-window-1")).to_have_attribute("data-state", "open")
    await expect(page.get_by_test_id("display-queue")).to_have_attribute("data-length", "6")
    found = [f"calm {one}" for one in await looked_at(page)]
    found += [f"calm, the link lost {one}" for one in await cut_off(page, "display-stale")]
    async with firefox(tmp_path / "firefox") as other:
        await other.resize(1920, 1080)
        await other.open(f"{gateway.url}/display/main")
        await other.until("document.querySelector('[data-testid=display-window-1]')?.dataset.state === 'open'")
        await page.set_viewport_size({"width": 1920, "height": 1080})
        assert not await other.read(SIDEWAYS)
        assert words(await other.read(SAID)) == words(await page.evaluate(SAID))
        gateway.hear("call-1", "fire", lane="safety", alarm=True, sensor="mcp")
        await expect(page.get_by_test_id("display-plan")).to_be_visible()
        await other.until("document.querySelector('[data-testid=display-plan]')")
    found += [f"taken over {one}" for one in await looked_at(page)]
    found += [f"taken over, the link lost {one}" for one in await cut_off(page, "display-plan-stale")]
    assert not found, "\n".join(found)
    await context.close()


async def test_a_closed_hall_can_be_read_too(
    browser: Browser, broker: Mosquitto, webhook: FakeWebhook, tmp_path: Path
) -> None:
    closed = Gateway(tmp_path / "gateway", broker, webhook)
    text = re.sub(r"(?m)^      (mon|tue|wed|thu|fri|sat|sun): .*\n", "", closed.site_file.read_text("utf-8"))
    # In three days: whatever day it is in the hall, it is closed.
    when = f"      {DAYS[(datetime.now(UTC).weekday() + 3) % 7]}: ['09:00-17:00']\n"
    closed.site_file.write_text(text.replace("    hours:\n", f"    hours:\n{when}"), "utf-8")
    context = await browser.new_context(locale="zh-CN", viewport={"width": 1920, "height": 1080})
    page = await context.new_page()
    with closed:
        await page.goto(f"{closed.url}/display/main")
        await expect(page.get_by_test_id("display-window-1")).to_have_attribute("data-state", "closed")
        hours = page.get_by_test_id("display-hours")
        await expect(hours).to_contain_text(re.compile(r"未开放 · .*周. 09:00 开放"))
        # Each language in its own way.
        await expect(hours.locator("[lang=en]")).to_have_text(re.compile(r"Closed · opens \w+ \d+ \w+ 09:00"))
        await expect(page.get_by_test_id("display-queue")).to_contain_text("暂无窗口办理")
        await expect(page.get_by_test_id("display-queue")).not_to_contain_text("等候时间")
        found = await looked_at(page)
    assert not found, "\n".join(found)
    await context.close()


def words(said: object) -> str:
    """What is said, but for its spaces and what a clock adds."""
    return re.sub(r"\s+|\d+\s*(秒|分钟)前?", "", str(said))
