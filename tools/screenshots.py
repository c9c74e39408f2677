"""Make the pictures of the pages, from fleets that really run: `python -m tools.screenshots [NAME...]`.

Which pictures there are is one table; `tests/live/web/test_screenshots.py` compares the papers and
the folder with it. Pictures have few colours, as is enough for pages, and so few bytes.
"""

import argparse
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.live.web.conftest import QUIET
from tests.live.web.fleets import fleet_up
from tests.live.web.premises import command

FOLDER = Path(__file__).parents[1] / "fleet" / "web" / "pictures"
BYTES_MAX = 120_000
COLOURS = (256, 160, 96, 64, 32)  # the most that fit into so many bytes
PATIENCE_MS = 120_000
WIDE, PHONE, TALL = (1280, 860), (390, 780), (390, 1240)
DEVICES_OF_RUN, DEVICES_AT_BENCH = 120, 9
SERVICE, OWNER = "after-sale@maker", "owner@maker"


LIT = '[data-colour="amber"]'


class Picture(NamedTuple):
    """One picture: what it shows, in which scheme and size, and when.

    `moment` is a selector that something fits while the picture is taken.
    """

    name: str
    words: str
    scheme: str
    size: tuple[int, int]
    moment: str = ""


PICTURES = (
    Picture("demo", "A camera that was just unbound", "light", (1280, 1000), LIT),
    Picture(
        "demo-states",
        "Light, states and what they mean, of a recorder",
        "dark",
        (1280, 1000),
    ),
    Picture("wall", "The light wall in the middle of a run", "dark", WIDE),
    Picture("life-line", "The life line of one device", "dark", (1280, 1000)),
    Picture("run", "The live run view", "light", (1280, 1000)),
    Picture("report", "The report of a run", "light", (1280, 1000)),
    Picture("app-code", "A code for cameras, and who has read it", "light", TALL),
    Picture("app-wired", "Wired devices that were found", "dark", PHONE),
    Picture("console-quotas", "Batches and quotas of an account", "light", WIDE),
    Picture("console-history", "The history of operations", "dark", WIDE),
)


class Studio:
    """Opens pages as the table wants them, and keeps the pictures that are asked for."""

    def __init__(self, browser: Browser, wanted: set[str]) -> None:
        """Take only `wanted` pictures."""
        self._browser = browser
        self._wanted = wanted

    def wants(self, *names: str) -> bool:
        """Say whether any of these is wanted."""
        return bool(self._wanted.intersection(names))

    @contextmanager
    def visited(self, url: str, **options: Any) -> Iterator[Page]:
        """Open a page of which there is to be no picture."""
        context = self._browser.new_context(locale="en-GB", **options)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(url)
        yield page
        context.close()

    @contextmanager
    def opened(self, name: str, url: str) -> Iterator[Page]:
        """Open a page as it is to be pictured; the picture is taken at the end of the block."""
        picture = next(one for one in PICTURES if one.name == name)
        width, height = picture.size
        viewport = {"width": width, "height": height}
        with self.visited(url, viewport=viewport, color_scheme=picture.scheme) as page:
            yield page
            if self.wants(name):
                page.wait_for_timeout(400)
                content = small(_taken(page, picture.moment))
                (FOLDER / f"{name}.png").write_bytes(content)
                print(f"{name}.png: {len(content)} bytes")


def _taken(page: Page, moment: str) -> bytes:
    """Return a picture of the page, of a moment at which something fits the selector `moment`."""
    if not moment:
        return page.screenshot()
    while True:
        page.locator(moment).first.wait_for(state="attached")
        picture = page.screenshot()
        if page.locator(moment).count():  # it lasted as long as taking the picture
            return picture


def small(picture: bytes) -> bytes:
    """Return a PNG with as many colours as fit into the bound. Raises ValueError if none do."""
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    for colours in COLOURS:
        kept = io.BytesIO()
        few = image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(kept, "PNG", optimize=True)
        if kept.tell() <= BYTES_MAX:
            return kept.getvalue()
    raise ValueError(f"this picture has {kept.tell()} bytes even with {COLOURS[-1]} colours")


def log_in(page: Page, name: str) -> None:
    """Log in at the emulated cloud by a click, and come back to where the page was."""
    page.get_by_role("button", name=name).click()
    expect(page.locator("#account, #screen .menu").first).to_be_visible()


# --- what is played -------------------------------------------------------------------------------


