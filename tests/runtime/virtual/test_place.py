"""A virtual place costs no more than its parts, and what its device waits for follows its clock."""

from firmware_sim.events import ClockSet
from firmware_sim.runtime.virtual.place import Place
from tests.runtime.test_place import IP, House, a_device


def test_it_is_small() -> None:
    place = Place(House(), 3, a_device("gateway"), IP, "home")
    assert not hasattr(place, "__dict__")
    assert place.woken_ms is None


def test_whoever_is_told_another_time_is_looked_at_anew() -> None:
    house = House()
    place = Place(house, 3, a_device("gateway"), IP, "home")
    place.woken_ms = 1_000
    place.set_clock(60_000)
    assert (place.skew_ms, house.told) == (60_000, [ClockSet(60_000)])
    assert not place.woken_ms
