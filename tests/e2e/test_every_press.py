"""What no other file of these presses; and that no button, field or link with a name is left that none of them uses."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import PASSWORD, Gateway
from tests.e2e.hall_page import HallPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "dashboard/web/src"
ELEMENT = re.compile(r"<(?:button|a|input|select|textarea|Do)\b((?:=>|[^>])*)>")
NAMED = re.compile(r'testid=(?:"([^"{]+)|\{`([^`$]+))')
AT = "      - {id: help-1,"
DEVICES = ("reader-1", "desk-1", "queue-1", "count-1", "air-1", "printer-1", "smoke-1", "smoke-2", "call-1")


def presses() -> Iterator[str]:
    """The names of all that can be pressed or filled in, up to where an id begins."""
    for file in sorted(SOURCES.rglob("*.svelte")):
        for element in ELEMENT.finditer(file.read_text("utf-8")):
            if found := NAMED.search(element[1]):
                yield (found[1] or found[2]).rstrip("-")


async def test_every_press_has_a_browser_that_presses_it() -> None:
    names = set(presses())
    assert len(names) > 80
    tests = "\n".join(file.read_text("utf-8") for file in HERE.glob("test_*.py"))
    assert sorted(name for name in names if not re.search(rf"\b{re.escape(name)}\b", tests)) == []


async def reload_site(page: HallPage, gateway: Gateway, text: str) -> None:
    gateway.site_file.write_text(text, "utf-8")
    await page.go("devices")
    await page.press("site-reload")
    await expect(page.see("site-told")).to_have_attribute("data-good", "true")


async def test_a_login_with_a_password_at_once_is_ended_by_its_owner_and_by_the_admin(visit: Visit) -> None:
    admin = await visit("duty")
    await admin.go("users")
    await admin.press("user-new")
    await admin.see("user-name").fill("sun")
    await admin.see("user-role").select_option("coordinator")
    await admin.see("user-person").fill("nobody")
    await admin.see("user-how").select_option("now")
    await admin.see("user-password").fill(PASSWORD)
    await admin.press("user-add")
    await expect(admin.see("users").get_by_role("alert")).to_be_visible()
    await admin.see("user-person").fill("li")
    await admin.see("user-password").fill(PASSWORD)
    await admin.press("user-add")
    await expect(admin.see("user-sun")).to_contain_text("li")
    page = await visit("sun")
    await page.press("me")
    await page.press("me-logout")
    await expect(page.see("login")).to_be_visible()
    await page.log_in("sun")
    await admin.press("user-out-sun")
    await admin.press("user-out-sun")
    await expect(page.see("login")).to_be_visible()


async def test_raw_messages_stand_still_while_somebody_reads(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    gateway.hear("air-1", "environment", temperature_c=21)
    await page.page.evaluate("location.hash = '#/device/air-1'")
    raw = page.see("raw")
    await expect(raw.filter(has_text='"temperature_c": 21')).to_have_count(1)
    await page.press("raw-hold")
    gateway.hear("air-1", "environment", temperature_c=22)
    # The page has it, and the list under the reader's eye has not moved.
    await expect(page.see("device-account")).to_contain_text("2")
    await expect(raw).to_have_count(1)
    await page.press("raw-hold")
    await expect(raw.filter(has_text='"temperature_c": 22')).to_have_count(1)


async def test_the_audit_is_asked_page_by_page(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    # More lines than a page of the audit holds.
    for _ in range(26):
        await gateway.act(do="pause_window", window="w1", reason="")
        await gateway.act(do="resume_window", window="w1")
    await page.go("audit")
    lines = page.see("audit-line")
    await expect(lines).to_have_count(50)
    await page.press("audit-more")
    await expect(lines.nth(51)).to_be_visible()
    await page.see("audit-who").fill("who is not there")
    await page.press("audit-find")
    await expect(page.see("audit-none")).to_be_visible()
    await expect(page.see("audit-more")).to_have_count(0)


async def test_a_range_ends_when_it_is_said(visit: Visit) -> None:
    page = await visit("duty")
    await page.go("history")
    await page.see("history-from").fill("2026-01-05T08:00")
    await page.see("history-from").press("Enter")
    await page.see("history-to").fill("2026-01-05T12:30")
    await page.see("history-to").press("Enter")
    await expect(page.see("history-empty")).to_be_visible()
    await page.page.reload()
    await expect(page.see("history-from")).to_have_value("2026-01-05T08:00")
    await expect(page.see("history-to")).to_have_value("2026-01-05T12:30")


async def test_a_mouse_at_the_top_of_a_wall_finds_the_way_back_and_the_display(visit: Visit) -> None:
    page = await visit()
    await page.press("nav-wall")
    await expect(page.see("wall-leave")).not_to_be_visible()
    await page.page.mouse.move(700, 20)
    await page.press("wall-leave")
    await page.press("nav-display")
    await expect(page.see("display")).to_have_attribute("data-link", "live")
    assert page.page.url == f"{page.url}/display/main"


async def test_a_device_without_a_place_is_beside_the_plan_and_acknowledged_from_there(
    visit: Visit, gateway: Gateway
) -> None:
    page, good = await visit("duty"), gateway.site_file.read_text("utf-8")
    lost = "      - {id: printer-9, kinds: [equipment], zone: counter, asset: printer}\n"
    await reload_site(page, gateway, good.replace(AT, lost + AT))
    gateway.hear("printer-9", "equipment", state="fault", code="paper_jam")
    await page.go("hall")
    await page.press("unplaced-printer-9")
    detail = page.see("plan-detail")
    await expect(detail).to_have_attribute("data-about", "printer-9")
    await page.press_in(detail, "plan-ack")
    await expect(page.one("alarm", "printer-9")).to_contain_text("已确认")
    # From the alarm's own page a plan is started by hand, where none runs for it.
    await page.one("alarm", "printer-9").get_by_role("link").first.click()
    await page.press("page-start")
    await expect(page.see("dialog-start")).to_be_visible()
    await page.page.keyboard.press("Escape")
    await expect(page.see("dialog-start")).to_have_count(0)
    await reload_site(page, gateway, good)


async def test_a_hall_of_more_devices_than_a_list_shows_at_once(visit: Visit, gateway: Gateway) -> None:
    page, good = await visit("duty"), gateway.site_file.read_text("utf-8")
    many = "".join(f"      - {{id: lamp-{n}, kinds: [contact], zone: waiting}}\n" for n in range(100))
    await reload_site(page, gateway, good.replace(AT, many + AT))
    await page.press("devices-all")
    rows = page.page.locator("#devices tr[data-liveness]")
    await expect(rows).to_have_count(100)
    await page.press("devices-more")
    await expect(rows).to_have_count(111)
    await expect(page.see("devices-more")).to_have_count(0)
    await reload_site(page, gateway, good)


async def test_a_topic_is_mended_and_a_counter_belongs_to_a_service(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    gateway.broker.publish("hallwatch/v1/main/telemetry/queue-1/queu", '{"value": {"length": 4}}')
    await page.go("quarantine")
    held = page.page.locator("[data-testid^='held-']").filter(has_text="queue-1/queu")
    await held.get_by_role("button", name="修改", exact=True).click()
    await held.locator("[data-testid^='mend-topic-']").fill("hallwatch/v1/main/telemetry/queue-1/queue")
    await page.press_in(held, "mend-send")
    await expect(held).to_have_count(0)
    gateway.hear("counter-7", "queue", length=3)
    await page.go("devices")
    await page.press("approve-counter-7")
    await page.see("approve-zone").select_option("waiting")
    await page.see("approve-service").select_option("cards")
    await page.press("submit")
    await expect(page.see("awaiting-counter-7")).to_have_count(0)
    gateway.hear("counter-7", "queue", length=12)
    await page.go("hall")
    await expect(page.page.locator("#queues")).to_contain_text("12")


async def test_a_list_that_is_cut_shows_all_and_folds_again(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    # More of the open ones than a list shows at once.
    for device in DEVICES:
        await gateway.act(do="report_fault", text="外壳破损", device=device)
    tickets = page.page.locator("#tickets")
    shown = tickets.locator("[data-testid^='ticket-']")
    await expect(shown).to_have_count(8)
    await tickets.get_by_role("button", name="显示全部").click()
    # A device that falls silent meanwhile has a ticket of its own beside them.
    await expect(shown.filter(has_text="外壳破损")).to_have_count(len(DEVICES))
    await tickets.get_by_role("button", name="收起").click()
    await expect(shown).to_have_count(8)


async def test_a_dialog_is_closed_by_its_cross_and_left_by_its_word(visit: Visit) -> None:
    page = await visit("duty")
    dialog = page.see("dialog-fault")
    for way in ("关闭", "取消"):
        await page.page.locator("#windows").get_by_role("button", name="报修").click()
        await expect(dialog).to_be_visible()
        await dialog.get_by_role("button", name=way, exact=True).click()
        await expect(dialog).to_have_count(0)
    await page.see("plan-device-air-1").click()
    detail = page.see("plan-detail")
    await expect(detail).to_be_visible()
    await detail.get_by_role("button", name="关闭", exact=True).click()
    await expect(detail).to_have_count(0)


async def test_links_lead_back_to_where_one_came_from(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await page.page.evaluate("location.hash = '#/device/air-1'")
    await page.page.get_by_role("link", name="全部设备").click()
    await expect(page.see("nav-devices")).to_have_attribute("aria-current", "page")
    gateway.hear("help-1", "button", lane="safety", action="help")
    await page.go("hall")
    await page.one("alarm", "求助").get_by_role("link").first.click()
    await page.page.get_by_role("link", name="返回大厅").click()
    await expect(page.see("nav-hall")).to_have_attribute("aria-current", "page")


async def test_the_plan_is_a_drawing_or_a_table_and_the_page_light_or_dark(visit: Visit) -> None:
    page = await visit()
    plan = page.page.locator("#plan")
    await plan.get_by_role("button", name="表", exact=True).click()
    await expect(page.see("floor-plan")).to_have_count(0)
    await expect(plan.get_by_role("table").first).to_be_visible()
    await plan.get_by_role("button", name="图", exact=True).click()
    await expect(page.see("floor-plan")).to_be_visible()
    other = page.page.get_by_role("button", name="切换深色 / 浅色")
    before = await page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    await other.click()
    await expect(page.page.locator("body")).not_to_have_css("background-color", before)
    await other.click()
    await expect(page.page.locator("body")).to_have_css("background-color", before)
