"""What a test script can do at a bench and read from it, whatever the bench is made of.

A script names these capabilities and no class behind them. Three benches have them: one in this
process and in virtual time, a simulated one behind endpoints, and one of real parts; the latter
two through labgrid. Durations are seconds of the bench's clock (`Clock`), which may run faster
than the one on the wall. What a bench cannot do raises `Missing`, what does not come in time
`NotSeen`.
"""

from pathlib import Path
from typing import Literal, Protocol

import msgspec

from firmware_sim.bench.trace import CurrentTrace, LedTrace
from firmware_sim.errors import SimulatorError, UsageError

Mode = Literal["off", "solid", "blink", "alternate", "breathe"]


class Missing(UsageError):
    """This bench has no such part, or this device no such socket."""


class NotSeen(SimulatorError):
    """What a script waited for has not come; the message says what was there instead."""


class Reading(msgspec.Struct, frozen=True):
    """What an LED does, as far as a trace shows it.

    `colours`: none if off, one, or the two of `alternate`. `hz` is periods per second and 0 where
    nothing moves, `duty` the share of a period in which the first colour is lit (0 off, 1 solid).
    `confidence` is how likely colours, mode and frequency are all right, 0 to 1.
    """

    mode: Mode
    colours: tuple[str, ...]
    hz: float
    duty: float
    confidence: float


class Light(msgspec.Struct, frozen=True):
    """What an LED is expected to do: what a model shows in one of its states."""

    mode: Mode
    colours: tuple[str, ...]
    hz: float
    duty: float


class Clock(Protocol):
    """The bench's time. `rate` is how much of it passes per second on the wall; inf: no waiting."""

    @property
    def rate(self) -> float:
        """Return bench seconds per real second."""
        ...

    def now_s(self) -> float:
        """Return the bench's time in seconds, from any origin."""
        ...

    def sleep(self, duration_s: float) -> None:
        """Let so much of the bench's time pass."""
        ...


class Power(Protocol):
    """The supply of the device."""

    def on(self) -> None:
        """Apply the voltage."""
        ...

    def off(self) -> None:
        """Cut it."""
        ...

    def cycle(self, off_s: float = 2.0) -> None:
        """Cut it, and apply it again after `off_s`."""
        ...

    def get(self) -> bool:
        """Say whether it is on."""
        ...


class Button(Protocol):
    """The reset button."""

    def press(self) -> None:
        """Put a finger on it."""
        ...

    def release(self) -> None:
        """Take the finger away."""
        ...

    def press_for(self, duration_s: float) -> None:
        """Hold it for so long."""
        ...


class Console(Protocol):
    """The serial console of the firmware."""

    def expect(self, pattern: str, timeout_s: float = 10.0) -> str:
        """Return the text up to the end of the first match of a regular expression. NotSeen."""
        ...

    def sendline(self, line: str) -> None:
        """Type a line."""
        ...


class Led(Protocol):
    """The indicator light, seen by a colour sensor."""

    def sample(self, duration_s: float) -> LedTrace:
        """Return the light during the next `duration_s`."""
        ...

    def read(self, duration_s: float = 2.0) -> Reading:
        """Return what the light does during the next `duration_s`."""
        ...

    def wait_for(
        self,
        colour: str,
        mode: Mode,
        hz: float | None = None,
        *,
        duty: float | None = None,
        timeout_s: float = 30.0,
    ) -> Reading:
        """Return as soon as the light does this; two colours are written `red+blue`.

        NotSeen says what it did instead; the trace becomes part of the test's report.
        """
        ...

    def wait_for_light(self, light: Light, timeout_s: float = 30.0) -> Reading:
        """Return as soon as the light is as it should be in one of the model's states. NotSeen."""
        ...


class Camera(Protocol):
    """What is in front of the device's lens."""

    def show(self, picture: bytes | Path | str) -> None:
        """Hold a picture (bytes or path) or a QR code with this text (str) to the lens.

        Raises UsageError for what is no picture, or has no code in it that can be read.
        """
        ...

    def hide(self) -> None:
        """Take it away."""
        ...


class Link(Protocol):
    """The cable of a wired device; else the reach of its Wi-Fi."""

    def up(self) -> None:
        """Put it in."""
        ...

    def down(self) -> None:
        """Pull it."""
        ...


class Supply(Protocol):
    """The instrument that measures the supply current."""

    def sample(self, duration_s: float) -> CurrentTrace:
        """Return the current during the next `duration_s`."""
        ...


class Ear(Protocol):
    """The microphone beside the device's speaker."""

    def wait_for(self, tone: int, timeout_s: float = 30.0) -> None:
        """Return when the prompt tone (1 or 2) has been played, since the last call. NotSeen."""
        ...


class Code(msgspec.Struct, frozen=True):
    """What an app shows on the phone: the text of a QR code, with password and token in it."""

    text: str

    def __repr__(self) -> str:
        """Show the size only."""
        return f"Code({len(self.text)} characters)"


class Phone(Protocol):
    """The apps of the people around the device: who sells it again, and who bought it."""

    def unbinding_code(self, *, wifi_password: str | None = None) -> Code:
        """Return a code of after-sales; a password given stands in for the right one."""
        ...

    def pairing_code(self, *, wifi_password: str | None = None) -> Code:
        """Return a code of the next owner's app."""
        ...

    def unbind_by_wire(self, timeout_s: float = 30.0) -> None:
        """Search the LAN for the device, and send it an unbinding token. NotSeen."""
        ...

    def pair_by_wire(self, timeout_s: float = 30.0) -> None:
        """Search the LAN for the device, and send it the next owner's token. NotSeen."""
        ...


class Bench(Protocol):
    """One device under test, and everything around it. A part that is not there raises `Missing`."""

    @property
    def power(self) -> Power:
        """Return the supply."""
        ...

    @property
    def button(self) -> Button:
        """Return the reset button."""
        ...

    @property
    def console(self) -> Console:
        """Return the serial console."""
        ...

    @property
    def led(self) -> Led:
        """Return the sensor at the indicator light."""
        ...

    @property
    def camera(self) -> Camera:
        """Return what is in front of the lens."""
        ...

    @property
    def link(self) -> Link:
        """Return the cable, or the reach of Wi-Fi."""
        ...

    @property
    def supply(self) -> Supply:
        """Return the current meter."""
        ...

    @property
    def ear(self) -> Ear:
        """Return the microphone."""
        ...

    @property
    def phone(self) -> Phone:
        """Return the apps."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the bench's time."""
        ...


class DeviceUnderTest(Protocol):
    """What is known of the device: its model."""

    @property
    def profile(self) -> str:
        """Return the name of its model, as in `fleet profiles`."""
        ...

    @property
    def wired(self) -> bool:
        """Say whether it has an Ethernet socket, and no lens."""
        ...

    @property
    def hold_s(self) -> float:
        """Return how long its button has to be held for a reset."""
        ...

    def light(self, state: str) -> Light:
        """Return what its light does in a state (`waiting`, `online`, ...). UsageError."""
        ...
