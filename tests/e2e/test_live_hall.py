"""The live hall: a plan that one can act on from where one stands, that says what is old, and that fits each screen."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import HallPage
from tests.fakes.webhook import FakeWebhook
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Whatever must not cover another thing of the plan: counters, devices (but those that stand in a counter), labels.
CLASHES = """() => {
  const svg = document.querySelector('[data-testid=floor-plan]')
  const cards = [...svg.querySelectorAll('.window')].map((one) => [one.dataset.spot, one.querySelector('.card')])
  const inside = (box, card) => box.x >= card.x - 1 && box.right <= card.right + 1 && box.y >= card.y - 1
  const bodies = [...svg.querySelectorAll('.device')].map((one) => [one.dataset.spot, one.querySelector('.body')])
    .filter(([, one]) => !cards.some(([, card]) => inside(one.getBoundingClientRect(), card.getBoundingClientRect())))
  const words = [...svg.querySelectorAll('.zone')].flatMap((zone) =>
    [...zone.querySelectorAll('.name, .count')].map((one) => [`${zone.dataset.spot}.${one.textContent}`, one]))
  const all = [...cards, ...bodies, ...words].map(([name, one]) => [name, one.getBoundingClientRect()])
  const shared = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low])
  const over = (a, b) => shared(a, b, 'left', 'right') > 2 && shared(a, b, 'top', 'bottom') > 2
  return all.flatMap(([a, one], index) => all.slice(index + 1)
    .filter(([b, other]) => a.split('.')[0] !== b.split('.')[0] && over(one, other)).map(([b]) => [a, b]))
}"""

# The drawing has taken its frame's width.
DRAWN = """() => {
  const svg = document.querySelector('[data-testid=floor-plan]')
  return Math.abs(svg.getBoundingClientRect().width - svg.parentElement.clientWidth) < 2
}"""

# Li has a shift, so Li can be asked to cover.
SHIFTS = """\
    shifts:
      - {person: li, window: w2, days: [mon, tue, wed, thu, fri, sat, sun]}
"""


@pytest.fixture(scope="module")
def gateway(broker: Mosquitto, webhook: FakeWebhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The file's gateway, with a shift."""
    with Gateway(tmp_path_factory.mktemp("gateway"), broker, webhook, SHIFTS) as running:
        running.add_user("duty", "wang")
        yield running


async def staffed(gateway: Gateway) -> None:
    for device in ("reader-1", "desk-1"):
        gateway.hear(device, "availability", online=True)
    gateway.hear("reader-1", "badge", token="AA01")
    gateway.hear("desk-1", "presence", present=True)


async def test_what_falls_silent_turns_grey_and_keeps_its_age(visit: Visit, gateway: Gateway) -> None:
    page = await visit()
    zone, queue, chip = page.see("zone-waiting"), page.see("queue-cards"), page.see("plan-device-queue-1")
    for device in ("count-1", "queue-1"):
        gateway.hear(device, "availability", online=True)
    gateway.hear("count-1", "people_count", occupancy=12)
    gateway.hear("queue-1", "queue", length=6)
    await expect(zone).to_have_attribute("data-level", "normal")
    await expect(zone.locator(".count")).to_have_text("12")
    await expect(zone).to_contain_class("tone-good")
    await expect(chip.locator(".count")).to_have_text("6")
    # Nobody has counted for long enough to say where it goes.
    await expect(page.see("trend-cards")).to_have_attribute("data-trend", "none")
    await expect(page.see("trend-cards")).to_contain_text("趋势未知")
    for device in ("count-1", "queue-1"):
        gateway.hear(device, "availability", online=False)
    await expect(zone).to_have_attribute("data-level", "unknown")
    await expect(zone).to_contain_class("tone-unknown")
    await expect(zone.locator(".count")).to_have_text("?")
    await expect(zone.locator(".late")).to_have_text("2 秒")
    await expect(zone.locator(".hatch")).to_have_count(1)
    await expect(chip.locator(".count")).to_have_text("?")
    await expect(chip).to_contain_class("tone-unknown")
    await expect(queue).to_contain_text("未知")
    await expect(queue.locator(".age")).to_contain_text("前")
    await expect(page.see("sum-waiting").locator(".age")).to_contain_text("前")
    # And each figure of the first row says how old it is.
    await page.page.reload()
    for figure in ("people", "windows", "waiting", "devices"):
        await expect(page.see(f"sum-{figure}").locator(".age")).to_have_count(1)


