"""The live run view in a browser: what is told, and what clicks do to a run."""

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.live.web.conftest import Watched
from tests.live.web.premises import command

EXIT_INTERRUPTED = 130  # as of a program that Ctrl-C has ended
REFUSED = "Failed to load resource: net::ERR_"  # once the fleet is gone


def test_a_run_is_watched_paused_ramped_and_stopped(
    tmp_path: Path, profile: Callable[..., Watched], accessible: Callable[[Page], None]
) -> None:
    words = ("run", "--devices", "12", "--shards", "1", "--report", str(tmp_path / "report"))
    with command(*words, "--web", "0") as running:
        watched = profile()
        watched.expected.append(REFUSED)
        page = watched.open(running.url("pages:") + "/run")
        expect(page.locator("#feed-state")).to_have_attribute("data-state", "live")
        page.get_by_role("button", name="Pause operators").click()
        expect(page.locator("#pause")).to_have_attribute("data-paused", "true")
        expect(page.locator("[data-stage=start]")).to_have_attribute(
            "data-state", "done", timeout=60_000
        )
        expect(page.locator("[data-stage=home]")).to_contain_text("of 12")
        page.get_by_label("Operators at work").fill("1")
        page.get_by_label("Devices per batch").fill("4")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("#status")).to_contain_text("told")
        page.get_by_text("Inject a fault").click()
        page.locator("#fault-kind").select_option("half_open")
        page.get_by_role("button", name="Inject").click()
        expect(page.locator("[data-injected]")).to_contain_text("half open")
        expect(page.locator("#clock")).to_have_attribute("data-phase", "unbind", timeout=60_000)
        expect(page.locator("#phases")).to_contain_text("boot")
        expect(page.locator("#lights-chart svg")).to_be_visible()
        assert page.locator("#n-unbound").inner_text() == "0", "they are paused"
        accessible(page)
        page.get_by_role("button", name="Let operators go on").click()
        expect(page.locator("#n-unbound")).not_to_have_text("0", timeout=60_000)
        expect(page.get_by_role("log")).to_contain_text("by hand: operators go on")
        page.get_by_role("button", name="Stop", exact=True).click()
        accessible(page)
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#feed-state")).to_have_attribute("data-state", "live")
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_role("button", name="Stop now").click()
        expect(page.locator("#feed-state")).to_have_attribute("data-state", "ended")
        running.until("ended early: interrupted")
        running.until("by hand: stopped")
        assert running.process.wait(60) == EXIT_INTERRUPTED
    written = json.loads((tmp_path / "report" / "report.json").read_text())
    assert written["aborted"] == "interrupted"
    assert written["devices"] == 12
    assert (tmp_path / "report" / "report.html").is_file()
