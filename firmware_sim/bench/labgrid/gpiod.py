"""A GPIO line through its character device, as Linux wants it today.

labgrid's own GPIO driver uses the old files in `/sys/class/gpio`, which many kernels no longer
have. The package is `gpiod`, the bindings of libgpiod (version 2); only this driver needs it.
"""

import importlib
from typing import Any, ClassVar

import attr
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.protocol import DigitalOutputProtocol
from labgrid.step import step

from firmware_sim.errors import UsageError


@target_factory.reg_driver
@attr.s(eq=False)
class FleetGpiodOutputDriver(Driver, DigitalOutputProtocol):
    """Drives one line; it is off when it is taken, and given back at the end."""

    bindings: ClassVar[dict[str, Any]] = {"gpio": "FleetGpioLine"}

    def on_activate(self) -> None:
        """Take the line. Raises UsageError where the package is missing, or the line is not ours."""
        try:
            gpiod = importlib.import_module("gpiod")
        except ImportError:
            raise UsageError(
                "FleetGpiodOutputDriver needs the package gpiod (2 or newer)"
            ) from None
        self._values = gpiod.line.Value
        settings = gpiod.LineSettings(
            direction=gpiod.line.Direction.OUTPUT,
            output_value=self._values.INACTIVE,
            active_low=self.gpio.active_low,
        )
        line, chip = self.gpio.line, self.gpio.chip
        try:
            self._request = gpiod.request_lines(chip, {line: settings}, consumer="fleet bench")
        except OSError as error:
            raise UsageError(f"line {line} of {chip} cannot be used: {error}") from None

    def on_deactivate(self) -> None:
        """Give the line back."""
        self._request.release()

    @Driver.check_active
    @step(args=["status"])
    def set(self, status: bool) -> None:  # noqa: FBT001 - labgrid's protocol
        """Switch it on or off."""
        value = self._values.ACTIVE if status else self._values.INACTIVE
        self._request.set_value(self.gpio.line, value)

    @Driver.check_active
    @step(result=True)
    def get(self) -> bool:
        """Say whether it is on."""
        return bool(self._request.get_value(self.gpio.line) == self._values.ACTIVE)
