"""The reset button and the link, on whatever can be switched: a relay, a GPIO, an endpoint, a port.

The output is named in the env file (`bindings: {output: ...}`): a bench has several, and a finger on
the supply's relay would look like a dead device.
"""

from typing import Any, ClassVar

import attr
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.protocol import DigitalOutputProtocol, PowerProtocol
from labgrid.step import step

from firmware_sim.bench.labgrid.protocols import ButtonProtocol, LinkProtocol


@target_factory.reg_driver
@attr.s(eq=False)
class FleetButtonDriver(Driver, ButtonProtocol):
    """The reset button: an output that closes the contact while it is on."""

    bindings: ClassVar[dict[str, Any]] = {"output": Driver.NamedBinding(DigitalOutputProtocol)}

    @Driver.check_active
    @step()
    def press(self) -> None:
        """Put a finger on it."""
        self.output.set(True)

    @Driver.check_active
    @step()
    def release(self) -> None:
        """Take the finger away."""
        self.output.set(False)


@target_factory.reg_driver
@attr.s(eq=False)
class FleetLinkDriver(Driver, LinkProtocol):
    """The link: an output, or a port with a supply of its own (of a switch, of an access point).

    `inverted` is for an output that breaks the link while it is on, as a relay in the cable may.
    """

    bindings: ClassVar[dict[str, Any]] = {
        "output": Driver.NamedBinding({DigitalOutputProtocol, PowerProtocol}),
    }
    inverted: bool = attr.ib(default=False, validator=attr.validators.instance_of(bool))

    @Driver.check_active
    @step()
    def up(self) -> None:
        """Make the connection."""
        self._set(there=True)

    @Driver.check_active
    @step()
    def down(self) -> None:
        """Break it."""
        self._set(there=False)

    def _set(self, *, there: bool) -> None:
        on = there is not self.inverted
        if isinstance(self.output, DigitalOutputProtocol):
            self.output.set(on)
        elif on:
            self.output.on()
        else:
            self.output.off()
