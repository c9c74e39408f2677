"""The light wall: ten thousand lights in a real browser, and hands on devices of a real fleet."""

import logging
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from playwright.sync_api import Page, expect

from fleet.run.stage import HOMES
from fleet.run.supervisor import Supervisor
from fleet.web.app import make_app
from fleet.web.premises import Premises
from fleet.web.wall import make_room
from fleet.web.wall_feed import SHAPES
from tests.live.web.conftest import Watched
from tests.live.web.fleets import Fleet, fleet_up
from tests.live.web.served import served
from tests.web.wall_world import World

LOG = logging.getLogger(__name__)
Profiles = Callable[..., Watched]
DEVICES = 10_000
FRAMES = 120
# At 60 frames a second there are 16.7 ms for each; a laptop needs a fifth of that. No graphics
# card here, so that the processor paints as well.
CPU_MS_MAX = 16.0


@pytest.fixture(scope="module")
def many() -> Iterator[str]:
    """Return where ten thousand devices are shown, in all states that there are."""
    world = World(DEVICES)
    shapes = [shape for shape in SHAPES if shape.lifecycle and shape.place == HOMES]
    for index in range(DEVICES):
        shape = shapes[index % len(shapes)]
        world.enter(index, shape.lifecycle, shape.light, shape.operator)
    room = make_room(Premises(world.population, cast("Supervisor", world), ()))
    with served(make_app([room])) as url:
        yield f"{url}/wall"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return four devices that are bound and online."""
    with fleet_up(tmp_path_factory.mktemp("wall"), "--devices", "4") as it:
        yield it


def after_frames(page: Page, count: int) -> None:
    """Wait for frames, however long they take."""
    page.evaluate(
        """(count) => new Promise((done) => {
        const frame = () => { if (count-- > 0) requestAnimationFrame(frame); else done(); };
        frame();
        })""",
        count,
    )


def all_there(page: Page) -> None:
    expect(page.locator("#total")).to_have_attribute("data-shown", str(DEVICES))
    after_frames(page, 2)
    assert page.evaluate("fleetWall.frames.drawn.max") == DEVICES


def test_ten_thousand_lights_leave_time_in_a_frame(many: str, profile: Profiles) -> None:
    visitor = profile()
    page = visitor.open(f"{many}?draw=canvas")
    all_there(page)
    browser = visitor.context.new_cdp_session(page)
    browser.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU, whoever else works

    def cpu_s() -> float:
        metrics = browser.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    page.evaluate("fleetWall.measure()")
    before_s = cpu_s()
    after_frames(page, FRAMES)
    spent_ms = (cpu_s() - before_s) * 1000
    frames = page.evaluate("fleetWall.frames")
    LOG.info("%.1f ms of CPU per frame; %s", spent_ms / frames["count"], frames)
    assert frames["drawn"]["max"] > 0  # some lights have changed meanwhile
    assert spent_ms / frames["count"] < CPU_MS_MAX


def test_a_graphics_card_is_given_all_lights(many: str, profile: Profiles) -> None:
    page = profile().open(f"{many}?draw=webgl")
    all_there(page)
    assert page.evaluate("fleetWall.backend") == "webgl"


def test_a_search_finds_one_of_ten_thousand(many: str, profile: Profiles) -> None:
    page = profile().open(f"{many}?draw=canvas")
    all_there(page)
    page.get_by_label("Find").fill("9876")
    page.keyboard.press("Enter")
    expect(page.locator("#ring")).to_have_attribute("data-device", "9876")
    page.get_by_label("Group by").select_option("light")
    expect(page.locator("#signs .sign").first).to_be_visible()


def shows(page: Page, index: int, light: str) -> None:
    """Wait until the wall has heard that a device shows a light."""
    expect(page.locator("#life .reading, #life")).to_contain_text(light.replace("_", " "))
    for _ in range(600):
        if page.evaluate(f"fleetWall.light({index}).light") == light:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"#{index} does not come to show {light}")


def test_a_click_opens_a_life_line_with_hands(fleet: Fleet, profile: Profiles) -> None:
    page = profile().open(f"{fleet.url}/wall?draw=canvas")
    expect(page.locator("#total")).to_have_attribute("data-shown", "4")
    lamp = page.evaluate("fleetWall.lamp(1)")
    page.mouse.click(lamp["x"], lamp["y"])
    life = page.locator("#life")
    expect(life).to_contain_text(fleet.papers["devices"][1]["uuid"])
    expect(life.locator('[data-fact="bound"]')).to_contain_text("bound, connected")
    life.get_by_role("button", name="Cut power").click()
    shows(page, 1, "off")
    life.get_by_role("button", name="Power on").click()
    shows(page, 1, "online")
    life.get_by_role("button", name="Out of Wi-Fi reach").click()
    shows(page, 1, "reconnecting")
    life.get_by_role("button", name="Back into Wi-Fi reach").click()
    shows(page, 1, "online")
    life.get_by_role("button", name="Hold reset").click()
    shows(page, 1, "waiting")


def test_keys_open_and_close_a_life_line(fleet: Fleet, profile: Profiles) -> None:
    page = profile().open(f"{fleet.url}/wall?draw=canvas")
    expect(page.locator("#total")).to_have_attribute("data-shown", "4")
    wall = page.locator("#wall")
    for _ in range(40):
        page.keyboard.press("Tab")
        if wall.evaluate("(wall) => document.activeElement === wall"):
            break
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    index = page.locator("#ring").get_attribute("data-device")
    page.keyboard.press("Enter")
    expect(page.locator("#life-title")).to_be_focused()
    uuid = fleet.papers["devices"][int(index or 0)]["uuid"]
    expect(page.locator("#life")).to_contain_text(uuid)
    page.keyboard.press("Escape")
    expect(page.locator("#life")).to_be_hidden()
    expect(wall).to_be_focused()
