"""A real browser for the pages: Debian's Chromium, driven by Playwright, watched for mistakes."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

# What a browser otherwise does by itself: call home, update, ask for a keyring.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--password-store=basic",
    "--use-mock-keychain",
)
# A camera of a browser that has none, and nobody who could be asked.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
# What devices do takes seconds, and much longer where many tests share a core.
PATIENCE_MS = 60_000
WIDE: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start one Chromium for all tests of a file.

    Its driver keeps an event loop in this thread, in which tests with loops of their own could not
    begin; so it ends with the file.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_playwright() as driver:
        expect.set_options(timeout=PATIENCE_MS)
        browser = driver.chromium.launch(executable_path=executable, args=[*QUIET, *CAMERA])
        yield browser
        browser.close()


class Watched:
    """One browser profile. What goes wrong in its pages fails the test, unless it was announced."""

    def __init__(self, context: BrowserContext) -> None:
        """Watch everything that opens in `context`."""
        self.context = context
        self.mistakes: list[str] = []
        self.expected: list[str] = []  # parts of messages that do not count
        context.set_default_timeout(PATIENCE_MS)
        context.on("page", self._attend)

    def open(self, url: str) -> Page:
        """Open a page in a new tab."""
        page = self.context.new_page()
        page.goto(url)
        return page

    def check(self) -> None:
        """Raise AssertionError for scripts that failed and for whatever was asked of others."""
        unexpected = [
            mistake
            for mistake in self.mistakes
            if not any(part in mistake for part in self.expected)
        ]
        assert unexpected == []

    def _attend(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.mistakes.append(f"script: {error}"))
        page.on("console", self._heard)
        page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.mistakes.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "http://localhost:", "blob:", "data:")):
            self.mistakes.append(f"asked elsewhere: {request.url}")


@pytest.fixture
def profile(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """Return what makes a browser profile: `profile()`, or with options of Playwright's contexts."""
    made: list[Watched] = []

    def make(**options: object) -> Watched:
        context = chromium.new_context(**{"viewport": WIDE, "locale": "en-GB", **options})  # type: ignore[arg-type]
        made.append(Watched(context))
        return made[-1]

    yield make
    for one in made:
        one.context.close()
    for one in made:
        one.check()


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Return a check of a page against the rules of axe-core: it names what breaks which rule."""
    axe = Axe()

    def check(page: Page) -> None:
        found = axe.run(page).response["violations"]
        assert [
            (rule["id"], rule["help"], [node["html"][:200] for node in rule["nodes"]])
            for rule in found
        ] == []

    return check
