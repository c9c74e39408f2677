"""A bench made of a labgrid target: which driver is which part, and what to add where none is."""

from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from labgrid.exceptions import NoResourceFoundError, NoSupplierFoundError
from labgrid.protocol import ConsoleProtocol, PowerProtocol

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.labgrid.clocks import BenchClock, WallClock, clock_of
from firmware_sim.bench.labgrid.hands import FleetButtonDriver, FleetLinkDriver
from firmware_sim.bench.labgrid.parts import Button, Camera, Console, Ear, Led, Phone, Power
from firmware_sim.bench.labgrid.protocols import (
    ButtonProtocol,
    CurrentProtocol,
    FrameProtocol,
    LedProtocol,
    LinkProtocol,
    PhoneProtocol,
    ToneProtocol,
)
from firmware_sim.bench.labgrid.resources import FleetModel

_PARTS: Final = {
    "power": (PowerProtocol, "for the supply", "NetworkPowerDriver, DigitalOutputPowerDriver"),
    "button": (ButtonProtocol, "for the reset button", "FleetButtonDriver"),
    "console": (ConsoleProtocol, "for the serial console", "SerialDriver"),
    "led": (
        LedProtocol,
        "that sees the light",
        "FleetLedDriver, FleetFeasaLedDriver, FleetAdcLedDriver",
    ),
    "camera": (FrameProtocol, "that shows pictures to the lens", "FleetFrameDriver"),
    "link": (LinkProtocol, "for the cable or the Wi-Fi", "FleetLinkDriver"),
    "supply": (CurrentProtocol, "that measures the supply current", "FleetCurrentDriver"),
    "ear": (ToneProtocol, "that hears tones", "FleetToneDriver"),
    "phone": (PhoneProtocol, "for the apps", "FleetPhoneDriver, FleetPromptPhoneDriver"),
}
"""Each part: its protocol, what it is for, and drivers that have it."""


class LabgridBench:
    """The parts of one target. Drivers are activated when their part is used first."""

    def __init__(self, target: Any) -> None:
        """Take a target; microphones listen from now on."""
        self._target = target
        if any(isinstance(driver, ToneProtocol) for driver in target.drivers):
            self.ear  # noqa: B018 - made now, not when a tone is over

    @cached_property
    def clock(self) -> WallClock | BenchClock:
        """Return the bench's time."""
        return clock_of(self._target)

    @cached_property
    def power(self) -> Power:
        """Return the supply. A console is opened before: it would lose what a boot prints."""
        if self._candidates("console"):
            with suppress(Missing, OSError):  # a test may do without it
                self.console  # noqa: B018
        return Power(self._driver("power"), self.clock)

    @cached_property
    def button(self) -> Button:
        """Return the reset button."""
        return Button(self._driver("button"), self.clock)

    @cached_property
    def console(self) -> Console:
        """Return the serial console."""
        return Console(self._driver("console"), self.clock)

    @cached_property
    def led(self) -> Led:
        """Return the sensor at the indicator light."""
        return Led(self._driver("led"), self.clock)

    @cached_property
    def camera(self) -> Camera:
        """Return what is in front of the lens."""
        return Camera(self._driver("camera"))

    @cached_property
    def link(self) -> LinkProtocol:
        """Return the cable, or the reach of Wi-Fi."""
        driver: LinkProtocol = self._driver("link")
        return driver

    @cached_property
    def supply(self) -> CurrentProtocol:
        """Return the current meter."""
        driver: CurrentProtocol = self._driver("supply")
        return driver

    @cached_property
    def ear(self) -> Ear:
        """Return the microphone."""
        return Ear(self._driver("ear"), self.clock)

    @cached_property
    def phone(self) -> Phone:
        """Return the apps."""
        return Phone(self._driver("phone"))

    def parts(self) -> set[str]:
        """Return the names of the parts for which there are drivers."""
        return {part for part in _PARTS if self._candidates(part)}

    def forget(self) -> None:
        """Throw away what the console has printed so far, where there is one."""
        if self._candidates("console"):
            self.console.forget()

    def _driver(self, part: str) -> Any:
        """Return the driver of a part, activated. Raises Missing, with what to do in the env file."""
        found = self._candidates(part)
        protocol, purpose, drivers = _PARTS[part]
        if not found:
            raise Missing(
                f"this bench has no driver {purpose}: add one with {protocol.__name__} to the"
                f" drivers of target {self._target.name!r} in the env file ({drivers})"
            )
        if len(found) > 1:
            names = ", ".join(driver.display_name for driver in found)
            raise Missing(f"{names}: name the one {purpose} {part!r} in the env file")
        try:
            self._target.activate(found[0])
        except NoSupplierFoundError as error:
            raise Missing(f"{found[0].display_name}: {error}") from error
        return found[0]

    def _candidates(self, part: str) -> list[Any]:
        """Return the drivers that a part may be; a name like the part's settles it."""
        drivers = [one for one in self._target.drivers if isinstance(one, _PARTS[part][0])]
        free = [one for one in drivers if not any(_switches(user) for user in one.clients)]
        return [one for one in free if one.name == part] or free


def _switches(user: Any) -> bool:
    """Say whether a driver uses its supplier as a button or link: then it is not the supply."""
    return isinstance(user, FleetButtonDriver | FleetLinkDriver)


def make_bench(target: Any) -> LabgridBench:
    """Return the bench that a labgrid target makes."""
    return LabgridBench(target)


def model_of(target: Any) -> str:
    """Return which model is under test. Raises Missing where the env file does not say."""
    try:
        profile: str = target.get_resource(FleetModel).profile
    except NoResourceFoundError:
        raise Missing(
            f"which model is this? add FleetModel: {{profile: NAME}} to the resources of target"
            f" {target.name!r} in the env file"
        ) from None
    return profile
