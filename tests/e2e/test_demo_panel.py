"""The demo's panel: it says that it is a demo, makes something happen at a press, and says what to watch for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from tests.e2e.conftest import Visit
from tests.e2e.test_quality import judged
from tests.system.test_demo import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")
STARTS_MS = 120_000
# Where each tour ends.
END = {"staff": "wall", "coordinator": "hand", "maintainer": "trouble"}
# What it asks for, and waits to see.
WAITS = {"staff": {"alarm"}, "coordinator": {"press", "ack", "plan"}, "maintainer": {"ticket"}}
STEPS = {"staff": 7, "coordinator": 7, "maintainer": 6}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visitor(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[BrowserContext, str]]:
    """Who has entered the demo, as `make demo` starts it, by its link; and its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.servers.process.START_WITHIN_S", STARTS_MS / 1000)
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        demo = Demo(tmp_path_factory.mktemp("demo"))
        await asyncio.to_thread(demo.start)
    try:
        entry = demo.entry()
        assert entry is not None
        context = await browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 1000})
        page = await context.new_page()
        await page.goto(entry)
        await page.close()
        yield context, entry.split("/enter/")[0]
        await context.close()
    finally:
        demo.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def demo_page(visitor: tuple[BrowserContext, str]) -> AsyncIterator[Page]:
    """The hall's page of the demo, where a tour is offered."""
    context, url = visitor
    page = await context.new_page()
    await page.goto(url)
    await expect(page.get_by_test_id("demo-panel")).to_be_visible()
    yield page
    await page.close()


async def test_a_press_makes_something_happen_and_says_what_to_watch_for(demo_page: Page) -> None:
    see = demo_page.get_by_test_id
    panel = see("demo-panel")
    await expect(panel).to_contain_text("演示")
    await expect(panel).to_contain_text("×30")
    await see("demo-open").click()
    await expect(panel).to_contain_text("这是演示")
    await expect(panel).to_contain_text("没有 MQTT 5")
    for absent in ("play-network_failure", "play-lunch_gap"):
        await expect(see(absent)).to_have_count(0)
    await see("play-help_button").click()
    await expect(see("demo-watch")).to_contain_text("求助")
    await expect(demo_page.locator("[data-testid^='alarm-']").filter(has_text="求助").first).to_be_visible(
        timeout=60_000
    )


async def test_its_clock_goes_faster_and_slower_and_faults_come_and_go(demo_page: Page) -> None:
    see = demo_page.get_by_test_id
    await see("demo-open").click()
    await see("speed-1").click()
    await expect(see("speed-1")).to_have_attribute("aria-pressed", "true")
    await expect(see("demo-mark")).to_contain_text("×1")
    await see("speed-60").click()
    await expect(see("demo-mark")).to_contain_text("×60")
    await see("trouble-duplicate").click()
    await expect(see("demo-lies")).to_contain_text("消息重复")
    await see("demo-open").click()
    await expect(see("demo-watch-trouble")).to_contain_text("对账")
    await demo_page.goto(demo_page.url.partition("#")[0] + "#/quarantine")
    await expect(see("account-duplicate")).not_to_have_text("0")
    await expect(see("account-balance")).to_have_attribute("data-even", "true")
    await see("demo-open").click()
    await see("trouble-none").click()
    await see("speed-5").click()
    await expect(see("demo-lies")).to_have_count(0)
    refused = await demo_page.request.post(
        demo_page.url.partition("#")[0] + "api/v1/demo/speed", data={"rate": 1000}, headers={"Origin": "http://no"}
    )
    assert refused.status == 403


@pytest.mark.parametrize("user", ["staff", "coordinator", "maintainer"])
async def test_a_tour_points_at_what_is_there_and_waits_for_what_it_made_happen(demo_page: Page, user: str) -> None:
    see = demo_page.get_by_test_id
    await see("demo-open").click()
    # Slowly, so that the hall is still open.
    await see("speed-5").click()
    await see("tour-again").click()
    await see(f"tour-{user}").click()
    tour = see("tour")
    seen, last = [], ""
    while await tour.count():
        await expect(tour).not_to_have_attribute("data-step", last)
        last = str(await tour.get_attribute("data-step"))
        seen.append(last)
        await expect(demo_page.locator("[data-tour]")).to_have_count(1, timeout=90_000)
        await expect(demo_page.locator("[data-tour]")).to_be_in_viewport()
        if (user, last) == ("coordinator", "ack"):
            await expect(see("demo-watch")).to_contain_text("手动报警按钮")
            await expect(see("demo-open")).to_contain_text("×1")
            await answer_life(demo_page)
        if last in WAITS[user]:
            await expect(see("tour-seen")).to_have_attribute("data-seen", "true", timeout=90_000)
        await see("tour-next").click()
        if last == END[user]:
            break
    assert seen[-1] == END[user]
    assert len(seen) == len(set(seen)) == STEPS[user]
    await expect(tour).to_have_count(0)
    # Slowed by the tour or not, the hall goes on as fast as before.
    await expect(see("demo-open")).to_contain_text("×5")
    await expect(see("demo-mark")).to_contain_text("×5")
    await demo_page.reload()
    await expect(see("demo-panel")).to_be_visible()
    await expect(see("tour-offer")).to_have_count(0)


