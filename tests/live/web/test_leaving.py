"""Who leaves has left with all pages, who is led here by a link stays logged in; odd addresses."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from fleet.run.population import Network
from fleet.web.app import make_app
from fleet.web.app_room import Bench
from fleet.web.console_room import room_of
from fleet.web.desk import Desk
from fleet.web.lan_search import Search
from fleet.web.lenses import Lenses
from fleet.web.routes import Room
from tests.cloud.support import World
from tests.live.web.conftest import Watched
from tests.live.web.premises import command
from tests.live.web.served import served
from tests.web.bench_world import Air, FakeHands, population, watch
from tests.web.people_world import PEOPLE, WorldCarrier

PASSWORD = "warehouse 7"


def test_leaving_closes_every_page_and_a_link_of_another_site_none(
    profile: Callable[..., Watched],
) -> None:
    elsewhere = make_app([Room("notes", "Notes", "login.html")])
    with (
        command("demo", "--web", "0", FLEET_WEB_PASSWORD=PASSWORD) as running,
        served(elsewhere) as other,
    ):
        url = running.url("demo:").removesuffix("/demo")
        visitor = profile()
        visitor.expected += ["401", "Failed to load"]
        page = visitor.open(url)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Password").press("Enter")
        expect(page.locator("#connection")).to_have_text("live")
        second = visitor.open(f"{other.replace('127.0.0.1', 'localhost')}/notes")
        second.evaluate("url => { location.href = url; }", f"{url}/demo")
        expect(second.locator("#connection")).to_have_text("live")
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_url(f"{url}/login")
        expect(second).to_have_url(f"{url}/login")


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("console#constructor", "Products"),
        ("console#__proto__?x=%E0%A4%A", "Products"),
        ("app#toString", "Developer app"),
        ("app#code/%E0%A4%A", "QR code"),
    ],
)
def test_an_address_that_nobody_has_made_leads_somewhere(
    profile: Callable[..., Watched], address: str, title: str
) -> None:
    link = WorldCarrier(World()).link
    bench = Bench(
        Desk("app", link, PEOPLE),
        Search(Air().search),
        Lenses(population, FakeHands(), watch()),
        lambda: Network("Werkstatt", "secret"),
        dict,
    )
    with served(make_app([room_of(Desk("console", link, PEOPLE)), bench.room()])) as url:
        visitor = profile()
        visitor.expected += ["404", "400", "Failed to load"]
        page = visitor.open(f"{url}/{address}")
        page.get_by_role("button", name="owner").first.click()
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
