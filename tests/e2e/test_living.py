"""The page shows what devices say, says when it does not know, and asks nobody but its own server."""

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import HallPage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def looks_unknown(part: Locator) -> None:
    """A word for it, and a look of its own: hatched, in no tone that stands for a state."""
    await expect(part).to_contain_text("未知")
    await expect(part.locator(".tone-unknown")).not_to_have_count(0)
    await expect(part.locator(".tone-good")).to_have_count(0)


async def test_what_is_not_known_never_looks_normal(visit: Visit, gateway: Gateway) -> None:
    page = await visit()
    window, on_plan = page.see("window-w1"), page.see("plan-window-w1")

    async def unknown() -> None:
        await expect(window).to_have_attribute("data-staffing", "unknown")
        await looks_unknown(window)
        await expect(on_plan).to_contain_class("tone-unknown")
        await expect(on_plan.locator(".desk")).to_have_attribute("fill", "url(#hatch)")

    await unknown()
    await expect(page.see("sum-people")).to_contain_text("未知")
    await expect(page.see("zone-waiting")).to_have_attribute("data-level", "unknown")
    gateway.hear("reader-1", "badge", token="AA01")
    gateway.hear("desk-1", "presence", present=True)
    await expect(window).to_have_attribute("data-staffing", "staffed")
    await expect(window.locator(".tone-good")).to_have_count(1)
    await expect(on_plan).to_contain_class("tone-good")
    for device in ("reader-1", "desk-1"):
        gateway.hear(device, "availability", online=False)
    await unknown()


async def test_a_published_reading_appears(visit: Visit, gateway: Gateway) -> None:
    page, other = await visit(), await visit()
    await other.go("devices")
    await other.press("devices-all")
    queue, device = page.see("queue-cards"), other.see("device-queue-1")
    await expect(device).to_have_attribute("data-liveness", "unknown")
    await expect(queue).to_contain_text("未知")
    await expect(page.see("length-cards")).to_have_count(0)
    gateway.hear("queue-1", "queue", length=7)
    await expect(page.see("length-cards")).to_have_text("7")
    await expect(page.see("sum-waiting").locator("strong")).to_have_text("7")
    await expect(device).to_have_attribute("data-liveness", "online")
    await expect(device).to_contain_text("在线")
    await expect(device).to_contain_text("1 / 1")
    gateway.hear("queue-1", "availability", online=False)
    await expect(page.see("length-cards")).to_have_count(0)
    await expect(queue).to_contain_text("未知")


async def test_a_visitor_gets_no_names_and_cannot_act(visit: Visit, gateway: Gateway) -> None:
    for device in ("reader-1", "desk-1"):
        gateway.hear(device, "availability", online=True)
    gateway.hear("reader-1", "badge", token="AA01")
    gateway.hear("desk-1", "presence", present=True)
    visitor = await visit()
    window = visitor.see("window-w1")
    await expect(window).to_have_attribute("data-staffing", "staffed")
    await visitor.press("pause-w1")
    await visitor.see("pause-reason").fill("试试")
    await visitor.press("submit")
    await expect(visitor.see("dialog-login")).to_be_visible()
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.see("dialog-login")).to_have_count(0)
    refused = await visitor.page.evaluate(
        """async () => {
          const body = JSON.stringify({ do: 'pause_window', window: 'w1', reason: '' })
          const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }
          const answer = await fetch('api/v1/actions', init)
          return [answer.status, (await answer.json()).code]
        }"""
    )
    assert refused == [401, "login_needed"]
    known = await visit("duty")
    await expect(known.see("people-w1")).to_have_text("王敏")
    await expect(known.see("window-w1")).to_have_attribute("data-staffing", "staffed")
    # The visitor's page has heard the same hall for as long, and more.
    assert any("王敏" in frame for frame in known.seen.frames)
    assert visitor.seen.frames
    for word in ("王敏", "Wang Min", '"wang"', "AA01", 'csrf":"'):
        assert not any(word in frame for frame in visitor.seen.frames), word


async def test_two_languages(visit: Visit, gateway: Gateway) -> None:
    page = await visit()
    root, heading = page.page.locator("html"), page.page.get_by_role("heading", level=1)
    await expect(root).to_have_attribute("lang", "zh-CN")
    await expect(heading).to_have_text("测试大厅")
    await expect(page.see("window-w2")).to_contain_text("未知")
    await page.press("lang")
    await expect(root).to_have_attribute("lang", "en")
    await expect(heading).to_have_text("Test hall")
    await expect(page.see("window-w2")).to_contain_text("Unknown")
    await page.page.reload()
    await expect(heading).to_have_text("Test hall")
    await page.press("lang")
    await expect(heading).to_have_text("测试大厅")
    english = await visit(locale="en-GB")
    await expect(english.page.get_by_role("heading", level=1)).to_have_text("Test hall")


async def tour(page: HallPage) -> None:
    """Open all that the page can open."""
    for language in ("中文", "English"):
        await page.press("plan-table-button")
        await expect(page.see("plan-table")).to_be_visible()
        await page.page.locator("#plan header button").first.click()
        for part in ("plan-window-w1", "plan-device-smoke-1", "zone-waiting"):
            await page.see(part).press("Enter")
        await page.go("devices")
        await page.press("devices-all")
        await page.see("devices-search").fill("smoke")
        await expect(page.see("device-smoke-1")).to_be_visible()
        await page.go("history")
        await expect(page.see("history-chart").locator("canvas")).to_be_visible()
        await page.go("quarantine")
        await expect(page.see("account-received")).to_be_visible()
        await page.go("hall")
        for button in ("start-plan-button", "report-fault", "pause-w1"):
            await page.press(button)
            await expect(page.page.get_by_role("dialog")).to_be_visible()
            await page.page.keyboard.press("Escape")
            await expect(page.page.get_by_role("dialog")).to_have_count(0)
        await page.page.get_by_role("button", name="切换深色 / 浅色" if language == "中文" else "Switch dark").click()
        await page.press("lang")


async def test_no_request_leaves_the_server(visit: Visit, gateway: Gateway) -> None:
    gateway.hear("queue-1", "queue", length=3)
    page = await visit("duty")
    await tour(page)
    await page.press("logout")
    await expect(page.see("login")).to_be_visible()
    answer = await page.page.reload()
    assert answer is not None
    policy = (await answer.all_headers())["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    asked = page.seen.requests
    for part in ("/api/v1/live", "/api/v1/history", "/assets/", "/api/v1/login"):
        assert any(part in address for address in asked), part
    assert page.seen.origins == {gateway.url.removeprefix("http://")}
    assert page.seen.complaints == []
    # And the browser itself holds a script to it, whatever the script wants.
    away = "fetch('http://localhost:9/').then(() => 'went', (error) => String(error))"
    assert "TypeError" in await page.page.evaluate(away)
    assert any("Content Security Policy" in complaint for complaint in page.seen.complaints)


@pytest.mark.parametrize("width", [390, 1920])
async def test_it_fits_a_phone_and_a_wall(visit: Visit, gateway: Gateway, width: int) -> None:
    gateway.hear("queue-1", "queue", length=3)
    page = await visit("duty")
    for query in ("?lang=zh", "?lang=en"):
        await page.page.goto(f"{gateway.url}/{query}")
        await expect(page.see("window-w1")).to_be_visible()
        await page.fits(width)
        await page.go("devices")
        await page.press("devices-all")
        await expect(page.see("device-queue-1")).to_be_visible()
        await page.fits(width)
