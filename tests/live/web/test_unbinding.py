"""Batch unbinding by clicks: by QR code and by wire, what was done, who may not, two pages at once.

What the pages must let people do is published in the vendor's "Unbind Smart Devices"
(developer.tuya.com): +, Unbind Devices, a code with the Wi-Fi or a list of wired devices, history.
"""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.picture import read
from firmware_sim.camera.strategy import Strategy
from tests.live.web.conftest import Watched
from tests.live.web.fleets import Fleet, fleet_up

Profiles = Callable[..., Watched]
PHONE = {"width": 390, "height": 844}
SERVICE, BUYER, OWNER = "after-sale@maker", "shop@partner", "owner@maker"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return four cameras, a recorder and a gateway, which came back and wait."""
    folder = tmp_path_factory.mktemp("unbinding")
    with fleet_up(folder, "--devices", "6", "--state", "returned") as it:
        yield it


def log_in(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    expect(page.locator("#account")).to_have_text(name)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def to_the_form(page: Page) -> None:
    """Go the way of the vendor's page: +, Unbind Devices, QR code."""
    page.get_by_role("link", name="Add or unbind devices").click()
    page.locator("#screen").get_by_role("link", name="Unbind Devices").click()
    page.locator("#screen").get_by_role("link", name="QR code").click()


def code_on(page: Page) -> dict[str, str]:
    """Return what is in the code that the page shows, read from a photograph of it."""
    expect(page.locator("#symbol")).to_have_js_property("complete", True)
    photograph = page.locator("#symbol").screenshot()
    payload = read(photograph, Strategy(make_decoder("pyzbar"))).text
    assert payload is not None
    content: dict[str, str] = json.loads(payload)
    return content


def of_device(page: Page, uuid: str, outcome: str) -> Locator:
    return page.locator(f'#screen [data-uuid="{uuid}"][data-outcome="{outcome}"]').first


def test_a_code_has_the_wifi_that_was_typed(fleet: Fleet, profile: Profiles) -> None:
    page = profile(viewport=PHONE).open(f"{fleet.url}/app")
    log_in(page, SERVICE)
    to_the_form(page)
    page.get_by_label("Another one").check()
    page.get_by_label("Wi-Fi name").fill('Lager; 7 "süd" ☕')
    page.get_by_label("Wi-Fi password", exact=True).fill("p\\a:ss,wörd")
    page.get_by_label("Devices for this code").fill("7")
    button(page, "Make the code").click()
    content = code_on(page)
    assert (content["s"], content["p"]) == ('Lager; 7 "süd" ☕', "p\\a:ss,wörd")
    assert content["t"]
    expect(page.locator("#used")).to_have_text("0 of 7")
    expect(page.locator("#countdown")).to_have_text(re.compile(r"\d+:\d\d"))
    assert content["p"] not in page.content()
    assert content["t"] not in page.content()
    button(page, "Cancel this code").click()
    expect(page.get_by_text("cancelled", exact=True)).to_be_visible()


def test_cameras_are_unbound_by_a_code_and_two_pages_see_it(
    fleet: Fleet, profile: Profiles
) -> None:
    someone = profile(viewport=PHONE)
    page = someone.open(f"{fleet.url}/app")
    log_in(page, SERVICE)
    to_the_form(page)
    assert page.get_by_label("this workshop").is_checked()
    button(page, "Make the code").click()
    content = code_on(page)
    assert content["s"] == page.locator(".code strong").first.inner_text()
    expect(page.locator("#used")).to_have_text("0 of 30")
    other = someone.open(page.url)  # the same code, on another screen
    assert code_on(other) == content
    cameras = fleet.devices(wired=False)
    hold = page.locator("#hold")
    expect(hold).to_have_text(f"Hold it to {len(cameras)} cameras")
    hold.click()
    for one in (page, other):
        expect(one.locator("#used")).to_have_text(f"{len(cameras)} of 30")
        for uuid in cameras:
            expect(of_device(one, uuid, "unbound")).to_be_visible()
    page.get_by_role("link", name="History").click()
    for uuid in cameras:
        expect(of_device(page, uuid, "unbound")).to_be_visible()
    page.get_by_role("link", name="Home").click()
    expect(page.locator("#left")).not_to_be_empty()


def test_wired_devices_are_found_chosen_and_unbound(fleet: Fleet, profile: Profiles) -> None:
    page = profile(viewport=PHONE).open(f"{fleet.url}/app")
    log_in(page, SERVICE)
    page.get_by_role("link", name="Add or unbind devices").click()
    page.locator("#screen").get_by_role("link", name="Unbind Devices").click()
    page.locator("#screen").get_by_role("link", name="Wired").click()
    first, second = fleet.devices(wired=True)
    for uuid in (first, second):
        expect(page.get_by_label(uuid)).to_be_checked()
    page.get_by_label(second).uncheck()
    button(page, "Unbind 1 device").click()
    expect(of_device(page, first, "unbound")).to_be_visible()
    expect(page.get_by_text("1 of 1 unbound.")).to_be_visible()
    button(page, "History").click()
    expect(of_device(page, first, "unbound")).to_contain_text("wired")
    expect(of_device(page, second, "unbound")).to_have_count(0)


def test_the_console_tells_quotas_batches_and_the_log(fleet: Fleet, profile: Profiles) -> None:
    page = profile().open(f"{fleet.url}/console")
    log_in(page, OWNER)
    page.get_by_role("link", name="Operation history").click()
    uuid = fleet.devices(wired=False)[0]
    page.get_by_role("link", name=uuid).first.click()
    log = page.get_by_role("region", name=f"Log of {uuid}")
    expect(log.locator('[data-event="unbound"]')).to_be_visible()
    expect(log.locator('[data-event="reset_confirmed"]')).to_be_visible()


def test_the_service_account_has_used_its_quota(fleet: Fleet, profile: Profiles) -> None:
    page = profile().open(f"{fleet.url}/console#quotas")
    log_in(page, SERVICE)
    quota = page.locator('[data-scope="account"]')
    expect(quota).to_have_attribute("data-used", "5")
    expect(page.get_by_role("row").filter(has_text="4 of 30")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="cancelled")).to_be_visible()


def test_who_may_not_reads_why(fleet: Fleet, profile: Profiles) -> None:
    page = profile(viewport=PHONE).open(f"{fleet.url}/app")
    log_in(page, BUYER)
    page.goto(f"{fleet.url}/app#wired")
    other, uuid = fleet.devices(wired=True)
    expect(page.get_by_label(uuid)).to_be_checked()
    page.get_by_label(other).uncheck()
    button(page, "Unbind 1 device").click()
    refused = of_device(page, uuid, "refused")
    expect(refused).to_contain_text("the account may not do this")
    expect(refused).to_contain_text("no_permission")
    expect(refused).to_contain_text("Log in as somebody who may")  # what to do about it
