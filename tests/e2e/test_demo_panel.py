"""The demo's panel: it says that it is a demo, makes something happen at a press, and says what to watch for."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import Visit
from tests.system.test_demo import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")
STARTS_MS = 120_000


@pytest_asyncio.fixture(loop_scope="session")
async def demo_page(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Page]:
    """The demo as `make demo` starts it, entered by its link."""
    monkeypatch.setattr("tests.servers.process.START_WITHIN_S", STARTS_MS / 1000)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    demo = Demo(tmp_path)
    await asyncio.to_thread(demo.start)
    try:
        page = await browser.new_page(locale="zh-CN")
        entry = demo.entry()
        assert entry is not None
        await page.goto(entry)
        yield page
        await page.close()
    finally:
        demo.kill()


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
    await expect(see("demo-lies")).to_have_count(0)
    refused = await demo_page.request.post(
        demo_page.url.partition("#")[0] + "api/v1/demo/speed", data={"rate": 1000}, headers={"Origin": "http://no"}
    )
    assert refused.status == 403


async def test_a_real_gateway_has_no_stage(visit: Visit) -> None:
    page = await visit("duty")
    await expect(page.see("sound")).to_be_visible()
    await expect(page.see("demo-panel")).to_have_count(0)
    answer = await page.page.request.get(f"{page.url}/api/v1/demo")
    assert answer.status == 404
