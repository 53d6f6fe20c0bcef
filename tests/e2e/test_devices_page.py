"""The devices' pages as a maintainer uses them: find one, look at it, approve it with what it suggests, retire it."""

import json

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import HallPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
DEVICE = "#/device/air-1"
NEW = "      - {id: lamp-7, kinds: [contact], zone: waiting}\n"
AT = "      - {id: help-1,"


async def at(page: HallPage, place: str) -> HallPage:
    """The page as an address that somebody was sent opens it."""
    await page.page.goto(f"{page.url}/{place}")
    await page.page.reload()
    await expect(page.see("main")).to_have_attribute("data-link", "live")
    return page


async def test_a_new_device_is_approved_as_its_name_suggests_and_retired(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    gateway.hear("w2-badge", "badge", token="AA02", result="granted")
    gateway.hear("w2-badge", "battery", pct=80)
    await page.go("devices")
    await page.see("awaiting-w2-badge").get_by_role("link").click()
    device = page.see("device-page")
    await expect(device).to_have_attribute("data-origin", "discovered")
    # What it said is there, though nothing of it counts yet.
    raw = page.see("raw")
    await expect(raw.filter(has_text="AA02")).to_have_attribute("data-verdict", "awaiting")
    await expect(raw).to_have_count(2)
    await page.press("device-approve")
    await expect(page.see("approve-why")).to_contain_text("名称含窗口号")
    await expect(page.see("approve-window")).to_have_value("w2")
    await expect(page.see("approve-zone")).to_have_value("counter")
    await expect(page.see("approve-power")).to_have_value("battery")
    for kind in ("badge", "battery"):
        await expect(page.see(f"approve-kind-{kind}")).to_be_checked()
    await expect(page.see("approve-kind-fire")).not_to_be_checked()
    await page.press("submit")
    await expect(device).to_have_attribute("data-origin", "approved")
    await expect(device).to_contain_text("二号窗口")
    gateway.hear("w2-badge", "battery", pct=79)
    await expect(raw.first).to_have_attribute("data-verdict", "stored")
    await expect(raw.first).to_contain_text("电量 79 %")
    await expect(raw.first.locator("pre")).to_contain_text('"pct": 79')
    await expect(device).to_contain_text("79%")
    # Retired by two taps: it stands among the retired, and what it says is refused and counted with its reason.
    await page.press("device-retire")
    await expect(device).to_have_attribute("data-origin", "approved")
    await page.press("device-retire")
    await expect(device).to_have_attribute("data-origin", "retired")
    gateway.hear("w2-badge", "battery", pct=78)
    await expect(page.see("device-reasons")).to_contain_text("设备已停用")
    await expect(raw).to_have_count(3)


async def test_raw_messages_are_for_maintainers_and_the_address_can_be_sent_on(visit: Visit, gateway: Gateway) -> None:
    gateway.broker.publish("hallwatch/v1/main/telemetry/air-1/environment", '{"value": {"temperature_c": "warm"}}')
    gateway.hear("air-1", "environment", temperature_c=21.5)
    stranger = await at(await visit(), DEVICE)
    await expect(stranger.see("device-page")).to_have_attribute("data-liveness", "online")
    await expect(stranger.see("device-raw")).to_contain_text("登录后可以查看")
    await expect(stranger.see("raw")).to_have_count(0)
    gateway.add_user("staff", "li", role="staff")
    await stranger.log_in("staff")
    await expect(stranger.see("device-raw")).to_contain_text("您的角色看不到")
    gateway.add_user("mend", role="maintainer")
    page = await at(await visit("mend"), DEVICE)
    wrong = page.see("raw").and_(page.page.locator("[data-verdict=quarantined]"))
    await expect(wrong).to_contain_text("某个字段缺失")
    await expect(page.see("device-reasons")).to_contain_text("某个字段缺失")
    # From there to the quarantine: mended and replayed, it is a message of the device like any other.
    await wrong.locator("summary").click()
    await wrong.get_by_test_id("raw-mend").click()
    held = page.page.locator("[data-testid^='held-']").filter(has_text="warm")
    await held.get_by_role("button", name="修改", exact=True).click()
    await held.locator("[data-testid^='mend-text-']").fill(json.dumps({"value": {"temperature_c": 20}}))
    await page.press_in(held, "mend-send")
    await expect(held).to_have_count(0)
    await page.page.go_back()
    await expect(page.see("raw").filter(has_text="温度 20 °C")).to_have_attribute("data-verdict", "replayed")
    await page.fits(390)
    for locale, width in (("zh-CN", 1600), ("en-GB", 390)):
        other = await at(await visit("mend", locale=locale), DEVICE)
        await other.fits(width)
        await expect(other.see("raw").first).to_be_visible()


async def test_the_list_is_searched_narrowed_and_put_in_order(visit: Visit, gateway: Gateway) -> None:
    gateway.hear("printer-1", "equipment", state="fault", code="paper_jam")
    gateway.hear("queue-1", "queue", length=1)
    page = await visit()
    await page.go("devices")
    rows = page.page.locator("#devices tr[data-liveness]")
    # Problems first: what is faulty stands before what is only not heard.
    await expect(rows.first).to_have_attribute("data-testid", "device-printer-1")
    await page.press("devices-all")
    await expect(rows).to_have_count(11)
    await page.see("devices-kind").select_option("fire")
    await expect(rows).to_have_count(4)
    await page.see("devices-zone").select_option("counter")
    await expect(page.see("devices-count")).to_have_text("0 台")
    await page.see("devices-kind").select_option("")
    await page.see("devices-state").select_option("online")
    await expect(rows).to_have_count(1)
    await page.see("devices-zone").select_option("")
    await page.see("devices-state").select_option("")
    await page.see("devices-search").fill("一号窗口")
    await expect(rows).to_have_count(4)
    await page.see("devices-search").fill("")
    await page.see("devices-sort").select_option("name")
    await expect(rows.first).to_have_attribute("data-testid", "device-air-1")
    await rows.first.get_by_role("link").click()
    await expect(page.see("device-page")).to_have_attribute("data-id", "air-1")
    await page.page.go_back()
    await expect(rows.first).to_be_visible()
    await page.fits(390)


async def test_the_site_file_is_loaded_anew_from_the_page(visit: Visit, gateway: Gateway) -> None:
    page, other = await visit("duty"), await at(await visit(), "#/devices")
    good = gateway.site_file.read_text("utf-8")
    await page.go("devices")
    gateway.site_file.write_text(good.replace(AT, NEW.replace("contact", "contactt") + AT), "utf-8")
    await page.press("site-reload")
    await expect(page.see("site-told")).to_have_attribute("data-good", "false")
    await expect(page.see("site-told")).to_contain_text("contactt")
    gateway.site_file.write_text(good.replace(AT, NEW + AT), "utf-8")
    await page.press("site-reload")
    await expect(page.see("site-told")).to_have_attribute("data-good", "true")
    await expect(page.see("site-told")).to_contain_text("+ halls.main.devices.lamp-7")
    # Every open page has it at once, without being loaded anew.
    for open_page in (page, other):
        await open_page.press("devices-all")
        await expect(open_page.see("device-lamp-7")).to_be_visible()
    await expect(other.see("site-reload")).to_have_count(0)
    gateway.site_file.write_text(good, "utf-8")
    await page.press("site-reload")
    await expect(page.see("site-told")).to_contain_text("− halls.main.devices.lamp-7")
    await expect(other.see("device-lamp-7")).to_have_count(0)
