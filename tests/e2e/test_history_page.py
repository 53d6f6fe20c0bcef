"""The history page as people use it: a thing, a range, last week beside it, what happened, and a table to take away."""

import csv
import io
import re
import sqlite3
import time

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import HallPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
HOUR = 3_600_000
MINUTE = 60_000
# A gap in the middle of the last hour.
GAP = range(20, 35)


def remembered(gateway: Gateway, now: int) -> None:
    """A queue's last nine days, as the gateway itself would have kept them: a reading a minute."""
    with sqlite3.connect(gateway.store, timeout=30) as store:
        (number,) = store.execute("SELECT id FROM series WHERE device = 'queue-1' AND field = 'length'").fetchone()
        for day in (0, 7):
            rows = [
                (number, (now - day * 24 * HOUR - ago * MINUTE) * 1_000_000, float(5 + day + (ago // 7) % 6))
                for ago in range(1, 240)
                if day or ago not in GAP
            ]
            store.executemany("INSERT OR REPLACE INTO readings (series, ns, number) VALUES (?, ?, ?)", rows)


async def open_at(page: HallPage, query: str) -> None:
    await page.page.goto(f"{page.url}/?lang=zh#/history?{query}")
    await expect(page.see("history-chart")).to_be_attached()


async def test_a_queue_its_gap_last_week_its_alarms_and_its_table(visit: Visit, gateway: Gateway) -> None:
    gateway.hear("queue-1", "queue", length=6)
    gateway.hear("printer-1", "equipment", state="fault", code="paper_jam")
    gateway.hear("call-1", "fire", lane="safety", alarm=True, sensor="mcp")
    page = await visit("duty")
    await page.go("history")
    chart = page.see("history-chart")
    await expect(page.see("history-sort-queue")).to_have_attribute("aria-pressed", "true")
    await expect(chart).to_have_attribute("data-points", "1", timeout=60_000)
    now = time.time_ns() // 1_000_000
    remembered(gateway, now)
    await page.press("history-range-1h")
    await expect(page.page).to_have_url(f"{page.url}/#/history?queue=cards&range=1h")
    await expect(chart.locator("canvas")).to_be_visible()
    # Sixty minutes, less the gap: what was not heard has no point.
    await expect(chart).to_have_attribute("data-points", _between(40, 48))
    await page.see("history-week").check()
    await expect(chart).to_have_attribute("data-week", _between(55, 62))
    await expect(page.see("history-events")).to_contain_text("火警", timeout=90_000)
    await expect(page.see("history-events")).not_to_contain_text("设备故障")
    # A range of one's own stands in the address, so that it can be sent to a colleague.
    await page.see("history-from").fill(_local(now - 2 * HOUR))
    await page.see("history-from").press("Enter")
    await expect(page.see("history-range-1h")).to_have_attribute("aria-pressed", "false")
    address = await page.page.evaluate("location.hash")
    assert "from=" in address
    assert "to=" in address
    await expect(chart).to_have_attribute("data-points", _between(90, 110))
    async with page.page.expect_download() as waiting:
        await page.see("history-csv-raw").click()
    path = await (await waiting.value).path()
    body = path.read_bytes()
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["时间", "UTC", "设备", "排队人数 (人)"]
    assert len(rows) > 90
    assert {row[2] for row in rows[1:]} == {"queue-1"}
    again = await visit()
    await open_at(again, address.partition("?")[2])
    await expect(again.see("history-chart")).to_have_attribute("data-points", _between(90, 110))
    await expect(again.see("history-week")).to_be_checked()
    for width in (390, 1600, 1920):
        await page.fits(width)
    assert not page.seen.complaints


async def test_any_window_zone_or_device(visit: Visit, gateway: Gateway) -> None:
    gateway.hear("reader-1", "badge", token="AA01", result="granted")
    gateway.hear("desk-1", "presence", present=True)
    gateway.hear("count-1", "people_count", occupancy=31)
    gateway.hear("air-1", "environment", temperature_c=21.5, co2_ppm=640)
    page = await visit()
    await expect(page.see("window-w1")).to_contain_text("在岗")
    await page.go("history")
    chart = page.see("history-chart")
    await page.press("history-sort-window")
    await expect(page.see("history-which")).to_have_value("w1")
    await expect(page.see("history-field")).to_have_value("staffing.staffed_pct")
    await page.press("history-range-1h")
    # The hall is younger than a week: that is said, and no line is promised.
    await page.see("history-week").check()
    await expect(page.see("history-no-week")).to_be_visible(timeout=60_000)
    await page.see("history-week").uncheck()
    # A change of the site file stands beside every curve.
    text = gateway.site_file.read_text("utf-8")
    gateway.site_file.write_text(text + "    display: {notices: [{zh: 周五闭馆, en: Closed on Friday}]}\n", "utf-8")
    await gateway.post("/api/v1/site/reload")
    await expect(page.see("history-events")).to_contain_text("场所文件已更改", timeout=90_000)
    await expect(page.see("history")).to_contain_text("◆")
    await expect(page.see("history")).to_contain_text("在岗", timeout=90_000)
    # A range that goes with the time is read again every half minute.
    await expect(chart).not_to_have_attribute("data-points", "0", timeout=90_000)
    await page.press("history-sort-zone")
    await page.see("history-which").select_option("waiting")
    await expect(page.see("history-field")).to_have_value("people_count.occupancy")
    await page.see("history-field").select_option("environment.co2_ppm")
    await expect(chart).to_have_attribute("data-points", "1", timeout=60_000)
    await page.press("history-sort-device")
    await page.see("history-which").select_option("count-1")
    await expect(chart).to_have_attribute("data-points", "1", timeout=60_000)
    # A device that nobody knows has no figure, and an address that makes no sense breaks nothing.
    await open_at(page, "device=gone&range=never&from=9&to=1")
    await expect(page.see("history")).to_contain_text("没有可画的数据")
    assert not page.seen.complaints


def _between(least: int, most: int) -> re.Pattern[str]:
    return re.compile("^(" + "|".join(map(str, range(least, most + 1))) + ")$")


def _local(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(at / 1000 + 8 * 3600))
