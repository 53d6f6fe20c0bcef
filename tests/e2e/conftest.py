"""A broker, a gateway and a webhook for each file; one browser for all; a picture of each page of a failed test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from tests.e2e.gateway import Gateway
from tests.e2e.hall_page import HallPage, Seen
from tests.fakes.webhook import FakeWebhook, fake_webhook
from tests.servers.browser import chromium
from tests.servers.mosquitto import Mosquitto

# No measure of speed: how long a busy machine may take until the page shows what happened.
PATIENCE_MS = 20_000
FAILED = pytest.StashKey[bool]()
Visit = Callable[..., Awaitable[HallPage]]

expect.set_options(timeout=PATIENCE_MS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the fixtures that the test has failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The one Chromium; each test has contexts of its own in it."""
    async with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """The file's broker."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def webhook() -> AsyncIterator[FakeWebhook]:
    """Where the file's messages go."""
    async with fake_webhook() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(broker: Mosquitto, webhook: FakeWebhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The file's gateway; `duty` is the login of Wang."""
    with Gateway(tmp_path_factory.mktemp("gateway"), broker, webhook) as running:
        running.add_user("duty", "wang")
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    browser: Browser, gateway: Gateway, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Visit]:
    """Opens the page as somebody new, who has logged in as `user` if one is named."""
    contexts: list[BrowserContext] = []

    async def open_page(user: str | None = None, *, locale: str = "zh-CN", query: str = "") -> HallPage:
        context = await browser.new_context(locale=locale, viewport={"width": 1440, "height": 1000})
        contexts.append(context)
        page = HallPage(await context.new_page(), Seen(), gateway.url)
        page.seen.watch(page.page)
        await page.page.goto(f"{gateway.url}/{query}")
        await expect(page.see("main")).to_have_attribute("data-link", "live")
        await expect(page.see("summary")).to_be_visible()
        if user is not None:
            await page.log_in(user)
        return page

    yield open_page
    for number, context in enumerate(contexts):
        if request.node.stash.get(FAILED, False):
            await context.pages[0].screenshot(path=tmp_path / f"page-{number}.png", full_page=True)
        await context.close()
