"""What the page says of Hallwatch itself: the account, the quarantine that people mend, a store that is silent."""

import asyncio
import json
import re
import sqlite3
from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import PATIENCE_MS, Visit
from tests.e2e.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUEUE = "hallwatch/v1/main/telemetry/queue-1/queue"
NUMBER = re.compile(r"^[0-9]+$")


def say(gateway: Gateway, topic: str, payload: str) -> None:
    """A device says something that may be rubbish."""
    gateway.broker.publish(topic, payload)


async def held(gateway: Gateway, digest_of: str) -> Any:  # noqa: ANN401 - JSON
    """The row of the quarantine with this text, once it is there."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while True:
            items = (await gateway.get("/api/v1/quarantine?state=all"))["items"]
            found = [one for one in items if one["text"] == digest_of]
            if found:
                return found[0]
            await asyncio.sleep(0.1)


async def test_a_message_is_mended_and_replayed_and_it_stays_to_be_seen_who_did_it(
    visit: Visit, gateway: Gateway
) -> None:
    page = await visit("duty")
    wrong = '{"boot": 7, "seq": 1, "value": {"length": "many"}}'
    say(gateway, QUEUE, wrong)
    row = await held(gateway, wrong)
    await page.go("quarantine")
    item = page.see(f"held-{row['id']}")
    await expect(item).to_contain_text("某个字段缺失、类型不符或超出范围")
    await expect(item.locator("pre")).to_have_text(wrong)
    # Replayed as it is, it is refused in words, and stays.
    await page.press(f"replay-{row['id']}")
    await expect(item.get_by_role("alert")).to_contain_text("某个字段缺失")
    await page.press(f"mend-{row['id']}")
    text = page.see(f"mend-text-{row['id']}")
    await expect(text).to_have_value(wrong)
    await text.fill('{"boot": 7, "seq": 1, "value": {"length": "5"')
    await page.press(f"mend-send-{row['id']}")
    await expect(item.get_by_role("alert")).to_contain_text("不是有效的 JSON")
    mended = wrong.replace('"many"', "5")
    await text.fill(mended)
    await page.fits(390)
    await page.press(f"mend-send-{row['id']}")
    await expect(item).to_have_count(0)
    await page.press("quarantine-replayed")
    await expect(page.see(f"settled-{row['id']}")).to_contain_text("王敏处理")
    await expect(item.locator("pre").first).to_have_text(wrong)
    await expect(item.locator("pre").last).to_have_text(mended)
    kept = await held(gateway, wrong)
    assert (kept["state"], kept["settled"]["text"], kept["settled"]["topic"]) == ("replayed", mended, None)
    # It is history, and no event of now.
    devices = (await gateway.get("/api/v1/account"))["devices"]["queue-1"]
    assert (devices["quarantined"], devices["stored"]) == (1, 0)
    assert page.seen.complaints == [] or all("409" in one for one in page.seen.complaints)


async def test_a_long_message_is_mended_whole(visit: Visit, gateway: Gateway) -> None:
    """The list shows the beginning of it; what is sent is not cut."""
    page = await visit("duty")
    reason = "x" * 60
    wrong = json.dumps({"boot": 8, "seq": 1, "value": {"length": "many"}, "more": [reason] * 40})
    assert len(wrong) > 2048
    say(gateway, QUEUE, wrong)
    row = await held(gateway, wrong[:2048])
    await page.go("quarantine")
    item = page.see(f"held-{row['id']}")
    await expect(item.locator("pre")).to_have_text(wrong[:2048])
    await page.press(f"mend-{row['id']}")
    text = page.see(f"mend-text-{row['id']}")
    await expect(text).to_have_value(wrong)
    await expect(item).not_to_contain_text("只显示开头")
    await text.fill(wrong.replace('"many"', "6").replace("more", "else"))
    await page.press(f"mend-send-{row['id']}")
    await expect(item.get_by_role("alert")).to_be_visible()
    await text.fill(json.dumps({"boot": 8, "seq": 1, "value": {"length": 6}}))
    await page.press(f"mend-send-{row['id']}")
    await expect(item).to_have_count(0)


async def test_rubbish_is_discarded_by_a_second_tap(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty", query="?lang=en")
    say(gateway, QUEUE, "rubbish")
    row = await held(gateway, "rubbish")
    await page.go("quarantine")
    item = page.see(f"held-{row['id']}")
    await expect(item).to_contain_text("not valid JSON")
    await page.press(f"discard-{row['id']}")
    await expect(item).to_have_count(1)
    await page.press(f"discard-{row['id']}")
    await expect(item).to_have_count(0)
    await page.press("quarantine-discarded")
    await expect(page.see(f"settled-{row['id']}")).to_contain_text("Settled by Wang Min")
    assert (await held(gateway, "rubbish"))["state"] == "discarded"


async def test_the_account_stands_by_device_with_its_gaps_and_the_probes(visit: Visit, gateway: Gateway) -> None:
    page = await visit()
    for sequence in (1, 2, 2, 5):
        body = {"boot": 3, "seq": sequence, "value": {"occupancy": sequence}}
        say(gateway, "hallwatch/v1/main/telemetry/count-1/people_count", json.dumps(body))
    await page.go("quarantine")
    await page.press("account-devices")
    cells = page.see("account-of-count-1").locator("td")
    # received, stored, duplicate, quarantined, refused, awaiting, gaps
    await expect(cells).to_have_text(["4", "3", "1", "0", "0", "0", "2"])
    await expect(page.see("account-balance")).to_have_attribute("data-even", "true")
    await expect(page.see("account-probe")).to_have_text(NUMBER)
    for lane in ("safety", "telemetry"):
        await expect(page.see(f"probe-{lane}")).to_have_attribute("data-late", "false")
        await expect(page.see(f"probe-{lane}")).to_contain_text("返回")
    await page.fits(390)


async def test_a_store_that_does_not_answer_is_a_banner_and_nothing_looks_new(visit: Visit, gateway: Gateway) -> None:
    page = await visit()
    gateway.hear("queue-1", "queue", length=3)
    await expect(page.see("length-cards")).to_have_text("3")
    other = sqlite3.connect(gateway.store, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        gateway.hear("queue-1", "queue", length=9)
        banner = page.see("link-banner")
        await expect(banner).to_have_attribute("data-state", "stalled")
        await expect(banner).to_contain_text("存储无应答")
        await expect(page.see("main")).to_have_css("filter", "grayscale(1)")
    finally:
        other.rollback()
        other.close()
    await expect(page.see("link-banner")).to_have_count(0)
    await expect(page.see("length-cards")).to_have_text("9")
    await expect(page.see("main")).to_have_css("filter", "none")
