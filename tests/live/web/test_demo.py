"""The indicator demo in a browser: hands, codes, and the light as a photograph of the page shows it.

Lights are measured from screenshots while the page's clock is held (Playwright, "Clock"): so each
picture has an exact instant of virtual time, however slow the machine is that takes it.
"""

import io
import logging
from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from firmware_sim.device.indicator import Pattern
from fleet.light.colours import SHADES, lit_of, rgb
from fleet.light.meaning import light
from hw_profiles import catalog
from tests.live.web.conftest import Watched
from tests.live.web.premises import command

LOG = logging.getLogger(__name__)
Profiles = Callable[..., Watched]
MODEL = "ipc-red-green"
WITHIN = 0.05  # of what the profile says
SAMPLES, PER_PERIOD = 100, 9  # about: so each period is seen at other instants than the last
FRAME_MS = 16  # of a page whose clock is held
READINGS = 13
Sample = tuple[float, str]


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """Return where the demo is."""
    with command("demo", "--web", "0") as running:
        yield running.url("demo:")


def start(page: Page, demo: str, state: str, speed: int = 1) -> None:
    """Open the link to a state and wait until the device is there."""
    page.goto(f"{demo}?profile={MODEL}&state={state}&speed={speed}")
    expect(page.locator("#light-name")).to_have_attribute("data-light", state)
    expect(page.locator("#busy")).to_be_empty()


def shows(page: Page, state: str) -> None:
    expect(page.locator("#light-name")).to_have_attribute("data-light", state)


# --- hands ----------------------------------------------------------------------------------------


def test_reset_is_held_with_a_finger(demo: str, profile: Profiles) -> None:
    page = profile().open("about:blank")
    start(page, demo, "online", 20)
    reset = page.locator("#reset")
    reset.hover()
    page.mouse.down()
    expect(reset).to_have_attribute("aria-pressed", "true")
    expect(reset).to_contain_text("Held for")
    shows(page, "waiting")
    page.mouse.up()
    expect(reset).to_have_attribute("aria-pressed", "false")
    expect(reset).to_contain_text("Hold reset")
    expect(page.locator("#operator")).to_have_text("waiting")


def test_reset_is_held_with_a_key(demo: str, profile: Profiles) -> None:
    page = profile().open("about:blank")
    start(page, demo, "online", 20)
    page.locator("#reset").focus()
    page.keyboard.down("Space")
    shows(page, "waiting")
    page.keyboard.up("Space")
    expect(page.locator("#reset")).to_have_attribute("aria-pressed", "false")


def test_a_touch_that_is_too_short_changes_nothing(demo: str, profile: Profiles) -> None:
    page = profile().open("about:blank")
    start(page, demo, "online")
    page.locator("#pause").click()
    expect(page.locator("#pause")).to_have_text("Go on")
    page.locator("#reset").hover()
    page.mouse.down()  # no time passes meanwhile
    expect(page.locator("#reset")).to_have_attribute("aria-pressed", "true")
    page.mouse.up()
    expect(page.locator("#reset")).to_have_attribute("aria-pressed", "false")
    page.locator("#pause").click()
    expect(page.locator("#log")).to_contain_text("you")
    shows(page, "online")


def test_power_a_code_unbinding_and_the_next_owner(demo: str, profile: Profiles) -> None:
    page = profile().open("about:blank")
    start(page, demo, "waiting", 20)
    power = page.locator("#power")
    power.click()
    shows(page, "off")
    expect(power).to_have_text("Power is off")
    power.click()
    shows(page, "waiting")
    page.get_by_label("in the warehouse").check()  # the code has its Wi-Fi
    page.get_by_role("button", name="Make an unbinding code").click()
    page.get_by_role("button", name="Hold it to the camera").click()
    shows(page, "unbound")
    expect(page.locator("#operator")).to_have_text("unbound")
    expect(page.locator("#used")).to_have_text("1 of 30 used")
    page.get_by_label("at the next owner's").check()
    page.get_by_label("Account").select_option("next_owner")
    page.get_by_role("button", name="Make a pairing code").click()
    page.get_by_role("button", name="Hold it to the camera").click()
    shows(page, "online")
    expect(page.locator("#chart .node.now")).to_have_count(1)


# --- lights ---------------------------------------------------------------------------------------


def colour_of(picture: bytes) -> str:
    """Return which colour of the table is in the middle of a picture, "" for one that is not lit."""
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
        seen = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(seen, tuple)

    def distance(name: str) -> int:
        return sum(abs(a - b) for a, b in zip(seen, rgb(lit_of(name)), strict=True))

    nearest = min(("", *SHADES), key=distance)
    assert distance(nearest) <= 12, f"no lamp has the colour {seen}"
    return nearest


