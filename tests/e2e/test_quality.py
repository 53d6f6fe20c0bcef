"""What a screen reader, a keyboard, a narrow phone and a wide wall find on every page, in both languages and lights.

axe-core judges names, roles, order and contrast (computed from what is drawn) by WCAG 2.2 A and AA.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import HallPage

WEB = Path(__file__).parents[2] / "dashboard/web"
AXE = WEB / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What the plan draws of a name is cut to the room there is; who cannot see it is told the whole of it.
CUT_TO_FIT = "label-content-name-mismatch"
WIDTHS = (390, 768, 1024, 1440, 1920)
# A page of each sort; those with an id are found by `hall_with_something`.
PLACES = {
    "hall": "#/",
    "devices": "#/devices",
    "device": "#/device/printer-1",
    "history": "#/history?device=printer-1",
    "quarantine": "#/quarantine",
    "users": "#/users",
    "audit": "#/audit",
    "me": "#/me",
    "alarm": "#/alarm/A000001",
    "run": "#/run/R000001",
}
# What one sees once, before anybody has a login (tests/e2e/test_users.py).
ELSEWHERE = {"first", "password"}


async def judged(page: Page) -> list[str]:
    """What axe finds wrong with what is shown now: rule, place, why."""
    # What pulses has as many contrasts as moments.
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = await page.evaluate(
        "(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", RULES
    )
    return [
        f"{one['id']} {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
        if one["id"] != CUT_TO_FIT or not node["html"].startswith("<g ")
    ]


async def hall_with_something(page: HallPage, gateway: Gateway) -> None:
    """An alarm, a plan, a person at a window, a queue, a message that nobody can read."""
    gateway.hear("reader-1", "badge", token="AA01")
    gateway.hear("desk-1", "presence", present=True)
    gateway.hear("queue-1", "queue", length=7)
    gateway.hear("printer-1", "equipment", state="fault", code="paper_jam")
    gateway.hear("smoke-1", "fire", lane="safety", alarm=True, sensor="smoke")
    gateway.broker.publish("hallwatch/v1/main/telemetry/queue-1/queue", "{rubbish")
    await expect(page.one("alarm", "printer-1")).to_be_visible()
    await expect(page.page.get_by_role("heading", name=re.compile("火灾应急预案|Fire plan")).first).to_be_visible()


def test_every_page_is_looked_at() -> None:
    text = (WEB / "src/lib/route.svelte.ts").read_text("utf-8")
    names = set(re.findall(r"'(\w+)'", text.split("NAMES", 1)[1].split("]", 1)[0]))
    assert names == set(PLACES) | ELSEWHERE


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("locale", "light"), [("zh-CN", "light"), ("en-GB", "dark"), ("zh-CN", "dark")])
async def test_axe_finds_nothing_and_no_width_cuts_anything_off(
    visit: Visit, gateway: Gateway, locale: str, light: str
) -> None:
    page = await visit("duty", locale=locale)
    await page.page.emulate_media(color_scheme="light" if light == "light" else "dark")
    await hall_with_something(page, gateway)
    found: list[str] = []
    for name, place in PLACES.items():
        await page.page.evaluate(f"location.hash = {place!r}")
        await expect(page.page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.page.locator("main [aria-busy=true]")).to_have_count(0)
        for width in (390, 1440):
            await page.fits(width)
            found += [f"{name} {width}: {one}" for one in await judged(page.page)]
        for width in WIDTHS:
            await page.fits(width)
    assert not found, "\n".join(found)
    assert page.seen.complaints == []


@pytest.mark.asyncio(loop_scope="session")
async def test_the_wall_the_forms_and_a_lost_link_too(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await page.page.goto(f"{gateway.url}/?wall")
    await hall_with_something(page, gateway)
    found = [f"wall: {one}" for one in await judged(page.page)]
    for width in WIDTHS:
        await page.fits(width)
    page = await visit("duty")
    for opener in ("pause-w1", "start", "report-fault"):
        button = page.page.locator(f"button[data-testid^='{opener}']:visible").first
        await button.click()
        await expect(page.page.locator("dialog[open], [role=dialog]").first).to_be_visible()
        found += [f"{opener}: {one}" for one in await judged(page.page)]
        await page.page.keyboard.press("Escape")
        await expect(page.page.locator("dialog[open], [role=dialog]")).to_have_count(0)
    for light in ("light", "dark"):
        await page.page.emulate_media(color_scheme="light" if light == "light" else "dark")
        await page.page.context.set_offline(True)
        await expect(page.see("main")).to_have_css("filter", "grayscale(1)")
        # A button that is out of use is let off; what is old is not: somebody may need it.
        found += [f"lost link, {light}: {one}" for one in await judged(page.page)]
        await page.page.context.set_offline(False)
        await expect(page.see("link-banner")).to_have_count(0, timeout=60_000)
    stranger = await visit()
    await stranger.press("login")
    found += [f"login: {one}" for one in await judged(stranger.page)]
    assert not found, "\n".join(found)


@pytest.mark.asyncio(loop_scope="session")
async def test_all_that_a_mouse_reaches_a_keyboard_reaches(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await hall_with_something(page, gateway)
    wanted = await page.page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input, select, [role=button], [tabindex]')]
          .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }))
          .map((one, index) => (one.dataset.stop = String(index)))"""
    )
    reached: set[str] = set()
    unseen: list[str] = []
    for _ in range(3 * len(wanted)):
        await page.page.keyboard.press("Tab")
        stop, name, ring = await page.page.evaluate(
            """() => {
              const one = document.activeElement
              const style = getComputedStyle(one)
              const ring = style.outlineStyle !== 'none' || style.boxShadow !== 'none' || one instanceof SVGElement
              return [one.dataset.stop ?? '', one.outerHTML.slice(0, 120), ring]
            }"""
        )
        if stop:
            reached.add(stop)
            unseen += [] if ring else [name]
        if len(reached) == len(wanted):
            break
    missed = await page.page.evaluate(
        "(stops) => stops.map((one) => document.querySelector(`[data-stop='${one}']`)?.outerHTML.slice(0, 160))",
        sorted(set(wanted) - reached),
    )
    assert [one for one in missed if one] == []
    assert unseen == [], "where one is must be seen"
