"""Who comes in, and with what: the first admin's link, a colleague's, roles as they are tried, tokens, the audit."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import trustme
from playwright.async_api import Browser, expect

from dashboard.server.rights import RIGHTS, Right, Role
from tests.e2e.conftest import Visit
from tests.e2e.gateway import PASSWORD, Gateway
from tests.e2e.hall_page import HallPage, Seen
from tests.fakes.webhook import FakeWebhook
from tests.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW = "another good password"
NAMES = re.compile("王敏|Wang Min|李强|Li Qiang")
# A button of the hall and of the devices' page, and the right without which it is not there.
BUTTONS = {
    "button[data-testid='pause-w1']": Right.WINDOW,
    "button[data-testid^='ack-']": Right.ANSWER,
    "button[data-testid^='accept-']": Right.TICKET,
    "button[data-testid='report-fault']": Right.REPORT,
    "button[data-testid='start-plan-button']": Right.PLAN,
    "a[data-testid='nav-users']": Right.USERS,
    "a[data-testid='nav-audit']": Right.AUDIT,
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def busy(gateway: Gateway) -> AsyncIterator[Gateway]:
    """A hall with somebody at a window and a fault, and one login of each role."""
    for role in Role:
        gateway.add_user(f"a-{role}", role=role)
    gateway.hear("reader-1", "badge", token="AA01", result="granted")
    gateway.hear("desk-1", "presence", present=True)
    gateway.hear("printer-1", "equipment", state="fault", code="paper_jam")
    yield gateway


async def at(page: HallPage, place: str) -> HallPage:
    """Go where an address leads."""
    await page.page.evaluate(f"location.hash = {place!r}")
    return page


async def choose(page: HallPage, link: str, password: str, again: str | None = None) -> None:
    """Open a one-time link and choose a password."""
    await page.page.goto(link)
    await page.see("first-password").fill(password)
    await page.see("first-again").fill(password if again is None else again)
    await page.press("first-submit")


class Reached(Gateway):
    """A gateway as others reach it."""

    def __init__(self, folder: Path, broker: Mosquitto, webhook: FakeWebhook, *how: str) -> None:
        super().__init__(folder, broker, webhook)
        self.process.command += how

    def url_or_none(self) -> str | None:
        """By https too."""
        found = re.findall(r"https?://127\.0\.0\.1:\d+", self.log())
        return found[-1] if found else None


# -- the first start


async def holds(condition: Callable[[], bool]) -> None:
    """Wait for what a busy machine may take a while for."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


async def test_the_first_admin_comes_by_a_link_once(
    browser: Browser, broker: Mosquitto, webhook: FakeWebhook, tmp_path: Path
) -> None:
    with Reached(tmp_path / "gateway", broker, webhook, "--behind-proxy") as gateway:
        file = gateway.data / "first-admin.url"
        await holds(lambda: file.exists() and file.stat().st_size > 0)
        assert file.stat().st_mode & 0o777 == 0o600
        link = file.read_text("utf-8").strip()
        assert link.partition("/first/")[2] not in gateway.log()
        context, other = await browser.new_context(locale="zh-CN"), await browser.new_context(locale="zh-CN")
        page = HallPage(await context.new_page(), Seen(), gateway.url)
        late = HallPage(await other.new_page(), Seen(), gateway.url)
        await page.page.goto(link)
        # The hall is for who has a login: neither its form nor its banner stands before this one.
        await expect(page.see("main")).to_have_attribute("data-link", "refused")
        await expect(page.see("main")).not_to_have_class(re.compile(r"\bold\b"))
        await expect(page.see("dialog-login")).to_have_count(0)
        await expect(page.see("link-banner")).to_have_count(0)
        await page.see("first-user").fill("zhang")
        await choose_here(page, NEW, "not alike at all")
        await expect(page.see("first-trouble")).to_contain_text("两次输入的密码不同")
        await choose_here(page, NEW, NEW)
        # Straight to where colleagues are let in, as an admin.
        await expect(page.see("user-zhang")).to_be_visible()
        await expect(page.see("me")).to_contain_text("zhang")
        await late.page.goto(gateway.url)
        await expect(late.see("dialog-login")).to_be_visible()
        await late.page.goto(link)
        await late.page.reload()
        await late.see("first-user").fill("li")
        await choose_here(late, NEW, NEW)
        await expect(late.see("first-trouble")).to_contain_text("链接无效")
        await context.close()
        await other.close()
        gateway.stop()
        gateway.start()
        # Somebody can log in: the link of before is gone, and no other is made.
        await holds(lambda: not file.exists())


async def choose_here(page: HallPage, password: str, again: str) -> None:
    """Fill in the form that is open."""
    await page.see("first-password").fill(password)
    await page.see("first-again").fill(again)
    await page.press("first-submit")


