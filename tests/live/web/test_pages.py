"""Every page, dark and light, wide and narrow: rules of axe, width, keyboard, first paint, silence."""

import logging
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.live.web.conftest import WIDE, Watched
from tests.live.web.fleets import Fleet, fleet_up
from tests.live.web.premises import command

LOG = logging.getLogger(__name__)
Profiles = Callable[..., Watched]
NARROW: ViewportSize = {"width": 360, "height": 780}
OWNER, SERVICE = "owner@maker", "after-sale@maker"
PAGE_BYTES_MAX = 200_000  # of markup, style and scripts


class View(NamedTuple):
    """A page, or a part of one: where it is, who logs in first, and what is there once it is."""

    path: str
    account: str
    there: str


VIEWS = {
    "run": View("/run", "", "#figures li"),
    "wall": View("/wall", "", "#legend *"),
    "life line": View("/wall#device=1", "", "#life .events li, #life li"),
    "console": View("/console", "", ".person"),
    **{
        name: View(f"/console#{name}", OWNER, "#view .body > *")
        for name in (
            *("products", "authorizations", "quotas", "history", "log", "firmware", "push"),
            "explain",
        )
    },
    "app": View("/app", "", ".person"),
    **{
        f"app {name}": View(f"/app#{name}", SERVICE, "#screen > *")
        for name in ("home", "add", "unbind", "qr", "wired", "history")
    },
    "demo": View("/demo", "", "#chart svg"),
}
PAGES = ("/run", "/wall", "/console", "/app", "/demo")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return some devices that wait."""
    folder = tmp_path_factory.mktemp("pages")
    with fleet_up(folder, "--devices", "4", "--state", "returned") as it:
        yield it


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """Return where the demo is."""
    with command("demo", "--web", "0") as running:
        yield running.url("demo:").removesuffix("/demo")


@pytest.fixture
def at(fleet: Fleet, demo: str) -> Callable[[str], str]:
    """Return what makes a URL of a path."""
    return lambda path: (demo if path.startswith("/demo") else fleet.url) + path


def open_view(visitor: Watched, at: Callable[[str], str], view: View) -> Page:
    """Open a view, logged in."""
    room = view.path.partition("#")[0]
    page = visitor.open(at(room if view.account else view.path))
    if view.account and page.locator("#account").count() == 0:
        page.wait_for_selector(".person, #account")
        entry = page.get_by_role("button", name=view.account)
        if entry.count():
            entry.click()
        expect(page.locator("#account")).to_have_text(view.account)
        page.goto(at(view.path))
    expect(page.locator(view.there).first).to_be_visible()
    return page


def wider_than_the_window(page: Page) -> list[str]:
    """Return what sticks out of a page to the right, if the page can be pushed sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.outerHTML.slice(0, 120))"""
    )
    return found


def mistakes_on(page: Page, name: str, accessible: Callable[[Page], None]) -> list[str]:
    """Return what breaks a rule: wide and light, narrow and dark; narrow pages have to fit."""
    found = []
    looks: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...]
    looks = ((WIDE, "light"), (NARROW, "dark"))
    for size, scheme in looks:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        try:
            accessible(page)
        except AssertionError as error:
            found.append(f"{name}, {scheme}: {error}")
        found += [f"{name} at {size['width']}: {one}" for one in wider_than_the_window(page)]
    return found


def test_pages_obey_axe_and_fit(
    at: Callable[[str], str], profile: Profiles, accessible: Callable[[Page], None]
) -> None:
    """Also: no script fails, and nothing is asked of anybody else (`profile` sees to that)."""
    visitor = profile(reduced_motion="reduce")  # or colours are on their way to the other scheme
    found = []
    for name, view in VIEWS.items():
        page = open_view(visitor, at, view)
        found += mistakes_on(page, name, accessible)
        page.close()
    assert found == []


# --- keyboard -------------------------------------------------------------------------------------

# What Tab comes to, in order, with what shows that it is there; as long as something new comes.
WALK = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  one.dataset.walked = "yes";
  return { name: one.outerHTML.slice(0, 120), seen: box.width > 0 && box.height > 0,
    marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 };
}"""
LEFT_OUT = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true })
    && !(one.type === "radio" && !one.checked) && one.dataset.walked !== "yes")
  .map((one) => one.outerHTML.slice(0, 120))"""
FORGET = """() => {
  document.activeElement?.blur();
  for (const one of document.querySelectorAll("[data-walked]")) delete one.dataset.walked;
}"""
STEPS_MAX, WALKS_MAX = 120, 3


@pytest.mark.parametrize("path", PAGES)
def test_all_of_a_page_can_be_reached_by_tab(
    at: Callable[[str], str], profile: Profiles, path: str
) -> None:
    name = next(name for name, view in VIEWS.items() if view.path == path)
    page = open_view(profile(reduced_motion="reduce"), at, VIEWS[name])
    for _ in range(WALKS_MAX):  # what is drawn anew on the way has to be met again
        page.evaluate(FORGET)
        unmarked = []
        for _ in range(STEPS_MAX):
            page.keyboard.press("Tab")
            step = page.evaluate(WALK)
            if step is None:
                break
            if not (step["marked"] and step["seen"]):
                unmarked.append(step["name"])
        if not unmarked and not page.evaluate(LEFT_OUT):
            break
    assert unmarked == []
    assert page.evaluate(LEFT_OUT) == []


# --- first paint ----------------------------------------------------------------------------------

SIZES = """() => Object.fromEntries(performance.getEntriesByType("resource")
  .filter((one) => one.name.includes("/static/")).map((one) => [one.name, one.decodedBodySize]))"""
PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_seen_before_anybody_has_answered_it(
    at: Callable[[str], str], profile: Profiles, path: str
) -> None:
    """How soon is in the log: a second is the aim, and no machine that is busy may fail it."""
    visitor = profile()
    page = visitor.context.new_page()
    page.route("**/api/**", lambda _: None)  # asked, and kept waiting
    page.goto(at(path), wait_until="commit")
    while not page.evaluate(PAINT):
        page.wait_for_timeout(20)
    LOG.info("%s: first paint after %.0f ms", path, page.evaluate(PAINT))
    assert page.get_by_role("heading").first.is_visible()
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_small(at: Callable[[str], str], profile: Profiles, path: str) -> None:
    page = profile().open(at(path))
    page.wait_for_load_state("load")
    sizes = page.evaluate(SIZES)
    assert len(sizes) > 4
    assert 0 < sum(sizes.values()) < PAGE_BYTES_MAX, sizes