async def test_a_window_is_covered_and_resumed_from_the_plan(visit: Visit, gateway: Gateway) -> None:
    await staffed(gateway)
    page = await visit("duty")
    counter, detail = page.see("plan-window-w1"), page.see("plan-detail")
    await expect(counter).to_have_attribute("data-staffing", "staffed")
    await expect(counter).to_contain_text("王敏")
    await counter.click()
    await expect(detail).to_contain_text("1 号窗口 一号窗口")
    for words in ("在岗", "王敏", "卡务"):
        await expect(detail).to_contain_text(words)
    await page.press("plan-cover")
    await expect(page.see("pause-cover")).to_be_focused()
    await page.see("pause-cover").select_option(label="李强")
    await page.see("pause-reason").fill("开会")
    await page.press("submit")
    await expect(counter).to_have_attribute("data-staffing", "paused")
    await expect(counter).to_contain_class("tone-info")
    for words in ("由 李强 代班", "开会", "王敏"):
        await expect(detail).to_contain_text(words)
    await page.page.mouse.move(2, 2)
    await page.press("plan-resume")
    await expect(counter).to_have_attribute("data-staffing", "staffed")
    await page.press("plan-pause")
    await page.press("submit")
    await expect(counter).to_have_attribute("data-staffing", "paused")
    # Where the form's button was the pointer may now lie on a neighbour, which is then told of instead.
    await page.page.mouse.move(2, 2)
    await page.press("plan-resume")
    await expect(counter).to_have_attribute("data-staffing", "staffed")


async def test_a_fault_is_reported_from_where_one_stands(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await page.see("plan-device-air-1").click()
    await page.press("plan-fault")
    await expect(page.see("fault-about")).to_have_value("device/air-1")
    await page.see("fault-text").fill("外壳松了")
    await page.press("submit")
    await expect(page.one("ticket", "外壳松了")).to_contain_text("air-1")
    # With a phone: by the button under the thumb, or by the sign at the counter.
    await page.page.set_viewport_size({"width": 390, "height": 844})
    await page.press("jump-fault")
    await page.see("fault-about").select_option("zone/waiting")
    await page.see("fault-text").fill("地面湿滑")
    await page.press("submit")
    await expect(page.one("ticket", "地面湿滑")).to_contain_text("等候区")
    await page.page.goto(f"{gateway.url}/#/hall?at=window/w2")
    detail = page.see("plan-detail")
    await expect(detail).to_contain_text("二号窗口")
    box = await detail.bounding_box()
    assert box is not None
    # A sheet at the lower edge, above the bar of jumps.
    assert box["width"] == 390
    assert box["y"] + box["height"] <= 844
    await page.press("plan-fault")
    await expect(page.see("fault-about")).to_have_value("window/w2")


async def test_pointer_and_keyboard_open_what_stands_there(visit: Visit, gateway: Gateway) -> None:
    page = await visit()
    detail, keys = page.see("plan-detail"), page.page.keyboard
    await page.see("plan-device-smoke-2").hover()
    await expect(detail).to_have_attribute("data-about", "smoke-2")
    await page.page.mouse.move(5, 5)
    await expect(detail).to_have_count(0)
    # One stop for the Tab key, arrows from thing to thing.
    assert await page.page.locator("[data-spot][tabindex='0']").count() == 1
    await page.see("plan-table-button").focus()
    await keys.press("Tab")
    await expect(page.see("plan-window-w1")).to_be_focused()
    await expect(detail).to_have_attribute("data-about", "w1")
    await keys.press("ArrowRight")
    await expect(page.see("plan-window-w1")).not_to_be_focused()
    await page.see("plan-window-w2").focus()
    await keys.press("Enter")
    await expect(detail).to_be_focused()
    await expect(detail).to_have_attribute("data-about", "w2")
    await keys.press("Escape")
    await expect(page.see("plan-window-w2")).to_be_focused()


async def test_names_are_on_the_plan_of_who_may_see_them(visit: Visit, gateway: Gateway) -> None:
    await staffed(gateway)
    known, visitor = await visit("duty"), await visit()
    for page in (known, visitor):
        await expect(page.see("plan-window-w1")).to_have_attribute("data-staffing", "staffed")
        await page.see("plan-window-w1").click()
        await expect(page.see("plan-detail")).to_contain_text("在岗")
    await expect(known.see("plan-window-w1").locator(".who")).to_have_text("王敏")
    await expect(known.see("plan-detail")).to_contain_text("王敏")
    await expect(visitor.see("plan-window-w1").locator(".who")).to_have_count(0)
    for name in ("王敏", "Wang Min"):
        assert name not in await visitor.page.content()
    # Who is not known may still look, and is asked to log in where names would stand.
    await visitor.press("plan-cover")
    await expect(visitor.page.get_by_role("dialog")).to_contain_text("登录后可选择代班人员")


async def on_one_screen(page: HallPage, width: int, height: int) -> None:
    """All stands on the screen: nothing is scrolled, neither the page nor a part of the wall beside its lists."""
    size = await page.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] <= width
    assert size[1] <= height
    for part in ("summary", "floor-plan", "wall", "queue-cards"):
        box = await page.see(part).bounding_box()
        assert box is not None, part
        assert box["y"] + box["height"] <= height, part
        assert box["x"] + box["width"] <= width, part