async def test_over_tls_the_page_lives_and_its_cookie_is_for_tls_alone(
    browser: Browser, broker: Mosquitto, webhook: FakeWebhook, tmp_path: Path
) -> None:
    issued = trustme.CA().issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(str(cert))
    issued.private_key_pem.write_to_path(str(key))
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    with Reached(tmp_path / "gateway", broker, webhook, *tls) as gateway:
        assert gateway.url.startswith("https://")
        gateway.add_user("duty", "wang")
        context = await browser.new_context(locale="zh-CN", ignore_https_errors=True)
        page = HallPage(await context.new_page(), Seen(), gateway.url)
        page.seen.watch(page.page)
        await page.page.goto(gateway.url)
        await page.log_in("duty")
        await expect(page.see("main")).to_have_attribute("data-link", "live")
        assert [one for one in page.seen.requests if one.startswith("wss://")]
        (cookie,) = await context.cookies()
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
        assert cookie["expires"] == -1, "gone with the browser"
        assert await page.page.evaluate("document.cookie") == ""
        await context.close()


# -- logins


async def test_a_wrong_password_is_said_and_a_guesser_waits(visit: Visit, busy: Gateway) -> None:
    busy.add_user("guessed", role="viewer")
    page = await visit()
    await page.press("login")
    await page.see("login-user").fill("guessed")
    for _ in range(5):
        await page.see("login-password").fill("a guess")
        await page.press("login-submit")
        await expect(page.see("login-trouble")).to_contain_text("用户名或密码不对")
        await expect(page.see("login-submit")).to_be_enabled()
    await page.see("login-password").fill(PASSWORD)
    await page.press("login-submit")
    await expect(page.see("login-trouble")).to_contain_text("登录失败太多次")
    await expect(page.see("me")).to_have_count(0)


async def test_an_admin_lets_a_colleague_in_who_chooses_the_password(visit: Visit, busy: Gateway) -> None:
    admin, page = await visit("a-admin"), await visit()
    await admin.go("users")
    await admin.press("user-new")
    await admin.see("user-name").fill("zhao")
    await admin.see("user-role").select_option("staff")
    await expect(admin.see("role-told")).to_contain_text("可见姓名")
    await admin.press("user-add")
    link = await admin.see("user-link").inner_text()
    await expect(admin.see("user-zhao")).to_contain_text("等待本人设定密码")
    await choose(page, link, NEW, "not alike")
    await expect(page.see("first-trouble")).to_contain_text("两次输入的密码不同")
    await choose_here(page, NEW, NEW)
    await expect(page.see("me")).to_contain_text("zhao")
    await expect(page.see("people-w1")).to_contain_text("王敏")
    # The list is fetched anew when something is done on it.
    await admin.see("user-role-zhao").select_option("coordinator")
    await expect(admin.see("users-told")).to_contain_text("zhao")
    await expect(admin.see("user-zhao")).not_to_contain_text("等待本人设定密码")
    await expect(page.see("me")).to_have_count(0)
    # A reset: the old password ends at once, the link of before opens nothing.
    await admin.press("user-link-close")
    await admin.press("user-reset-zhao")
    await admin.press("user-reset-zhao")
    other = await admin.see("user-link").inner_text()
    assert other != link
    await choose(page, link, NEW)
    await expect(page.see("first-trouble")).to_contain_text("链接无效")
    late = await visit()
    await choose(late, other, PASSWORD)
    await expect(late.see("me")).to_contain_text("zhao")
    # Shut out: at once, with the page open.
    await admin.press("user-state-zhao")
    await admin.press("user-state-zhao")
    await expect(admin.see("user-zhao")).to_contain_text("已停用")
    await expect(late.see("me")).to_have_count(0)
    # What the server refuses is said, and does not stay in the list as if it had been done.
    await admin.press("user-new")
    await admin.see("user-name").fill("zhao")
    await admin.press("user-add")
    await expect(admin.see("users-trouble")).to_contain_text("已被占用")
    for one in (link, other):
        assert one.partition("/password/")[2].partition("?")[0] not in busy.log()
    for width in (390, 1600):
        await admin.fits(width)


async def test_ones_own_password_and_out_of_everywhere(visit: Visit, busy: Gateway) -> None:
    busy.add_user("mei", role="staff")
    page, elsewhere = await visit("mei"), await visit("mei")
    await page.press("me")
    await expect(page.see("me-role")).to_have_text("窗口人员")
    await expect(page.see("may-names")).to_be_visible()
    await expect(page.see("may-users")).to_have_count(0)
    for old, told in (("a guess", "me-trouble"), (PASSWORD, "me-saved")):
        await page.see("me-old").fill(old)
        await page.see("me-new").fill(NEW)
        await page.see("me-again").fill(NEW)
        await page.press("me-save")
        await expect(page.see(told)).to_be_visible()
    # Here one stays, elsewhere one is out.
    await expect(elsewhere.see("me")).to_have_count(0)
    await expect(page.see("me")).to_contain_text("mei")
    await page.press("me-leave")
    await page.press("me-leave")
    await expect(page.see("me")).to_have_count(0)
    await expect(page.see("denied")).to_be_visible()
    await page.fits(390)


