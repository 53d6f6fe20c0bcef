"""The alarm's and the run's page on a coordinator's phone: every action, every message's state, the sound's."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import HallPage
from tests.fakes.webhook import FakeWebhook
from tests.servers.firefox import firefox

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"width": 390, "height": 844}
THUMB = 44


async def open_alarm(page: HallPage, text: str) -> str:
    """Open the page of the alarm that says so; its id."""
    card = page.one("alarm", text)
    await card.locator("a[data-testid^='open-']").click()
    await expect(page.see("alarm-page")).to_be_visible()
    return await page.see("alarm-page").get_attribute("data-id") or ""


async def test_a_fire_is_answered_confirmed_noted_and_closed_on_a_phone(  # noqa: PLR0915 - one story, one page
    visit: Visit, gateway: Gateway, webhook: FakeWebhook
) -> None:
    page = await visit("duty")
    await page.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    gateway.hear("smoke-1", "fire", lane="safety", alarm=True, sensor="smoke")
    fire = page.see("alarm-page")
    id_ = await open_alarm(page, "火警")
    await expect(fire).to_have_attribute("data-active", "true")
    await expect(fire).to_contain_text("smoke-1")
    await expect(fire).to_contain_text("等候区")
    # It stands here, and so not above as well.
    await expect(page.see("life-safety")).to_have_count(0)
    # The first three actions: in sight without scrolling, and large enough for a thumb.
    for name in ("page-ack", "page-confirm", "page-stand-down"):
        box = await page.see(name).bounding_box()
        assert box is not None, name
        assert box["y"] + box["height"] <= PHONE["height"], name
        assert min(box["height"], box["width"]) >= THUMB, name
    await page.fits(PHONE["width"], PHONE["height"])
    # Where on the plan: the place is ringed.
    await expect(page.see("floor-plan")).to_be_visible()
    await expect(page.see("evidence-device")).to_have_text("smoke-1")
    # Who was told, and how far each message came.
    told = page.see("told")
    await expect(told.locator("[data-testid^='message-']").first).to_be_visible()
    await expect(told.locator("[data-state=sent]").first).to_contain_text("已发出")
    await page.press("page-ack")
    await expect(page.see("page-ack")).to_have_count(0)
    await expect(fire).to_contain_text("已确认 · 王敏")
    await page.see("note-text").fill("厨房的汤")
    await page.press("note-submit")
    await expect(page.see("story")).to_contain_text("厨房的汤")
    await page.press("page-confirm")
    await page.press("page-confirm")
    await expect(page.see("to-run")).to_contain_text("已启动")
    await page.press("to-run")
    run = page.page.locator("section[data-testid^='run-R']")
    await expect(run).to_have_attribute("data-stage", "active")
    await expect(run).to_contain_text("拨打119")
    await page.see("done-call119").click()
    await expect(page.see("step-call119")).to_contain_text("王敏")
    await expect(page.see("story")).to_contain_text("步骤完成")
    await page.see("run-alarms").get_by_role("link").click()
    # What still holds is not closed by a word.
    await expect(page.see("page-close")).to_have_count(0)
    gateway.hear("smoke-1", "fire", lane="safety", alarm=False, sensor="smoke")
    await page.press("page-close")
    await page.press("disposition-false")
    await page.see("close-note").fill("汤煮糊了")
    await page.press("submit")
    await expect(page.see("disposition")).to_contain_text("误报")
    await expect(fire).to_have_attribute("data-closed", "true")
    await expect(page.see("story")).to_contain_text("汤煮糊了")
    await page.press("page-stand-down")
    await page.press("reason-all_clear")
    await page.press("submit")
    await expect(page.see("page-stand-down")).to_have_count(0)
    # It can be sent on, and a stranger sees the alarm without who did what.
    stranger = await visit()
    await stranger.page.evaluate(f"location.hash = '#/alarm/{id_}'")
    await expect(stranger.see("alarm-page")).to_have_attribute("data-closed", "true")
    await expect(stranger.see("disposition")).to_contain_text("误报")
    for word in ("王敏", "汤"):
        await expect(stranger.page.get_by_text(re.compile(word))).to_have_count(0)
    assert page.seen.complaints == []


async def test_a_message_that_failed_says_why(visit: Visit, gateway: Gateway, webhook: FakeWebhook) -> None:
    webhook.status = 404
    page = await visit("duty")
    gateway.hear("help-1", "button", lane="safety", action="help")
    await open_alarm(page, "求助")
    failed = page.see("told").locator("[data-testid^='message-'][data-state=dead]").first
    await expect(failed).to_be_visible()
    await expect(failed).to_contain_text("404")
    webhook.status = 200


async def test_a_sound_that_is_blocked_says_so(gateway: Gateway, tmp_path: Path) -> None:
    """In Firefox, which forbids a sound before the first touch without a screen too; a headless Chromium never does."""
    sound = "document.querySelector('[data-testid=sound]')"
    async with firefox(tmp_path / "firefox") as page:
        await page.open(f"{gateway.url}/")
        await page.until(f"{sound}?.dataset.state === 'blocked'")
        assert "浏览器禁止了声音" in await page.read(f"{sound}.textContent")


async def test_a_sound_is_switched_off_and_stays_so(visit: Visit) -> None:
    page = await visit()
    sound = page.see("sound")
    await expect(sound).to_be_visible()
    await page.page.get_by_role("heading", level=1).click()  # the first touch
    await expect(sound).to_have_attribute("data-state", "on")
    await sound.click()
    await expect(sound).to_have_attribute("data-state", "off")
    await expect(sound).to_contain_text("声音已关")
    await page.page.reload()
    await expect(sound).to_have_attribute("data-state", "off")
    await sound.click()
    await expect(sound).to_have_attribute("data-state", "on")


async def test_what_never_was_is_said(visit: Visit) -> None:
    page = await visit("duty")
    await page.page.evaluate("location.hash = '#/alarm/A999999'")
    await expect(page.see("alarm-gone")).to_contain_text("A999999")
    await page.page.evaluate("location.hash = '#/run/R999999'")
    await expect(page.see("run-gone")).to_contain_text("R999999")
