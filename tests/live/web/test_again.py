"""A server that ends and comes back: pages say so meanwhile, and go on by themselves."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.live.web.conftest import Watched
from tests.live.web.fleets import fleet_up
from tests.live.web.premises import command

Profiles = Callable[..., Watched]
# What the browser itself notes about a server that is away.
AWAY = ("ERR_CONNECTION", "ERR_INCOMPLETE", "ERR_EMPTY", "Failed to load", "ERR_NETWORK")


def test_pages_of_a_fleet_find_the_next_one(profile: Profiles, tmp_path: Path) -> None:
    visitor = profile()
    visitor.expected += AWAY
    with fleet_up(tmp_path, "--devices", "2") as fleet:
        place = urlsplit(fleet.url).netloc
        run, wall = visitor.open(f"{fleet.url}/run"), visitor.open(f"{fleet.url}/wall")
        console = visitor.open(f"{fleet.url}/console")
        expect(run.locator("#n-devices")).to_have_text("2")
        expect(wall.locator("#total")).to_have_text("2 devices")
        expect(run.locator("#feed-state")).to_have_text("live")
        console.get_by_role("button", name="owner@maker").click()
        expect(console.locator("#account")).to_have_text("owner@maker")
    expect(run.locator("#feed-state")).to_have_text("ended")
    expect(wall.locator("#feed-state")).not_to_have_text("live")
    console.get_by_role("link", name="Operation history").click()
    expect(console.get_by_role("alert")).to_contain_text("cannot be reached")
    with fleet_up(tmp_path, "--devices", "3", "--web", place):
        expect(run.locator("#feed-state")).to_have_text("live")
        expect(run.locator("#n-devices")).to_have_text("3")
        expect(wall.locator("#total")).to_have_text("3 devices")
        expect(console.get_by_role("button", name="owner@maker")).to_be_visible()
        run.get_by_role("button", name="Wi-Fi at homes: on").click()  # a call needs a new proof
        expect(run.get_by_role("button", name="Wi-Fi at homes: off")).to_be_visible()


def test_the_demo_puts_its_device_back(profile: Profiles) -> None:
    visitor = profile()
    visitor.expected += AWAY
    with command("demo", "--web", "0") as running:
        url = running.url("demo:")
        page = visitor.open(f"{url}?profile=ipc-red-green&state=waiting&speed=4")
        light = page.locator("#light-name")
        expect(light).to_have_attribute("data-light", "waiting")
        expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator("#connection")).not_to_have_text("live")
    with command("demo", "--web", urlsplit(url).netloc):
        expect(page.locator("#connection")).to_have_text("live")
        expect(light).to_have_attribute("data-light", "waiting")
        expect(page.locator("#speed-text")).to_have_text("4 ×")
