"""A bench in this process and in virtual time: scripts for a bench run in it without any waiting.

It has every capability of `firmware_sim.bench.capabilities`, and time passes only while one of
them lets it pass: `clock.sleep`, `led.read`, `console.expect` and the like. What happens is a
function of the model, the seed and the script.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.parts.happenings import Happening
from fleet.hil.virtual_console import Console
from fleet.hil.virtual_parts import Button, Camera, Clock, Ear, Led, Link, Power, Supply
from fleet.hil.virtual_phone import Phone
from fleet.hil.virtual_picture import Pictures
from fleet.hil.virtual_stand import VirtualStand


class VirtualBench:
    """A bench with one device, which has no power yet; `open_bench` makes it."""

    def __init__(self, stand: VirtualStand, pictures: Pictures) -> None:
        """Put hands and instruments around a stand."""
        self._stand = stand
        self._camera = Camera(stand, pictures)
        self.clock = Clock(stand)
        self.power = Power(stand)
        self.button = Button(stand)
        self.console = Console(stand)
        self.led = Led(stand, self.clock)
        self.link = Link(stand)
        self.supply = Supply(stand)
        self.ear = Ear(stand)
        self.phone = Phone(stand)

    @property
    def camera(self) -> Camera:
        """Return what is in front of the lens. Raises Missing for a device without one."""
        if self._stand.profile.wired:
            raise Missing("this device has no lens: use bench.phone's wired way")
        return self._camera

    def happenings(self, since_s: float = 0.0) -> tuple[Happening, ...]:
        """Return what the operator should know of the device, from a time of the clock on."""
        return self._stand.station.happenings(round(1000 * since_s))


@contextmanager
def open_bench(profile: str, seed: int = 1) -> Iterator[VirtualBench]:
    """Set up a bench with one device of a model, and take it down at the end.

    Raises UsageError for an unknown model, and where an event loop runs in this thread.
    """
    with closing(VirtualStand(profile, seed)) as stand, closing(Pictures()) as pictures:
        yield VirtualBench(stand, pictures)