# -- roles


@pytest.mark.parametrize("role", Role)
async def test_each_role_sees_its_names_and_its_buttons_and_no_others(visit: Visit, busy: Gateway, role: Role) -> None:
    page = await visit(f"a-{role}")
    await expect(page.see("window-w1")).to_have_attribute("data-staffing", "staffed")
    await expect(page.one("alarm", "printer-1")).to_be_visible()
    for button, right in BUTTONS.items():
        found = page.page.locator(f"{button}:visible")
        if right in RIGHTS[role]:
            await expect(found.first).to_be_visible()
        else:
            await expect(found).to_have_count(0)
    await at(page, "#/devices")
    await expect(page.see("site-reload")).to_have_count(1 if Right.DEVICE in RIGHTS[role] else 0)
    for place, right in (("users", Right.USERS), ("audit", Right.AUDIT)):
        await at(page, f"#/{place}")
        await expect(page.see("denied")).to_have_count(0 if right in RIGHTS[role] else 1)
        await expect(page.see(place)).to_have_count(1 if right in RIGHTS[role] else 0)
    # Neither what is shown, nor what came over the wire for it.
    await at(page, "#/")
    await expect(page.see("window-w1")).to_be_visible()
    shown = await page.page.locator("body").inner_text()
    came = "".join(page.seen.frames)
    for text in (shown, came):
        assert bool(NAMES.search(text)) is (Right.NAMES in RIGHTS[role])
    # What has no button is refused all the same.
    status = await page.page.evaluate("fetch('api/v1/users').then((answer) => answer.status)")
    assert status == (200 if Right.USERS in RIGHTS[role] else 403)
    assert not [one for one in page.seen.complaints if "403" not in one]


async def test_without_a_login_nothing_of_persons_is_shown(visit: Visit, busy: Gateway) -> None:
    page = await visit()
    await expect(page.see("window-w1")).to_have_attribute("data-staffing", "staffed")
    assert not NAMES.search(await page.page.locator("body").inner_text())
    assert not NAMES.search("".join(page.seen.frames))
    for place in ("users", "audit", "me"):
        await at(page, f"#/{place}")
        await page.see("denied").get_by_role("button", name="登录").click()
        await expect(page.see("dialog-login")).to_be_visible()
        await page.page.keyboard.press("Escape")


# -- programs, and what was done


async def test_a_token_is_made_used_and_ended_on_the_page(visit: Visit, busy: Gateway) -> None:
    page = await visit("a-admin")
    await page.go("users")
    await page.press("token-new")
    await page.see("token-name").fill("grafana")
    await page.see("token-role").select_option("viewer")
    await page.press("token-add")
    secret = await page.see("token-secret").inner_text()
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession(busy.url, headers=headers) as program:
        async with program.get("/api/v1/status") as answer:
            assert answer.status == 200
        async with program.get("/api/v1/users") as answer:
            assert answer.status == 403
        await page.press("token-secret-close")
        assert secret not in await page.page.content(), "shown once"
        await page.press("revoke-grafana")
        await page.press("revoke-grafana")
        await expect(page.see("token-grafana")).to_contain_text("已吊销")
        async with program.get("/api/v1/status") as answer:
            assert answer.status == 401
    assert secret not in busy.log()
    for file in busy.data.iterdir():
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file


async def test_a_manager_reads_who_did_what_and_finds_it(visit: Visit, busy: Gateway) -> None:
    staff, page = await visit("a-staff"), await visit("a-manager")
    await staff.page.evaluate("fetch('api/v1/users').then((answer) => answer.status)")
    ack = staff.page.locator("button[data-testid^='ack-']:visible").first
    alarm = (await ack.get_attribute("data-testid") or "").removeprefix("ack-")
    await ack.click()
    await expect(staff.see(f"ack-{alarm}")).to_have_count(0)
    await page.go("audit")
    lines = page.see("audit-line")
    done = lines.filter(has_text=alarm).filter(has_text="a-staff")
    await expect(done).to_contain_text("确认告警")
    await expect(done).to_have_attribute("data-outcome", "done")
    # Narrowed by what a line names, and by the form; cleared again.
    await done.get_by_role("button", name=alarm, exact=True).click()
    await expect(page.see("audit-about")).to_have_value(alarm)
    await expect(lines).to_have_count(1)
    await page.press("audit-all")
    await expect(lines).not_to_have_count(1)
    await page.see("audit-who").fill("a-staff")
    await page.see("audit-who").press("Enter")
    await page.see("audit-sort").select_option("look")
    await expect(lines.first).to_contain_text("看到姓名")
    await expect(lines.filter(has_not_text="a-staff")).to_have_count(0)
    await expect(lines.filter(has_not_text="看到姓名")).to_have_count(0)
    await page.see("audit-day").fill("2001-01-01")
    await expect(page.see("audit-none")).to_be_visible()
    for width in (390, 1600):
        await page.fits(width)
