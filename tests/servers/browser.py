"""Headless Chromium that sees loopback and nothing else."""

from types import TracebackType
from typing import Self

from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from tests.servers.process import ServerFailed, required

_QUIET = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

#: Chromium gives up what it loads when the machine gets or loses a network interface, as it does whenever a
#: test beside this one starts an engine of containers: then the page is loaded anew.
_CHANGED = "ERR_NETWORK_CHANGED"
_TRIES = 10


class Browser:
    """The system's Chromium, driven by playwright in the loop of the test.

    `errors` holds what any page complained of: console errors, uncaught exceptions, requests that failed.
    """

    def __init__(self) -> None:
        self._program = required("chromium", "Chromium", "apt-get install chromium fonts-dejavu-core")
        self.errors: list[str] = []
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None

    async def __aenter__(self) -> Self:
        self._playwright = await async_playwright().start()
        try:
            self._chromium = await self._playwright.chromium.launch(
                executable_path=self._program, args=list(_QUIET)
            )
        except BaseException:
            await self._playwright.stop()
            raise
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._chromium is not None
        assert self._playwright is not None
        await self._chromium.close()
        await self._playwright.stop()

    async def page(
        self, url: str, *, dark: bool = False, width: int = 1280, height: int = 900, scripts: bool = True
    ) -> Page:
        """Open an address in a fresh context and wait until it is loaded."""
        assert self._chromium is not None
        for _ in range(_TRIES):
            before = len(self.errors)
            context = await self._chromium.new_context(
                color_scheme="dark" if dark else "light",
                viewport={"width": width, "height": height},
                java_script_enabled=scripts,
            )
            page = await self._load(context, url)
            if page is not None and not any(_CHANGED in error for error in self.errors[before:]):
                return page
            await context.close()
            del self.errors[before:]
        raise ServerFailed(f"the network of this machine changed {_TRIES} times while {url} was loaded")

    async def _load(self, context: BrowserContext, url: str) -> Page | None:
        page = await context.new_page()
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", lambda request: self.errors.append(f"{request.url} {request.failure}"))
        try:
            await page.goto(url)
        except PlaywrightError as error:
            if _CHANGED not in str(error):
                raise
            return None
        return page

    async def screenshot(self, url: str, *, dark: bool = False) -> bytes:
        """The whole page as PNG."""
        page = await self.page(url, dark=dark)
        try:
            return await page.screenshot(full_page=True)
        finally:
            await page.context.close()
