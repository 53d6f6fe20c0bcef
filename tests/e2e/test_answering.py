"""An alarm rises, a person answers it, and the repeats stop: on the page, and by a message's one-time link."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import expect

from tests.e2e.conftest import PATIENCE_MS, Visit
from tests.e2e.gateway import LI, WANG, Gateway
from tests.fakes.webhook import FakeWebhook

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The shortest that a site may ask for, and what the small site has.
REPEAT_S = 10


@dataclass(frozen=True, slots=True)
class Told:
    """A message as it came by the webhook."""

    about: str
    code: str
    to: str
    created: int
    link: str | None
    text: str


def told(webhook: FakeWebhook, about: str, to: str | None = None) -> list[Told]:
    """What came about an alarm or a run, in order."""
    bodies = [json.loads(one.body) for one in webhook.received]
    every = [
        Told(one["about"], one["code"], one["to"], one["created"], one["acknowledge"], one["text"]) for one in bodies
    ]
    return [one for one in every if one.about == about and to in {None, one.to}]


async def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not true():
            await asyncio.sleep(0.1)


async def id_of(gateway: Gateway, kind: str) -> str:
    """The id of the one open alarm of a kind."""
    (alarm,) = [one for one in (await gateway.get("/api/v1/alarms?open=1"))["items"] if one["kind"] == kind]
    return str(alarm["id"])


async def test_an_alarm_rises_is_acknowledged_and_the_repeats_stop(
    visit: Visit, gateway: Gateway, webhook: FakeWebhook
) -> None:
    page = await visit()
    await expect(page.see("life-safety")).to_have_count(0)
    gateway.hear("help-1", "button", action="help")
    gateway.hear("smoke-1", "fire", lane="safety", alarm=True, sensor="smoke")
    fire, run, call = page.one("alarm", "火警"), page.one("run", "火灾应急预案"), page.one("alarm", "求助")
    for part in (fire, run, call):
        await expect(part).to_be_visible()
    # Problems first: alarms above the plan that they started, and both above everything else.
    order = [await part.bounding_box() for part in (page.see("life-safety"), run, page.see("summary"))]
    tops = [box["y"] for box in order if box is not None]
    assert len(tops) == 3
    assert all(above < below for above, below in pairwise(tops))
    await expect(run).to_have_attribute("data-stage", "verify")
    left = run.locator(".verify strong")
    first = await left.inner_text()
    await expect(left).not_to_have_text(first)
    await page.fits(390)
    await page.fits(1920)

    help_id, run_id = await id_of(gateway, "help"), (await run.get_attribute("data-testid") or "").removeprefix("run-")
    for about in (help_id, run_id):
        for person in (WANG, LI):
            await until(lambda about=about, person=person: len(told(webhook, about, person)) >= 2)  # type: ignore[misc]

    await page.press_in(fire, "ack")
    await page.log_in("duty")
    for alarm in (fire, call):
        if alarm is call:
            await page.press_in(call, "ack")
        await expect(alarm).to_have_attribute("data-acknowledged", "true")
        await expect(alarm).to_contain_text("已确认 · 王敏")
    # What was on its way when the answer came may still arrive.
    await asyncio.sleep(1)
    before = {about: told(webhook, about) for about in (help_id, run_id)}
    await asyncio.sleep(2 * REPEAT_S + 2)
    assert told(webhook, help_id) == before[help_id]
    since = told(webhook, run_id)[len(before[run_id]) :]
    # The verify clock runs on: who went to look, and nobody else, is reminded to confirm or to stand down.
    assert {(one.code, one.to) for one in since} == {("run.confirm", WANG)}

    await page.press_in(run, "stand-down")
    await page.press("reason-false_alarm")
    await page.press("submit")
    await expect(page.see("dialog-stand_down")).to_have_count(0)
    await until(lambda: {one.to for one in told(webhook, run_id) if one.code == "run.stood_down"} == {WANG, LI})
    await expect(page.page.locator("#past")).to_be_visible()
    assert page.seen.complaints == []


async def test_a_link_answers_once_and_only_by_its_button(visit: Visit, gateway: Gateway, webhook: FakeWebhook) -> None:
    page = await visit()
    gateway.hear("printer-1", "equipment", state="fault", code="E42")
    alarm = page.one("alarm", "设备故障")
    await expect(alarm).to_be_visible()
    about = await id_of(gateway, "equipment_fault")
    await until(lambda: bool(told(webhook, about)))
    link = told(webhook, about)[0].link
    assert link is not None
    assert urlsplit(link).netloc == urlsplit(gateway.url).netloc

    async with aiohttp.ClientSession() as preview:
        # As a chat program does, to show what is behind the link.
        for _ in range(3):
            async with preview.get(link) as answer:
                assert answer.status == 200
                assert "设备故障" in await answer.text()
    phone = await visit()
    await phone.page.goto(link)
    await expect(phone.page.get_by_role("heading", level=1).first).to_contain_text("设备故障")
    await expect(alarm).to_have_attribute("data-acknowledged", "false")
    await phone.fits(390)
    await phone.page.get_by_role("button", name="确认收到").click()
    await expect(phone.page.get_by_role("heading", level=1)).to_have_text("已确认，谢谢。")
    await expect(alarm).to_have_attribute("data-acknowledged", "true")
    async with aiohttp.ClientSession() as again:
        for ask in (again.post(link), again.get(link)):
            async with ask as answer:
                assert answer.status == 200
                assert "already answered" in await answer.text()
        forged = link[:-2] + ("AA" if not link.endswith("AA") else "BB")
        async with again.post(forged) as answer:
            assert answer.status == 404
    known = await visit("duty")
    await expect(known.one("alarm", "设备故障")).to_contain_text("已确认 · 王敏")
    events = (await gateway.get("/api/v1/events"))["items"]
    assert [one["what"] for one in events if one["about"] == about].count("alarm.acknowledged") == 1
    assert phone.seen.complaints == []