async def test_on_a_phone_a_tour_leaves_out_what_a_phone_has_not(demo_page: Page) -> None:
    see = demo_page.get_by_test_id
    await demo_page.set_viewport_size({"width": 390, "height": 844})
    await demo_page.reload()
    await see("demo-open").click()
    await see("tour-again").click()
    await see("tour-staff").click()
    for step in ("sum", "plan", "alarm", "window", "queues", "fault"):
        await expect(see("tour")).to_have_attribute("data-step", step)
        await expect(demo_page.locator("[data-tour]")).to_be_in_viewport()
        await see("tour-next").click()
    await expect(see("tour")).to_have_count(0)


async def test_a_tour_is_offered_once_and_may_be_left_at_every_step(demo_page: Page) -> None:
    see = demo_page.get_by_test_id
    await see("demo-open").click()
    await see("tour-again").click()
    await see("tour-maintainer").click()
    await see("tour-next").click()
    await expect(see("tour")).to_have_attribute("data-step", "devices")
    await demo_page.keyboard.press("ArrowRight")
    await expect(see("tour")).to_have_attribute("data-step", "device")
    await demo_page.keyboard.press("ArrowLeft")
    await expect(see("tour")).to_have_attribute("data-step", "devices")
    await demo_page.keyboard.press("Escape")
    await expect(see("tour")).to_have_count(0)
    await expect(see("tour-offer")).to_have_count(0)
    # By its buttons as by the keys.
    await see("demo-open").click()
    await see("tour-again").click()
    await see("tour-staff").click()
    await see("tour-next").click()
    await expect(see("tour")).to_have_attribute("data-step", "plan")
    await see("tour-back").click()
    await expect(see("tour")).to_have_attribute("data-step", "sum")
    await see("tour-skip").click()
    await expect(see("tour")).to_have_count(0)
    await see("demo-open").click()
    await see("tour-again").click()
    await see("tour-no").click()
    await expect(see("tour-offer")).to_have_count(0)


@pytest.mark.parametrize(("width", "light"), [(390, "dark"), (1440, "light")])
async def test_panel_and_tour_can_be_read_by_everybody(
    demo_page: Page, width: int, light: Literal["light", "dark"]
) -> None:
    see = demo_page.get_by_test_id
    await demo_page.set_viewport_size({"width": width, "height": 900})
    await demo_page.emulate_media(color_scheme=light)
    await see("demo-open").click()
    await expect(see("tour-again")).to_be_visible()
    assert await judged(demo_page) == []
    # What was played last stands in the tag, and the tag does not reach under the sound's button.
    await see("play-printer_fault").click()
    await expect(see("demo-watch")).to_be_visible()
    tag, sound = await see("demo-open").bounding_box(), await see("sound").bounding_box()
    assert tag is not None
    assert sound is not None
    assert tag["x"] >= 0
    assert tag["x"] + tag["width"] <= sound["x"]
    await see("demo-open").click()
    await see("tour-again").click()
    await see("tour-maintainer").click()
    await expect(see("tour")).to_have_attribute("data-step", "ticket")
    assert await judged(demo_page) == []
    await demo_page.keyboard.press("Escape")


async def answer_life(page: Page) -> None:
    """Acknowledge whatever stands above all; the demo's people may be faster."""
    for button in await page.locator("#life [data-testid^='ack-']").all():
        with contextlib.suppress(PlaywrightTimeoutError):
            await button.click(timeout=3000)


async def test_a_real_gateway_has_no_stage(visit: Visit) -> None:
    page = await visit("duty")
    await expect(page.see("sound")).to_be_visible()
    await expect(page.see("demo-panel")).to_have_count(0)
    answer = await page.page.request.get(f"{page.url}/api/v1/demo")
    assert answer.status == 404
