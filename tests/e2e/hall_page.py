"""The page as people use it: what they see, what they press, and a record of all that their browser did."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Locator, Page, Request, WebSocket, expect

from tests.e2e.gateway import PASSWORD


@dataclass
class Seen:
    """What a browser did: addresses asked for, frames that came in, and what its console complained of.

    No slots: Playwright writes its own marks on the object whose methods it calls.
    """

    requests: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Record from now on."""
        page.on("request", self._request)
        page.on("websocket", self._websocket)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _websocket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)
        socket.on("framereceived", lambda frame: self.frames.append(str(frame)))

    def _console(self, message: ConsoleMessage) -> None:
        # That a sound must wait for the first touch is the browser's rule, and the page says it (Sound.svelte).
        waits = message.text.startswith("The AudioContext was not allowed to start")
        if message.type in {"error", "warning"} and not waits:
            self.complaints.append(message.text)

    @property
    def origins(self) -> set[str]:
        """Hosts and ports that were asked, but for what never leaves the browser (data:, blob:)."""
        parts = [urlsplit(address) for address in self.requests]
        return {part.netloc for part in parts if part.scheme not in {"data", "blob"}}


@dataclass(frozen=True, slots=True)
class HallPage:
    """One open page."""

    page: Page
    seen: Seen
    url: str

    def see(self, name: str) -> Locator:
        """The part of this name (data-testid)."""
        return self.page.get_by_test_id(name)

    def one(self, sort: str, text: str) -> Locator:
        """The alarm, ticket or run (`sort`) that says `text`; its id is the system's own."""
        return self.page.locator(f"[data-testid^='{sort}-']:is(li, section)").filter(has_text=text)

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.see(name).click()

    async def go(self, name: str) -> None:
        """Open a page by its place in the navigation: `hall`, `devices`, `history`, `quarantine`."""
        await self.see(f"nav-{name}").click()
        await expect(self.see(f"nav-{name}")).to_have_attribute("aria-current", "page")

    async def press_in(self, part: Locator, name: str, *, sure: bool = False) -> None:
        """Press the button of a part whose name begins so; `sure` where it asks for a second tap."""
        button = part.locator(f"button[data-testid^='{name}-']")
        await button.click()
        if sure:
            await button.click()

    async def log_in(self, user: str) -> None:
        """Log in with the form that is open, or open it."""
        if not await self.see("dialog-login").is_visible():
            await self.press("login")
        await self.see("login-user").fill(user)
        await self.see("login-password").fill(PASSWORD)
        await self.press("login-submit")
        await expect(self.see("me")).to_contain_text(user)
        await expect(self.see("dialog-login")).to_have_count(0)

    async def fits(self, width: int, height: int = 900) -> None:
        """At this width nothing has to be scrolled sideways, and nothing is cut off to make it so."""
        await self.page.set_viewport_size({"width": width, "height": height})
        wide = await self.page.evaluate(
            """() => {
              const root = document.documentElement
              return [root, document.body].map((one) => [one.scrollWidth, getComputedStyle(one).overflowX])
            }"""
        )
        for scroll_width, overflow in wide:
            assert scroll_width <= width
            assert overflow == "visible"
