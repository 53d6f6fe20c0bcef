"""The system's Chromium, driven by Playwright: no browser is downloaded, and none calls home."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.servers.find import chromium_program

# Chromium asks its maker's hosts at every start: nobody's affair, and slow where the network is closed.
QUIET = (
    "background-networking",
    "component-update",
    "sync",
    "default-apps",
    "domain-reliability",
    "gpu",
    "quic",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser for the length of a block."""
    arguments = [f"--disable-{what}" for what in QUIET] + ["--no-first-run"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    binary = chromium_program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=binary, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()
