"""What people do at the page: tickets, devices to approve, pauses, plans by hand."""

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_fault_becomes_a_ticket_that_somebody_takes_and_finishes(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    gateway.hear("printer-1", "equipment", state="fault", code="E42")
    ticket = page.one("ticket", "printer-1")
    await expect(ticket).to_have_attribute("data-state", "open")
    await expect(ticket).to_contain_text("待接单")
    await page.press_in(ticket, "accept")
    await expect(ticket).to_have_attribute("data-state", "accepted")
    await expect(ticket).to_contain_text("接单 · 王敏")
    # The same fault again is the same ticket.
    gateway.hear("printer-1", "equipment", state="ok")
    gateway.hear("printer-1", "equipment", state="fault", code="E42")
    await expect(ticket).to_contain_text("×2")
    await page.press_in(ticket, "finish", sure=True)
    await expect(ticket).to_have_attribute("data-state", "done")
    await expect(ticket).to_contain_text("完成 · 王敏")
    await expect(page.see("sum-tickets").locator("strong")).to_have_text("0")


async def test_a_person_reports_a_fault(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await page.page.locator("#tickets").get_by_test_id("report-fault").click()
    await page.see("fault-about").select_option("window/w2")
    await page.see("fault-text").fill("玻璃裂了")
    await page.press("submit")
    ticket = page.one("ticket", "玻璃裂了")
    await expect(ticket).to_have_attribute("data-state", "open")
    await expect(ticket).to_contain_text("二号窗口")
    await expect(ticket).to_contain_text("创建 · 王敏")


async def test_a_device_counts_once_it_is_approved(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    zone = page.see("zone-counter")
    gateway.hear("count-9", "people_count", occupancy=12)
    await page.go("quarantine")
    await expect(page.see("account-awaiting")).to_have_text("1")
    await page.go("hall")
    # What it says does not count yet, and nothing else counts here.
    await expect(zone).to_have_attribute("data-level", "uncounted")
    await expect(page.see("sum-people").locator("strong")).to_have_count(0)
    await page.go("devices")
    await page.press("approve-count-9")
    await page.see("approve-zone").select_option("counter")
    await page.press("submit")
    await expect(page.see("awaiting-count-9")).to_have_count(0)
    await page.go("hall")
    gateway.hear("count-9", "people_count", occupancy=13)
    await expect(zone).to_have_attribute("data-level", "normal")
    await expect(zone).to_have_attribute("aria-label", "窗口区: 13 / 20, 正常")
    # Whole by what is counted in one zone, and no more than that in the hall.
    await expect(page.see("sum-people").locator("strong")).to_have_text("13")
    await expect(page.see("sum-people")).to_contain_text("部分区域未知")


async def test_a_window_is_paused_with_a_reason_and_resumed(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    window = page.see("window-w1")
    await page.press("pause-w1")
    await page.see("pause-reason").fill("设备维护")
    await page.press("submit")
    await expect(window).to_have_attribute("data-staffing", "paused")
    for words in ("暂停", "设备维护", "王敏", "至"):
        await expect(window).to_contain_text(words)
    await page.press("resume-w1")
    await expect(window).to_have_attribute("data-staffing", "unknown")
    await expect(page.see("pause-w1")).to_be_visible()


async def test_a_drill_is_started_by_hand_marked_and_stood_down(visit: Visit, gateway: Gateway) -> None:
    page, other = await visit("duty"), await visit()
    await page.press("start-plan-button")
    await page.see("start-drill").check()
    submit = page.see("submit")
    await expect(submit).to_be_disabled()
    await page.see("start-confirm").fill("fir")
    await expect(submit).to_be_disabled()
    await page.see("start-confirm").fill("fire")
    await expect(submit).to_have_text("开始演练")
    await submit.click()
    run = page.one("run", "火灾应急预案")
    for seen in (run, other.one("run", "火灾应急预案")):
        await expect(seen).to_have_attribute("data-stage", "active")
        await expect(seen.get_by_test_id("drill-mark")).to_contain_text("演练")
        await expect(seen.get_by_role("heading", level=2)).to_have_text("演练 · 火灾应急预案")
    await page.fits(390)
    await page.press("done-call119")
    await expect(page.see("step-call119")).to_contain_text("王敏")
    # No alarm stands behind it: who takes the role ends its asking, on every page.
    for open_page in (page, other):
        await expect(open_page.see("role-commander")).to_contain_text("后通知下一位")
    await page.press("take-commander")
    await expect(page.see("role-commander")).to_contain_text("已应答 · 王敏")
    for open_page in (page, other):
        await expect(open_page.see("role-commander")).to_contain_text("已应答")
        await expect(open_page.see("role-commander")).not_to_contain_text("后通知下一位")
    await expect(page.see("take-commander")).to_have_count(0)
    await page.press_in(run, "stand-down")
    await expect(page.see("reason-false_alarm")).to_have_count(0)
    await page.press("reason-drill_over")
    await page.press("submit")
    await expect(run).to_have_attribute("data-stage", "ended")
    await expect(page.page.locator("#past")).to_contain_text("已结束的预案 1")
    await expect(page.see("start-plan-button")).to_be_visible()