def filmed(page: Page, period_ms: float) -> list[Sample]:
    """Return what the lamp shows, and at which instants of virtual time.

    `period_ms` is of real time, for how often to look.
    """
    frames = max(1, round(period_ms / PER_PERIOD / FRAME_MS))
    box = page.locator("#drawing [data-lamp]").bounding_box()
    assert box is not None
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)
    taken: list[Sample] = []
    for _ in range(SAMPLES):
        page.clock.run_for(frames * FRAME_MS)
        at_ms = float(page.locator("#clock").get_attribute("data-ms") or 0)
        taken.append((at_ms, colour_of(page.screenshot(clip=box))))
    return taken


def edges(samples: list[Sample], period_ms: float) -> list[tuple[float, str]]:
    """Return when in its period a light takes up which colour, if it has that period."""
    folded = sorted((at_ms % period_ms, colour) for at_ms, colour in samples)
    last = folded[-1]
    return [
        ((before[0] + after[0]) / 2, after[1])
        for before, after in pairwise([(last[0] - period_ms, last[1]), *folded])
        if before[1] != after[1]
    ]


def rhythm(samples: list[Sample], about_ms: float) -> tuple[float, float]:
    """Return period and lit time of a light that blinks: the middle of what explains all pictures.

    Periods from a half to twice of `about_ms` are tried, in steps of half a per mille.
    """
    fitting = []
    for period_ms in (about_ms * (0.5 + step * 0.0005) for step in range(3000)):
        found = edges(samples, period_ms)
        if len(found) == 2:
            (first, colour), (second, _) = found
            fitting.append((period_ms, second - first if colour else period_ms - second + first))
    assert fitting, samples
    return median(period for period, _ in fitting), median(lit for _, lit in fitting)


@pytest.mark.parametrize(("state", "speed"), [("waiting", 1), ("unbound", 1), ("reconnecting", 3)])
def test_light_is_as_the_profile_says(demo: str, profile: Profiles, state: str, speed: int) -> None:
    pattern: Pattern = light(catalog.load(MODEL), state).pattern
    page = profile().open("about:blank")
    page.clock.install()
    start(page, demo, state, speed)
    wanted_ms = pattern.on_ms + pattern.off_ms
    samples = filmed(page, wanted_ms / speed)
    assert {colour for _, colour in samples} == {pattern.colours[0], ""}
    period_ms, lit_ms = rhythm(samples, wanted_ms)
    LOG.info("%s: every %.0f ms, lit for %.0f ms", state, period_ms, lit_ms)
    assert period_ms == pytest.approx(wanted_ms, rel=WITHIN)
    assert lit_ms == pytest.approx(pattern.on_ms, rel=WITHIN)


@pytest.mark.parametrize("speed", [1, 7])
def test_virtual_time_passes_at_the_chosen_speed(demo: str, profile: Profiles, speed: int) -> None:
    page = profile().open("about:blank")
    start(page, demo, "online", speed)
    read = "() => [performance.now(), Number(document.querySelector('#clock').dataset.ms)]"
    readings = []
    for _ in range(READINGS):
        readings.append(page.evaluate(read))
        page.wait_for_timeout(200)
    rates = [
        (later_ms - earlier_ms) / (then_ms - now_ms)
        for (now_ms, earlier_ms), (then_ms, later_ms) in pairwise(readings)
    ]
    # Not the mean: a message of the server that was late sets the page's clock, once.
    assert median(rates) == pytest.approx(speed, rel=WITHIN)


# --- links and files ------------------------------------------------------------------------------


def test_a_link_brings_somebody_else_here(demo: str, profile: Profiles) -> None:
    page = profile().open("about:blank")
    start(page, demo, "waiting", 6)
    link = page.locator("#share").get_attribute("href") or ""
    assert parse_qs(urlsplit(link).query) == {
        "profile": [MODEL],
        "state": ["waiting"],
        "speed": ["6"],
    }
    other = profile().open(f"{demo.removesuffix('/demo')}{link}")
    shows(other, "waiting")
    expect(other.locator("#speed-text")).to_have_text("6 ×")


@pytest.mark.parametrize("kind", ["GIF", "APNG", "PNG"])
def test_a_light_can_be_taken_away(demo: str, profile: Profiles, kind: str) -> None:
    page = profile(accept_downloads=True).open("about:blank")
    start(page, demo, "waiting")
    with page.expect_download() as waiting:
        page.get_by_role("link", name=f"{kind} of waiting", exact=True).click()
    pattern = light(catalog.load(MODEL), "waiting").pattern
    with Image.open(waiting.value.path()) as picture:
        picture.load()
        assert picture.format == ("GIF" if kind == "GIF" else "PNG")
        frames = getattr(picture, "n_frames", 1)
        assert frames > 1 if kind != "PNG" else frames == 1
        if kind != "PNG":
            lasts_ms = []
            for number in range(frames):
                picture.seek(number)
                picture.load()
                lasts_ms.append(picture.info["duration"])
            assert sum(lasts_ms) % (pattern.on_ms + pattern.off_ms) == pytest.approx(0, abs=1)
