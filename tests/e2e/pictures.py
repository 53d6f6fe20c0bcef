"""`make pictures`: the README's and the documents' pictures, taken anew from a demo that runs.

Each is taken when what it shall show is there; nothing in them is drawn.
"""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser, Page, expect

from tests.servers.browser import chromium
from tests.system.test_demo import Demo

ROOT: Final = Path(__file__).resolve().parents[2]
PLACE: Final = ROOT / "docs/images"
PATIENCE_MS: Final = 120_000
Light = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Screen:
    """How large, in which light, in which language."""

    width: int
    height: int
    light: Light = "light"
    language: str = "zh"


async def main() -> None:
    """Take all of them."""
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder))
        await asyncio.to_thread(demo.start)
        try:
            entry = demo.entry()
            assert entry is not None
            async with chromium() as browser:
                await _take_all(browser, entry)
        finally:
            demo.kill()


async def _take_all(browser: Browser, entry: str) -> None:
    context = await browser.new_context(reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(entry)
    url = entry.split("/enter/", maxsplit=1)[0]
    see = page.get_by_test_id
    await see("tour-no").click()
    await _speed(page, 30)
    # What happens on every day of the demo: a printer jams, a queue grows, a corridor fills.
    await expect(page.locator("[data-testid^='alarm-']")).to_have_count(2, timeout=PATIENCE_MS)
    await _speed(page, 1)
    await _take(page, url, "hall.png", Screen(1600, 1000))
    await _take(page, url, "hall-en.png", Screen(1600, 1000, "dark", "en"))
    await _take(page, f"{url}/display", "display.png", Screen(1920, 1080))
    await page.goto(f"{url}/?lang=zh")
    await see("demo-open").click()
    await see("play-call_point").click()
    await expect(page.locator("section[data-testid^=run-]").first).to_be_visible(timeout=PATIENCE_MS)
    await _take(page, url, "fire.png", Screen(1600, 1000))
    await _take(page, url, "phone.png", Screen(390, 844, "dark"))
    await _take(page, f"{url}/display", "display-fire.png", Screen(1920, 1080))


async def _speed(page: Page, rate: int) -> None:
    await page.get_by_test_id("demo-open").click()
    await page.get_by_test_id(f"speed-{rate}").click()
    await expect(page.get_by_test_id("demo-mark")).to_contain_text(f"×{rate}")
    await page.get_by_test_id("demo-open").click()


async def _take(page: Page, url: str, name: str, screen: Screen) -> None:
    await page.set_viewport_size({"width": screen.width, "height": screen.height})
    await page.emulate_media(color_scheme=screen.light)
    await page.goto(f"{url}?lang={screen.language}")
    ready = "display-clock" if url.endswith("/display") else "demo-panel"
    await expect(page.get_by_test_id(ready)).to_be_visible()
    # Parts that come after the first view, and the queues' hour.
    await page.wait_for_timeout(3000)
    await page.screenshot(path=PLACE / name)
    print(f"{name}  {(PLACE / name).stat().st_size // 1024} KiB")  # noqa: T201 (a command's answer)


if __name__ == "__main__":
    asyncio.run(main())
