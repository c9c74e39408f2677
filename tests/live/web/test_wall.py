"""The light wall: ten thousand lights in a real browser, and hands on devices of a real fleet."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from playwright.sync_api import Page, expect

from fleet.run.stage import WAREHOUSE
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
# A frame at 60 a second has 16.7 ms; this is for a machine that many tests share, without a
# graphics card.
WORK_MS_MAX = 16.0
FRAMES = 60


def many() -> World:
    """Return ten thousand devices in all states that there are."""
    world = World(DEVICES)
    shapes = [shape for shape in SHAPES if shape.place == WAREHOUSE]
    for index in range(DEVICES):
        world.shard.hands[index].site = WAREHOUSE
        shape = shapes[index % len(shapes)]
        world.enter(index, shape.lifecycle, shape.light, shape.operator)
    return world


@pytest.mark.parametrize("draw", ["canvas", "webgl"])
def test_ten_thousand_lights_are_drawn_in_time(profile: Profiles, draw: str) -> None:
    world = many()
    room = make_room(cast(Premises, PremisesOf(world)))
    with served(make_app([room])) as url:
        page = profile().open(f"{url}/wall?draw={draw}")
        expect(page.locator("#total")).to_have_attribute("data-shown", str(DEVICES))
        page.evaluate("fleetWall.measure()")
        expect_frames(page)
        frames: dict[str, Any] = page.evaluate("fleetWall.frames")
        backend = page.evaluate("fleetWall.backend")
        LOG.info("%s: %s", backend, frames)
        print(backend, frames)
        assert page.evaluate("fleetWall.devices") == DEVICES
        page.pause


def expect_frames(page: Page) -> None:
    while page.evaluate("fleetWall.frames.count") < FRAMES:
        page.wait_for_timeout(100)


class PremisesOf:
    """What the room asks for."""

    def __init__(self, world: World) -> None:
        self.population = world.population
        self.supervisor = world
        self.people = ()
