"""Which devices are meant: names, filters, and those that are there no more."""

import pytest

from firmware_sim.errors import UsageError
from fleet.run.watch import REMOVED
from fleet.web.choosing import Choosing
from fleet.web.fleet_words import Chosen, Filter
from fleet.web.routes import NotFound
from tests.web.control_world import World


def test_names_are_indices_and_uuids() -> None:
    world = World()
    choosing = Choosing(world.premises)
    units = world.population.units
    chosen = Chosen(devices=(4, units[1].uuid, "2", 4))
    assert choosing.these(chosen) == (4, 1, 2)
    with pytest.raises(NotFound, match="nobody"):
        choosing.one("nobody")


def test_devices_that_have_come_are_known_by_uuid() -> None:
    world = World()
    choosing = Choosing(world.premises)
    assert choosing.one(world.population.units[0].uuid).index == 0
    from fleet.run.growth import grow

    world.premises.population = grow(world.population, "dvr", 2)
    world.fleet.watch.grow(8)
    assert choosing.one(world.premises.population.units[7].uuid).index == 7


def test_of_one_sort_only() -> None:
    world = World()
    choosing = Choosing(world.premises)
    wired = {unit.index for unit in world.population.units if unit.product.wired}
    everything = Chosen(filter=Filter())
    assert set(choosing.these(everything, wired=True)) == wired
    assert set(choosing.these(everything, wired=False)) == set(range(6)) - wired
    with pytest.raises(UsageError, match="no wired device"):
        choosing.these(Chosen(devices=tuple(set(range(6)) - wired)), wired=True)


def test_filters() -> None:
    world = World()
    choosing = Choosing(world.premises)
    world.fleet.enter(1, "ONLINE", "online")
    world.fleet.enter(2, "OFF", "off")
    world.fleet.watch.begin_batch("b", [2, 3])
    product = world.population.units[0].product

    def fitting(**wanted: str) -> list[int]:
        return [unit.index for unit in choosing.fitting(Filter(**wanted))]

    assert fitting() == [0, 1, 2, 3, 4, 5]
    assert fitting(state="online") == fitting(light="online") == [1]
    assert fitting(batch="b") == [2, 3]
    assert fitting(product=product.name) == fitting(product=product.product_id)
    assert 0 in fitting(product=product.name)
    assert fitting(text=world.population.units[5].uuid[3:9]) == [5]
    assert fitting(batch="b", state="online") == []
    world.fleet.watch.gone([2], 5, REMOVED)
    assert fitting(batch="b") == [3]
    with pytest.raises(NotFound):
        choosing.one(2)


def test_a_device_as_it_is_shown() -> None:
    world = World()
    world.fleet.enter(1, "ONLINE", "online")
    world.fleet.shard.hands[1].plugged = False
    shown = Choosing(world.premises).show(world.population.units[1])
    assert (shown.state, shown.session, shown.light, shown.linked) == (
        "online",
        "up",
        "online",
        False,
    )
    assert (shown.place, shown.powered, shown.since_ms) == ("homes", True, world.fleet.now)
