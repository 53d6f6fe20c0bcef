"""The public display as it hangs in a hall: nobody logs in, a plan takes it over, and it says when it is old."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Page, Response, expect

from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import Seen
from tests.fakes.webhook import FakeWebhook
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="session")
# What stands in the site file of these tests and nobody in the hall shall read.
NOBODY = ("王敏", "Wang Min", "李强", "Li Qiang", "AA01", "AA02", '"wang"', '"duty"')
DEVICES = (
    "reader-1", "desk-1", "queue-1", "count-1", "air-1", "printer-1",
    "smoke-1", "smoke-2", "call-1", "help-1", "z-smoke",
)  # fmt: skip
NOTICES = "    display: {notices: [{zh: 周五下午闭馆, en: Closed on Friday afternoon}]}\n"


@pytest.fixture(scope="module")
def gateway(broker: Mosquitto, webhook: FakeWebhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose hall has a notice, and which strangers may see nothing else of."""
    with Gateway(tmp_path_factory.mktemp("gateway"), broker, webhook, NOTICES) as running:
        running.add_user("duty", "wang")
        yield running


async def test_the_display_shows_the_hall_to_everybody_and_nobody_to_anybody(
    browser: Browser, gateway: Gateway
) -> None:
    context = await browser.new_context(locale="zh-CN", viewport={"width": 1920, "height": 1080})
    seen, bodies = Seen(), dict[str, str]()
    page = await context.new_page()
    seen.watch(page)

    async def keep(response: Response) -> None:
        if response.url.startswith(gateway.url) and response.status == 200:
            bodies[response.url] = (await response.body()).decode("utf-8", "replace")

    page.on("response", keep)
    await page.goto(f"{gateway.url}/display")
    await expect(page).to_have_url(f"{gateway.url}/display/main")
    await expect(page.get_by_test_id("display")).to_have_attribute("data-link", "live")
    # People sign in, one pauses, equipment fails: the hall is seen, who it was is not.
    gateway.hear("reader-1", "badge", token="AA01", result="granted")
    gateway.hear("desk-1", "presence", present=True)
    gateway.hear("queue-1", "queue", length=6, wait_s=420)
    gateway.hear("printer-1", "equipment", state="fault", code="paper_jam")
    await expect(page.get_by_test_id("display-window-1")).to_have_attribute("data-state", "open")
    await expect(page.get_by_test_id("display-window-1")).to_contain_text("办理中")
    await expect(page.get_by_test_id("display-window-1")).to_contain_text("Open")
    await expect(page.get_by_test_id("display-queue")).to_have_attribute("data-length", "6")
    await expect(page.get_by_test_id("display-queue")).to_contain_text("约 7 分钟")
    await expect(page.get_by_test_id("display-notice")).to_contain_text("周五下午闭馆")
    await gateway.act(do="pause_window", window="w1", reason="王敏去医院")
    await expect(page.get_by_test_id("display-window-1")).to_have_attribute("data-state", "paused")
    # Ready for any wall, phone and theme; nothing has to be scrolled sideways.
    for width, height in ((1920, 1080), (1600, 900), (390, 844)):
        await _fits(page, width, height)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    # A call point starts the plan at once: it takes the whole screen, in both languages.
    gateway.hear("call-1", "fire", lane="safety", alarm=True, sensor="mcp")
    plan = page.get_by_test_id("display-plan")
    await expect(plan).to_have_attribute("data-hazard", "fire")
    await expect(plan).to_contain_text("请立即沿疏散指示有序撤离")
    await expect(plan).to_contain_text("Leave now by the marked exits")
    box = await plan.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (1920, 1080)
    for width, height in ((390, 844), (844, 390)):
        await _fits(page, width, height)
    everything = "\n".join([*seen.frames, *bodies.values()])
    assert len(seen.frames) > 3
    assert '"hazard":"fire"' in everything
    for word in (*NOBODY, *DEVICES):
        assert word not in everything, word
    assert seen.origins == {gateway.url.partition("//")[2]}
    assert not seen.complaints
    await context.close()


async def _fits(page: Page, width: int, height: int) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_an_old_picture_says_so_and_comes_back_by_itself(browser: Browser, gateway: Gateway) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    page = await context.new_page()
    await page.goto(f"{gateway.url}/display/main?lang=en&theme=light")
    await expect(page.get_by_test_id("display")).to_have_attribute("data-link", "live")
    gateway.kill()
    await expect(page.get_by_test_id("display-stale")).to_contain_text("The link to the server is lost")
    # What was shown last is still there, grey, with its age; it is no picture of now.
    await expect(page.get_by_test_id("display-window-1")).to_have_count(1)
    await asyncio.to_thread(gateway.start)
    await expect(page.get_by_test_id("display")).to_have_attribute("data-link", "live", timeout=60_000)
    await expect(page.get_by_test_id("display-stale")).to_have_count(0)
    await context.close()


async def test_where_there_is_no_display_people_read_so(browser: Browser, gateway: Gateway) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    page = await context.new_page()
    answer = await page.goto(f"{gateway.url}/display/nowhere")
    assert answer is not None
    assert answer.status == 404
    for said in ("此大厅没有公共显示屏", "This hall has no public display"):
        await expect(page.get_by_test_id("display-off")).to_contain_text(said)
    await context.close()


async def test_a_drill_is_marked_on_the_whole_screen_and_leaves_it(browser: Browser, gateway: Gateway) -> None:
    for one in (await gateway.get("/api/v1/runs?open=1"))["items"]:
        await gateway.act(do="stand_down", run=one["id"], reason="all_clear")
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    page = await context.new_page()
    await page.goto(f"{gateway.url}/display/main")
    await expect(page.get_by_test_id("display")).to_have_attribute("data-link", "live")
    run, *_ = await gateway.act(do="start_plan", plan="fire", confirm="fire", drill=True)
    plan = page.get_by_test_id("display-plan")
    await expect(plan).to_have_attribute("data-drill", "true")
    for said in ("演练", "DRILL"):
        await expect(page.get_by_test_id("display-drill")).to_contain_text(said)
    for said in ("这是演练", "This is a drill"):
        await expect(plan).to_contain_text(said)
    await gateway.act(do="stand_down", run=run, reason="drill_over")
    await expect(plan).to_have_count(0)
    await context.close()


async def test_a_display_that_hears_nothing_of_the_hall_says_so(
    browser: Browser, gateway: Gateway, broker: Mosquitto
) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    page = await context.new_page()
    await page.goto(f"{gateway.url}/display/main")
    await expect(page.get_by_test_id("display")).to_have_attribute("data-link", "live")
    deaf = page.get_by_test_id("display-deaf")
    await expect(deaf).to_have_count(0)
    # Pages hear the gateway well, and the gateway no device.
    broker.stop()
    for said in ("现场设备的数据暂时收不到", "No data from the hall just now"):
        await expect(deaf).to_contain_text(said)
    broker.start()
    await expect(deaf).to_have_count(0, timeout=60_000)
    await context.close()
