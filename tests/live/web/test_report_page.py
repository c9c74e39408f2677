"""The page of a report, opened from a file in a real browser, with names that would break out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fleet.report.files import write_views
from tests.live.web.conftest import Watched
from tests.report.support import NASTY, a_played_report

Profile = Callable[..., Watched]


def opened(profile: Profile, folder: Path, **options: object) -> Page:
    """Open the report of a small run; whatever else is asked for fails the test."""
    with ThreadPoolExecutor() as pool:  # a run has a loop of its own, and Playwright's is here
        report = pool.submit(a_played_report).result()
    write_views(report, folder, lambda _: None)
    watched = profile(**options)
    address = (folder / "report.html").as_uri()
    watched.expected.append(f"asked elsewhere: {address}")
    page = watched.context.new_page()
    page.on("dialog", lambda dialog: watched.mistakes.append(f"dialog: {dialog.message}"))
    page.goto(address)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_drawn_and_accessible(
    profile: Profile, accessible: Callable[[Page], None], tmp_path: Path, scheme: str
) -> None:
    page = opened(profile, tmp_path, color_scheme=scheme, viewport={"width": 360, "height": 800})
    expect(page.locator(".verdict")).to_contain_text("PASSED")
    expect(page.locator("canvas")).to_have_count(4)
    expect(page.get_by_text(NASTY).first).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_keys_are_enough(profile: Profile, tmp_path: Path) -> None:
    page = opened(profile, tmp_path)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the verdict")).to_be_focused()
    summary = page.get_by_text("Table: What lights showed")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="What lights showed")).to_be_visible()
    choice = page.get_by_label("Show").first
    choice.select_option(label="per second")
    expect(page.locator("[data-chart=done] .u-legend")).to_contain_text("unbound per s")
