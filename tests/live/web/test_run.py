"""The live run view: a scenario that is watched, paused, let go on and stopped on its page."""

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.live.web.conftest import Watched
from tests.live.web.premises import command

Profiles = Callable[..., Watched]
DEVICES = 30
EXIT_INTERRUPTED = 130  # as of a program that Ctrl-C has ended


def test_a_run_is_watched_paused_and_stopped(profile: Profiles, tmp_path: Path) -> None:
    report = tmp_path / "report"
    words = ("run", "batch-unbind", "--devices", str(DEVICES), "--shards", "1", "--web", "0")
    with command(*words, "--report", str(report)) as running:
        visitor = profile()
        visitor.expected.append("ERR_CONNECTION")  # once the run is over
        page = visitor.open(f"{running.url('pages:')}/run")
        expect(page.locator("#title")).to_have_text("Run: batch-unbind")
        expect(page.locator("#n-devices")).to_have_text(str(DEVICES))
        expect(page.locator("#stages [data-state=now]")).to_have_count(1)
        expect(page.locator("#n-unbound")).not_to_have_text("0")
        page.get_by_role("button", name="Pause operators").click()
        expect(page.locator("#clock")).to_contain_text("operators are paused")
        page.get_by_role("button", name="Let operators go on").click()
        expect(page.locator("#clock")).not_to_contain_text("operators are paused")
        expect(page.locator("#phases tbody tr").first).to_be_visible()
        expect(page.locator("#lines")).to_contain_text("operators paused")
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#feed-state")).to_have_text("live")
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_role("button", name="Stop now").click()
        expect(page.locator("#feed-state")).to_have_text("ended")
        assert running.process.wait(60) == EXIT_INTERRUPTED
    written = json.loads((report / "report.json").read_text())
    assert written["aborted"]
    assert written["devices"] == DEVICES
    assert (report / "report.html").is_file()
