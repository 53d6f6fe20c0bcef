"""Presses that have words only, no name of their own: whole lists, crosses, ways back, jumps on a phone, choices."""

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

# More of everything than a list shows at once: sessions of a day, faults, messages of a run.
SESSIONS = [f"{hour:02}:00-{hour:02}:50" for hour in range(10)]
DAYS = "mon, tue, wed, thu, fri, sat, sun"
LAMPS = [f"lamp-{n}" for n in range(7)]
MORE_DEVICES = "".join(f"      - {{id: {lamp}, kinds: [equipment], zone: waiting, asset: other}}\n" for lamp in LAMPS)
MORE_MESSAGES = "".join(
    f"          - {{stage: active, audience: holders, text: {{zh: 到{zh}, en: To the {en}}}}}\n"
    for zh, en in (("东门", "east door"), ("西门", "west door"))
)
DEVICE, MESSAGE = "      - {id: help-1,", "          - {stage: active, audience: roles,"
ALL, FEWER, CLOSE = "显示全部", "收起", "关闭"


@pytest.fixture(scope="module")
def gateway(broker: Mosquitto, webhook: FakeWebhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The file's gateway, in a hall with more of everything."""
    shifts = f"    shifts:\n      - {{person: wang, window: w1, days: [{DAYS}], hours: {SESSIONS}}}\n"
    made = Gateway(tmp_path_factory.mktemp("gateway"), broker, webhook, shifts)
    text = made.site_file.read_text("utf-8")
    for before, more in ((DEVICE, MORE_DEVICES), (MESSAGE, MORE_MESSAGES)):
        assert text.count(before) == 1
        text = text.replace(before, more + before)
    made.site_file.write_text(text, "utf-8")
    with made as running:
        running.add_user("duty", "wang")
        yield running


async def at(page: HallPage, place: str) -> None:
    await page.page.evaluate(f"location.hash = '{place}'")


async def unfolds(part: str, rows: str, page: HallPage, most: int) -> None:
    """The list of this part shows `most`, all when asked, and `most` again."""
    area = page.page.locator(part)
    shown = area.locator(rows)
    await expect(shown).to_have_count(most)
    button = area.get_by_role("button", name=ALL)
    whole = re.search(r"\d+", await button.inner_text())
    assert whole is not None
    assert int(whole[0]) > most
    await button.click()
    await expect(shown).to_have_count(int(whole[0]))
    await area.get_by_role("button", name=FEWER).click()
    await expect(shown).to_have_count(most)


async def test_alarms_and_people_are_shown_whole_and_a_card_leads_to_its_ticket(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await unfolds("#people", "tbody tr", page, 9)
    for lamp in LAMPS:
        gateway.hear(lamp, "equipment", state="fault", code="E1")
    problems = page.see("problems")
    # At least these: a device that has fallen silent by now stands beside them.
    await expect(problems.get_by_role("button", name=re.compile(rf"{ALL} ([{len(LAMPS)}-9]|\d\d)"))).to_be_visible()
    await unfolds("#problems", "li[data-testid^='alarm-']", page, 6)
    await page.page.set_viewport_size({"width": 390, "height": 844})
    await expect(page.page.locator("#tickets")).not_to_be_in_viewport()
    await problems.locator("a[href='#tickets']").first.click()
    await expect(page.page.locator("#tickets")).to_be_in_viewport()


async def test_a_refusal_and_what_a_reload_told_are_closed_by_their_crosses(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await gateway.act(do="pause_window", window="w1", reason="")
    resume, trouble = page.see("resume-w1"), page.see("trouble")
    await expect(resume).to_be_visible()
    await page.page.route("**/api/v1/actions", lambda route: route.abort())
    await resume.click()
    await expect(trouble).to_be_visible()
    await trouble.get_by_role("button", name=CLOSE).click()
    await expect(trouble).to_have_count(0)
    await page.page.unroute("**/api/v1/actions")
    await resume.click()
    await expect(resume).to_have_count(0)
    await expect(trouble).to_have_count(0)
    await page.go("devices")
    await page.press("site-reload")
    told = page.see("site-told")
    await expect(told).to_contain_text("没有改动")
    await told.get_by_role("button", name=CLOSE).click()
    await expect(told).to_have_count(0)


async def test_a_run_shows_all_its_messages_leads_back_and_is_found_among_the_past(
    visit: Visit, gateway: Gateway
) -> None:
    page = await visit("duty")
    (run,) = await gateway.act(do="start_plan", plan="fire", confirm="fire", drill=True, note="每季一次")
    await page.press(f"open-{run}")
    await unfolds(f"section[data-testid='run-{run}']", "li[data-testid^='message-']", page, 6)
    await page.page.get_by_role("link", name="返回大厅").click()
    await expect(page.see("summary")).to_be_visible()
    await gateway.act(do="stand_down", run=run, reason="drill_over", note="比上次快一分钟")
    past = page.page.locator("#past")
    await expect(past.get_by_test_id(f"run-{run}")).not_to_be_visible()
    await past.locator("summary").click()
    await expect(past.get_by_test_id(f"run-{run}")).to_have_attribute("data-stage", "ended")
    await past.get_by_test_id(f"open-{run}").click()
    story = page.see("story")
    await expect(story).to_contain_text("预案结束")
    await expect(story.locator("q")).to_have_text(["比上次快一分钟", "每季一次"])


async def test_the_audit_is_read_again_and_narrowed_by_who_and_by_what(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await page.go("audit")
    lines = page.see("audit-line")
    about, own = lines.filter(has_text="w2"), lines.filter(has_text="duty")
    await expect(own.first).to_be_visible()
    await expect(about).to_have_count(0)
    await gateway.act(do="pause_window", window="w2", reason="")
    await gateway.act(do="resume_window", window="w2")
    await page.page.get_by_role("button", name="刷新").click()
    await expect(about).to_have_count(2)
    await about.first.get_by_role("button", name="w2").click()
    await expect(page.see("audit-about")).to_have_value("w2")
    await expect(lines).to_have_count(2)
    await page.press("audit-all")
    await own.first.get_by_role("button", name="duty", exact=True).first.click()
    await expect(page.see("audit-who")).to_have_value("duty")
    await expect(about).to_have_count(0)
    await expect(own.first).to_be_visible()


async def test_the_list_holds_what_needs_a_look_or_what_is_retired(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    gateway.hear("air-1", "environment", temperature_c=21)
    gateway.hear("old-1", "environment", temperature_c=21)
    await page.go("devices")
    # The site's own devices are retired in its file; one that was found is by a word.
    await expect(page.see("awaiting-old-1")).to_be_visible()
    await gateway.act(do="approve_device", device="old-1", kinds=["environment"], zone="waiting")
    await gateway.act(do="retire_device", device="old-1")
    await page.press("devices-all")
    await expect(page.see("device-air-1")).to_have_attribute("data-liveness", "online")
    await expect(page.see("device-old-1")).to_have_count(0)
    await page.page.get_by_role("button", name="已停用").click()
    await expect(page.page.locator("#devices tr[data-liveness]")).to_have_count(1)
    await expect(page.see("device-old-1")).to_be_visible()
    await page.page.get_by_role("button", name="需查看").click()
    await expect(page.see("device-desk-1")).to_be_visible()
    for well_or_gone in ("air-1", "old-1"):
        await expect(page.see(f"device-{well_or_gone}")).to_have_count(0)


async def test_a_device_s_figures_are_chosen_and_followed_to_the_history(visit: Visit) -> None:
    page = await visit("duty")
    await at(page, "#/device/air-1")
    field = page.see("device-history").get_by_role("combobox", name="数据项")
    second = await field.locator("option").nth(1).inner_text()
    await field.select_option(label=second)
    await page.see("device-history").get_by_role("link", name="更多历史").click()
    await expect(page.see("history-which")).to_have_value("air-1")
    chosen = page.see("history-field").locator("option:checked")
    await expect(chosen).to_have_text(second)


async def test_who_may_not_look_logs_in_on_the_spot_and_reads_the_whole_quarantine(
    visit: Visit, gateway: Gateway
) -> None:
    for n in range(21):
        gateway.broker.publish("hallwatch/v1/main/telemetry/air-1/environment", f"no JSON {n}")
    page = await visit()
    await at(page, "#/device/air-1")
    await page.see("device-raw").get_by_role("button", name="登录").click()
    await expect(page.see("dialog-login")).to_be_visible()
    await page.page.keyboard.press("Escape")
    await page.see("device-account").get_by_role("link", name="隔离的消息").click()
    await expect(page.see("nav-quarantine")).to_have_attribute("aria-current", "page")
    area = page.see("quarantine")
    await expect(area.locator("header")).to_contain_text("21")
    await area.get_by_role("button", name="登录").click()
    await page.log_in("duty")
    held = page.page.locator("[data-testid^='held-']")
    await expect(held).to_have_count(20)
    await area.get_by_role("button", name="更早的").click()
    await expect(held).to_have_count(21)
    await expect(area.get_by_role("button", name="更早的")).to_have_count(0)
    await held.last.get_by_role("button", name="修改", exact=True).click()
    text = held.last.locator("[data-testid^='mend-text-']")
    await text.fill("never sent")
    await held.last.get_by_role("button", name="不改了").click()
    await expect(text).to_have_count(0)
    await expect(held.last).to_contain_text("no JSON 0")


async def test_a_pause_lasts_as_long_as_one_chose(visit: Visit) -> None:
    page = await visit("duty")
    await page.press("pause-w2")
    half = page.see("dialog-pause").get_by_role("button", name="30 分钟")
    await expect(half).to_have_attribute("aria-pressed", "false")
    await half.click()
    await expect(half).to_have_attribute("aria-pressed", "true")
    await page.press("submit")
    # More than the quarter of an hour that stood there.
    await expect(page.see("window-w2")).to_contain_text(re.compile(r"\((2\d:\d\d|30:00)\)"))
    await page.press("resume-w2")
    await expect(page.see("resume-w2")).to_have_count(0)


async def test_on_a_phone_a_thumb_jumps_to_a_section_and_unfolds_the_legend(visit: Visit) -> None:
    page = await visit()
    await page.page.set_viewport_size({"width": 390, "height": 844})
    await page.page.reload()
    jumps = page.page.get_by_role("navigation", name="快速跳转")
    for name, place in (("窗口", "windows"), ("排队", "queues"), ("告警", "problems"), ("平面图", "plan")):
        await jumps.get_by_role("link", name=name).click()
        await expect(page.page).to_have_url(re.compile(f"#{place}$"))
        await expect(page.page.locator(f"#{place}").get_by_role("heading").first).to_be_in_viewport()
    legend = page.page.locator("details.legend")
    await expect(legend.get_by_role("list").first).not_to_be_visible()
    await legend.locator("summary").click()
    await expect(legend.get_by_role("list").first).to_be_visible()
    # From another page the same thumb leads to the hall.
    await page.go("devices")
    await jumps.get_by_role("link", name="排队").click()
    await expect(page.see("nav-hall")).to_have_attribute("aria-current", "page")


async def test_the_plan_and_an_alarm_lead_to_the_device_and_its_curve(visit: Visit, gateway: Gateway) -> None:
    page = await visit("duty")
    await page.press("plan-window-w1")
    detail = page.see("plan-detail")
    await detail.get_by_role("button", name="printer-1").click()
    await expect(detail).to_have_attribute("data-about", "printer-1")
    await detail.get_by_role("link", name="详情").click()
    await expect(page.see("device-page")).to_contain_text("printer-1")
    gateway.hear("help-1", "button", lane="safety", action="help")
    await page.go("hall")
    await page.one("alarm", "求助").get_by_role("link").first.click()
    await page.page.get_by_role("link", name="历史曲线").click()
    await expect(page.page).to_have_url(re.compile("#/history.*device=help-1"))
    await expect(page.see("history-sort-device")).to_have_attribute("aria-pressed", "true")


async def test_a_token_lasts_as_long_as_one_chose(visit: Visit) -> None:
    page = await visit("duty")
    await page.go("users")
    for name, lasts in (("wall", "不限期"), ("report", "有效至")):
        await page.press("token-new")
        await page.see("token-name").fill(name)
        if lasts == "不限期":
            await page.page.get_by_label("有效期").select_option(label=lasts)
        await page.press("token-add")
        await expect(page.see(f"token-{name}")).to_contain_text(lasts)
