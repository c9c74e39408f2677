"""What one device's place passes on, and what it drops."""

from firmware_sim.device.device import Device, Identity
from firmware_sim.events import Event, FrameDecoded, LinkDown
from firmware_sim.runtime.live.place import Place
from hw_profiles import catalog


class House:
    """Stands in for a world: remembers."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.reported: list[str] = []

    def work_off(self, _: Place, event: Event) -> None:
        self.told.append(event)

    def report(self, _: Place, text: str) -> None:
        self.reported.append(text)


def a_place(house: House, profile: str = "gateway", site: str = "home") -> Place:
    """Return a place whose device is never asked."""
    device = Device(catalog.load(profile), Identity("place", "0" * 32, "pid0"), 1, ("host", 1))
    return Place(house, 3, device, "127.88.12.1", site)


def test_a_new_place_is_dark_and_silent() -> None:
    place = a_place(House())
    assert (place.index, place.ip, place.site) == (3, "127.88.12.1", "home")
    assert (place.powered, place.switched_on, place.linked, place.faults) == (False,) * 3 + ((),)
    assert place.plugged, "a wired device comes with its cable"
    assert not a_place(House(), "ipc-red-green").plugged
    assert (place.calls, place.connects) == (0, 0)
    place.cancel_join()
    place.drop_network()


def test_everything_goes_to_the_world() -> None:
    house = House()
    place = a_place(house)
    place.tell(LinkDown())
    place.see(b"a code")
    place.report("no files")
    assert house.told == [LinkDown(), FrameDecoded(b"a code")]
    assert house.reported == ["no files"]