async def test_a_wall_fits_one_screen_with_everything_that_counts(visit: Visit, gateway: Gateway) -> None:
    page = await visit()
    await page.press("nav-wall")
    await expect(page.see("wall")).to_be_visible()
    assert page.page.url.endswith("?wall")
    for number in range(12):
        gateway.hear("printer-1", "equipment", state="fault", code=f"E{number}")
    gateway.hear("help-1", "button", action="help")
    gateway.hear("queue-1", "queue", length=60)
    for width, height in ((1920, 1080), (1366, 768), (3840, 2160)):
        await page.page.set_viewport_size({"width": width, "height": height})
        await page.page.reload()
        await expect(page.one("alarm", "求助")).to_be_visible()
        await expect(page.see("floor-plan")).to_be_visible()
        await on_one_screen(page, width, height)
        # What nobody can press is not shown.
        assert await page.page.locator("button:visible").count() == 0
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    assert await page.page.evaluate(size) > 30
    await page.page.keyboard.press("Escape")
    await expect(page.see("nav-wall")).to_be_visible()
    assert "wall" not in page.page.url


async def test_an_alarm_for_life_and_its_plan_stand_on_the_wall(visit: Visit, gateway: Gateway) -> None:
    page = await visit(query="")
    await page.page.set_viewport_size({"width": 1920, "height": 1080})
    await page.page.goto(f"{gateway.url}/?wall")
    gateway.hear("smoke-1", "fire", lane="safety", alarm=True, sensor="smoke")
    await expect(page.see("life-safety")).to_contain_text("火警")
    run = page.page.locator("[data-testid^='wall-run-']")
    await expect(run).to_contain_text("火灾应急预案")
    await expect(run).to_have_attribute("data-stage", "verify")
    await expect(page.see("plan-device-smoke-1")).to_contain_class("tone-alarm")
    await expect(page.page.locator("svg .ring")).not_to_have_count(0)
    await on_one_screen(page, 1920, 1080)


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
async def test_nothing_covers_anything_at_any_width_in_light_and_dark(
    visit: Visit, gateway: Gateway, locale: str
) -> None:
    gateway.hear("queue-1", "queue", length=3)
    page = await visit("duty", locale=locale)
    colours = set()
    for scheme in ("light", "dark"):
        await page.page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        colours.add(await page.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        for width in (390, 768, 1024, 1600, 1920):
            await page.fits(width)
            await page.page.wait_for_function(DRAWN)
            assert await page.page.evaluate(CLASHES) == [], (scheme, width)
    assert len(colours) == 2
    # The switch in the header wins over the system, and the page keeps it.
    await page.page.get_by_role("button", name="切换深色 / 浅色" if locale == "zh-CN" else "Switch dark").click()
    await expect(page.page.locator("html")).to_have_attribute("data-theme", "light")
    assert await page.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(238, 242, 245)"


async def test_the_pages_are_reached_and_come_back(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    for name, part in (("devices", "devices-all"), ("history", "history-which"), ("quarantine", "account-received")):
        await page.go(name)
        await expect(page.see(part)).to_be_visible()
        await expect(page.see("summary")).to_have_count(0)
    await page.page.go_back()
    await expect(page.see("nav-history")).to_have_attribute("aria-current", "page")
    await page.go("hall")
    await expect(page.see("floor-plan")).to_be_visible()
    assert page.seen.complaints == []


async def test_an_event_says_what_it_was_about_when_that_is_over(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    gateway.hear("printer-1", "equipment", state="fault", code="paper_jam")
    await page.press_in(page.one("alarm", "设备故障"), "ack")
    gateway.hear("printer-1", "equipment", state="ok")
    await expect(page.one("alarm", "设备故障")).to_have_count(0)
    gateway.site_file.write_text(gateway.site_file.read_text("utf-8") + "\n# Looked through.\n", "utf-8")
    await page.go("devices")
    await page.press("site-reload")
    await expect(page.see("site-told")).to_have_attribute("data-good", "true")
    await page.go("hall")
    events = page.page.locator("#events")
    for chosen, lines, name in (
        ("zh", ("设备故障 printer-1：已确认", "设备故障 printer-1：告警关闭", "站点文件：站点文件已重新加载"), "大厅"),
        ("en", ("Equipment fault printer-1: Acknowledged", "Site file: Site file loaded anew"), "Hall"),
    ):
        await page.page.goto(f"{gateway.url}/?lang={chosen}#/hall")
        await expect(page.see("nav-hall")).to_contain_text(name)
        for line in lines:
            await expect(events.get_by_text(line)).to_have_count(1)
        # An alarm's own number is no word; a ticket is called by its number, and says of what it is.
        await expect(events).not_to_contain_text(re.compile(r"\b[AMR]\d{6}"))
