"""The content security policy in a browser: no page asks for what it forbids; what is slipped in does not run."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROUTES = Path(__file__).parents[2] / "dashboard/web/src/lib/route.svelte.ts"
ABOUT = {"device": "air-1", "alarm": "A000001", "run": "R000001", "first": "guessed", "password": "guessed?user=li"}
WATCH = "window.refused = []; addEventListener('securitypolicyviolation', (one) => refused.push(one.violatedDirective))"


def places() -> list[str]:
    """The address of every page that there is."""
    text = ROUTES.read_text("utf-8")
    names = re.findall(r"'(\w+)'", text.split("NAMES", 1)[1].split("]", 1)[0])
    assert len(names) > 8
    return [f"#/{name}" + (f"/{ABOUT[name]}" if name in ABOUT else "") for name in names]


async def test_no_page_asks_for_what_the_policy_forbids(visit: Visit, gateway: Gateway) -> None:
    gateway.hear("printer-1", "equipment", state="fault", code="paper_jam")
    page = await visit("duty")
    await page.page.add_init_script(WATCH)
    await page.page.reload()
    await expect(page.see("main")).to_have_attribute("data-link", "live")
    for place in places():
        await page.page.evaluate(f"location.hash = {place!r}")
        await expect(page.page.locator("main > *").first).to_be_visible()
        await expect(page.page.locator("main [aria-busy=true]")).to_have_count(0)
    assert await page.page.evaluate("refused") == []
    assert [one for one in page.seen.complaints if "Content Security" in one or "Content-Security" in one] == []
    # The watch itself works: what a stranger might slip in is refused, and said.
    await page.page.evaluate(
        """() => {
          const one = document.createElement('script')
          one.textContent = 'window.ran = true'
          document.body.append(one)
          document.body.setAttribute('style', 'color: red')
        }"""
    )
    await page.page.wait_for_function("refused.length >= 2")
    assert await page.page.evaluate("window.ran === undefined")
    assert {one.split("-")[0] for one in await page.page.evaluate("refused")} == {"script", "style"}


async def test_the_page_behind_a_link_and_a_page_for_nobody_keep_it_too(browser: Browser, gateway: Gateway) -> None:
    context = await browser.new_context()
    await context.add_init_script(WATCH)
    for path in ("/a/guessed", "/", "/nowhere"):
        page = await context.new_page()
        await page.goto(f"{gateway.url}{path}")
        await expect(page.locator("body")).to_be_visible()
        assert await page.evaluate("refused") == []
    await context.close()
