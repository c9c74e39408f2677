"""What any world holds for a device: what it passes on, what it drops, and its clock."""

from typing import Any

from firmware_sim.device.device import Device, Identity
from firmware_sim.events import ClockSet, Event, LinkDown
from firmware_sim.runtime.place import AnyPlace, Place
from hw_profiles import catalog

IP = "127.88.12.1"


class House:
    """Stands in for a world: remembers."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.reported: list[str] = []

    def work_off(self, _: Any, event: Event) -> None:
        self.told.append(event)

    def report(self, _: Any, text: str) -> None:
        self.reported.append(text)


class End:
    """A connection, a port or a plan: remembers how it ended."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def abandon(self) -> None:
        self.ended.append("abandoned")

    def close(self, *, hard: bool = False) -> None:
        self.ended.append("cut" if hard else "closed")

    def cancel(self) -> None:
        self.ended.append("cancelled")


def a_device(profile: str) -> Device:
    return Device(catalog.load(profile), Identity("place", "0" * 32, "pid0"), 1, ("host", 1))


def a_place(house: House, profile: str = "gateway", site: str = "home") -> AnyPlace:
    """Return a place whose device is never asked."""
    return Place(house, 3, a_device(profile), IP, site)


def test_a_new_place_is_dark_and_silent() -> None:
    place = a_place(House())
    assert (place.index, place.ip, place.site) == (3, IP, "home")
    assert (place.powered, place.switched_on, place.linked, place.faults) == (False,) * 3 + ((),)
    assert place.plugged, "a wired device comes with its cable"
    assert not a_place(House(), "ipc-red-green").plugged
    assert (place.calls, place.connects, place.skew_ms) == (0, 0, 0)
    place.cancel_join()
    place.drop_network()


def test_everything_goes_to_the_world() -> None:
    house = House()
    a_place(house).tell(LinkDown())
    assert house.told == [LinkDown()]


def test_with_its_network_go_all_connections() -> None:
    place, ends = a_place(House()), [End() for _ in range(4)]
    place.call, place.stream, place.lan, place.joining = ends
    place.linked = True
    place.drop_network()
    assert [end.ended for end in ends] == [["abandoned"], ["abandoned"], ["cut"], ["cancelled"]]
    assert not place.linked
    place.drop_network()
    assert all(len(end.ended) == 1 for end in ends), "nothing is left of them"


def test_a_device_is_told_how_far_its_clock_was_set() -> None:
    house = House()
    place = a_place(house)
    for skew_ms in (60_000, 60_000, -5_000, 0):
        place.set_clock(skew_ms)
        assert place.skew_ms == skew_ms
    assert house.told == [ClockSet(60_000), ClockSet(-65_000), ClockSet(5_000)]


def test_a_place_costs_no_dictionary() -> None:
    assert not hasattr(a_place(House()), "__dict__")
