"""What only a live place has: a lens that is shown codes, and a host that may lack something."""

from firmware_sim.events import FrameDecoded
from firmware_sim.runtime.live.place import Place
from tests.runtime.test_place import IP, House, a_device


def test_everything_goes_to_the_world() -> None:
    house = House()
    place = Place(house, 3, a_device("gateway"), IP, "home")
    place.see(b"a code")
    place.report("no files")
    assert house.told == [FrameDecoded(b"a code")]
    assert house.reported == ["no files"]
    assert place.hole is None
    assert not hasattr(place, "__dict__")
