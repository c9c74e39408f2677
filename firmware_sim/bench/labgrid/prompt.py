"""People with their own phones: the driver asks at the terminal for what their apps show.

For a real device at a real cloud, whose apps no program reaches. pytest has to leave the terminal
alone for it: `pytest -s`.
"""

from typing import Any, ClassVar, Final

import attr
import msgspec
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.step import step

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.labgrid.protocols import PhoneProtocol, Purpose
from firmware_sim.errors import UsageError

_APPS: Final = {"unbind": "the app of after-sales", "pair": "the next owner's app"}


@target_factory.reg_driver
@attr.s(eq=False)
class FleetPromptPhoneDriver(Driver, PhoneProtocol):
    """Asks an operator for the text of a code, or to hand a token over by wire."""

    bindings: ClassVar[dict[str, Any]] = {}

    @Driver.check_active
    @step(args=["purpose"])
    def code(self, purpose: Purpose, wifi_password: str | None) -> str:
        """Return the text that the operator pastes. UsageError if another password has no place in it."""
        text = self._ask(f"text of a QR code to {purpose} the device, from {_APPS[purpose]}: ")
        if wifi_password is None:
            return text
        try:
            fields = msgspec.json.decode(text, type=dict[str, str])
        except msgspec.DecodeError:
            raise UsageError("this code has no Wi-Fi password that could be replaced") from None
        return msgspec.json.encode({**fields, "p": wifi_password}).decode()

    @Driver.check_active
    @step(args=["purpose"])
    def by_wire(self, purpose: Purpose, timeout_s: float) -> None:  # noqa: ARG002 - people take their time
        """Have the operator send a token over the LAN."""
        self._ask(f"{purpose} the device over the LAN with {_APPS[purpose]}, then press Enter: ")

    def _ask(self, question: str) -> str:
        env = self.target.env
        ask = env.interact if env is not None else input
        try:
            return str(ask(f"{self.target.name}: {question}")).strip()
        except (OSError, EOFError):
            raise Missing("nobody can be asked here: run pytest with -s, at a terminal") from None