def of_a_run(studio: Studio) -> None:
    """Play a scenario, look at it in the middle, and at its report."""
    with tempfile.TemporaryDirectory() as folder:
        words = ("run", "batch-unbind", "--devices", str(DEVICES_OF_RUN), "--shards", "1")
        with command(*words, "--web", "0", "--report", folder) as running:
            url = running.url("pages:")
            with studio.opened("run", f"{url}/run") as run:
                reached = run.locator("#n-unbound")
                while int((reached.text_content() if reached.count() else "") or 0) < 30:
                    run.wait_for_timeout(500)
                with studio.opened("wall", f"{url}/wall?draw=canvas") as wall:
                    wall.wait_for_timeout(1500)  # until it says how many frames it draws
            if studio.wants("report"):
                running.process.wait(PATIENCE_MS / 1000)
                page_of_report = Path(folder) / "report.html"
                with studio.opened("report", page_of_report.as_uri()) as report:
                    report.wait_for_timeout(1000)


def of_a_bench(studio: Studio) -> None:
    """Unbind a few devices by clicks."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet_up(Path(folder), "--devices", str(DEVICES_AT_BENCH), "--state", "returned") as fleet,
    ):
        with studio.opened("app-wired", f"{fleet.url}/app") as page:
            log_in(page, SERVICE)
            page.goto(f"{fleet.url}/app#wired")
            expect(page.locator("#found input")).to_have_count(len(fleet.devices(wired=True)))
            page.wait_for_timeout(2000)
        with studio.opened("app-code", f"{fleet.url}/app") as page:
            log_in(page, SERVICE)
            page.goto(f"{fleet.url}/app#qr")
            page.get_by_role("button", name="Make the code").click()
            cameras = len(fleet.devices(wired=False))
            expect(page.locator("#hold")).to_have_text(f"Hold it to {cameras} cameras")
            page.locator("#hold").click()
            expect(page.locator("#used")).to_have_text(f"{cameras} of 30")
            page.wait_for_timeout(5000)  # until the good news at the bottom has gone
            page.evaluate("scrollTo(0, 0)")
        refuse_one(fleet.url, studio)
        for name, who, view in (
            ("console-quotas", SERVICE, "quotas"),
            ("console-history", OWNER, "history"),
        ):
            with studio.opened(name, f"{fleet.url}/console") as page:
                log_in(page, who)
                page.goto(f"{fleet.url}/console#{view}")
                expect(page.locator("#view tbody tr").first).to_be_visible()
        with studio.opened("life-line", f"{fleet.url}/wall?draw=canvas#device=0") as page:
            expect(page.locator("#life .events, #life ol").first).to_be_visible()
            page.wait_for_timeout(3000)


def refuse_one(url: str, studio: Studio) -> None:
    """Let somebody without the right try, so that there is a refusal to look at."""
    with studio.visited(f"{url}/app") as page:
        log_in(page, "shop@partner")
        page.goto(f"{url}/app#wired")
        page.locator("#found input").first.wait_for()
        page.locator("#run").click()
        expect(page.locator('[data-outcome="refused"]').first).to_be_visible()


def of_the_demo(studio: Studio) -> None:
    """Bring devices to the lights that are pictured."""
    with command("demo", "--web", "0") as running:
        url = running.url("demo:")
        with studio.opened("demo", f"{url}?profile=ipc-red-green&state=unbound") as page:
            expect(page.locator("#light-name")).to_have_attribute("data-light", "unbound")
            page.wait_for_timeout(6000)
        with studio.opened("demo-states", f"{url}?profile=nvr&state=unbound&speed=2") as page:
            expect(page.locator("#light-name")).to_have_attribute("data-light", "unbound")
            page.get_by_label("at the next owner's").check()
            page.locator("#power").click()
            page.wait_for_timeout(1000)
            page.locator("#power").click()
            page.wait_for_timeout(4000)
            page.locator("#timeline").evaluate("(one) => one.parentElement.scrollIntoView()")


PLAYED = (
    (of_the_demo, ("demo", "demo-states")),
    (of_a_bench, ("app-code", "app-wired", "console-quotas", "console-history", "life-line")),
    (of_a_run, ("run", "wall")),
)


def main() -> None:
    """Make the pictures that are named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [picture.name for picture in PICTURES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    wanted = set(parser.parse_args().names or names)
    if strangers := wanted.difference(names):
        parser.error(f"there is no picture {', '.join(sorted(strangers))}")
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
        expect.set_options(timeout=PATIENCE_MS)
        studio = Studio(browser, wanted)
        for play, shown in PLAYED:
            if studio.wants(*shown):
                play(studio)
        browser.close()


if __name__ == "__main__":
    main()
