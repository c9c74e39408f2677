"""What a driver of this package can do, so that `target.get_driver("LedProtocol")` names no class.

labgrid has protocols for power, digital outputs and consoles, and none for these. They are the
least that an instrument has to offer: waiting, reading a light and the like is done above them,
once, by `firmware_sim.bench.labgrid.bench`. Durations are seconds of the bench's clock.
"""

import abc
from typing import Literal, NamedTuple

from firmware_sim.bench.trace import CurrentTrace, LedTrace

Purpose = Literal["pair", "unbind"]


class Heard(NamedTuple):
    """A tone that was played, at a time of the bench's clock."""

    at_s: float
    tone: int


class LedProtocol(abc.ABC):
    """Sees the indicator light."""

    @abc.abstractmethod
    def sample(self, duration_s: float, from_s: float | None = None) -> LedTrace:
        """Return the light during the next `duration_s`.

        `from_s` is when the trace before ended, for an instrument that remembers the light since:
        it begins there, ends now or later, and so leaves no gap. Others begin now.
        """


class FrameProtocol(abc.ABC):
    """Holds pictures to the lens."""

    @abc.abstractmethod
    def show(self, picture: bytes | str) -> None:
        """Show a picture (the bytes of its file), or a QR code with a text. UsageError."""

    @abc.abstractmethod
    def hide(self) -> None:
        """Take it away."""


class LinkProtocol(abc.ABC):
    """Puts the cable in and pulls it; for a device without one, its Wi-Fi comes and goes."""

    @abc.abstractmethod
    def up(self) -> None:
        """Make the connection."""

    @abc.abstractmethod
    def down(self) -> None:
        """Break it."""


class ButtonProtocol(abc.ABC):
    """A finger on the reset button."""

    @abc.abstractmethod
    def press(self) -> None:
        """Put it on the button."""

    @abc.abstractmethod
    def release(self) -> None:
        """Take it away."""


class PhoneProtocol(abc.ABC):
    """The apps of the people around the device."""

    @abc.abstractmethod
    def code(self, purpose: Purpose, wifi_password: str | None) -> str:
        """Return the text of a QR code: a secret. A password given stands in for the right one."""

    @abc.abstractmethod
    def by_wire(self, purpose: Purpose, timeout_s: float) -> None:
        """Find the device on the LAN and send it a token. NotSeen."""


class CurrentProtocol(abc.ABC):
    """Measures the supply current."""

    @abc.abstractmethod
    def sample(self, duration_s: float) -> CurrentTrace:
        """Return the current during the next `duration_s`."""


class ToneProtocol(abc.ABC):
    """Hears the device's prompt tones."""

    @abc.abstractmethod
    def tones(self, since_s: float) -> tuple[Heard, ...]:
        """Return what was played since a time of the bench's clock, in order."""


class ClockProtocol(abc.ABC):
    """Knows the bench's time, where it is not that on the wall."""

    @abc.abstractmethod
    def now_s(self) -> float:
        """Return the time in seconds."""

    @abc.abstractmethod
    def rate(self) -> float:
        """Return how many bench seconds pass in a second on the wall."""
