"""The capabilities of `firmware_sim.bench.capabilities` above labgrid's drivers, stock and own.

Drivers only do what an instrument does. What a script waits for is waited for here, by the bench's
clock, which may pass faster than the one on the wall.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pexpect import EOF, TIMEOUT

from firmware_sim.bench.capabilities import Code, NotSeen
from firmware_sim.bench.labgrid.clocks import BenchClock, WallClock, on_the_wall_s, real_time_s
from firmware_sim.bench.labgrid.protocols import FrameProtocol, LedProtocol, PhoneProtocol
from firmware_sim.bench.reader.lamp import SampledLed
from firmware_sim.bench.trace import LedTrace
from firmware_sim.errors import UsageError

AnyClock = WallClock | BenchClock
_QUIET_S: Final = 0.05  # on the wall: nothing more has been printed
_LOOK_S: Final = 0.1
_SHOWN_MAX: Final = 400
_PICTURE_MAX: Final = 64 << 20


class Power:
    """The supply, by whatever labgrid switches it."""

    def __init__(self, driver: Any, clock: AnyClock) -> None:
        """Take a driver with labgrid's PowerProtocol."""
        self._driver = driver
        self._clock = clock
        self._on = False

    def on(self) -> None:
        """Apply the voltage."""
        self._driver.on()
        self._on = True

    def off(self) -> None:
        """Cut it."""
        self._driver.off()
        self._on = False

    def cycle(self, off_s: float = 2.0) -> None:
        """Cut it, and apply it again after `off_s` of the bench's time.

        labgrid's own `cycle` waits on the wall, and for as long as the env file says.
        """
        self.off()
        self._clock.sleep(off_s)
        self.on()

    def get(self) -> bool:
        """Say whether it is on; for a switch that cannot tell, what was done last."""
        try:
            return bool(self._driver.get())
        except (AttributeError, NotImplementedError):
            return self._on


class Button:
    """The reset button."""

    def __init__(self, driver: Any, clock: AnyClock) -> None:
        """Take a driver with ButtonProtocol."""
        self._clock = clock
        self.press = driver.press
        self.release = driver.release

    def press_for(self, duration_s: float) -> None:
        """Hold it for so long."""
        self.press()
        try:
            self._clock.sleep(duration_s)
        finally:
            self.release()


class Console:
    """The serial console, by labgrid's ConsoleProtocol."""

    def __init__(self, driver: Any, clock: AnyClock) -> None:
        """Take a driver."""
        self._driver = driver
        self._clock = clock
        self.sendline = driver.sendline

    def expect(self, pattern: str, timeout_s: float = 10.0) -> str:
        """Return the text up to the end of the first match. Raises NotSeen, with what was there.

        A dot of the pattern matches line ends as well. UsageError for what is no pattern.
        """
        try:
            wish = re.compile(pattern.encode(), re.DOTALL)
        except re.error as error:
            raise UsageError(f"{pattern!r} is no regular expression: {error}") from None
        try:
            _, before, _, after = self._driver.expect(
                wish, timeout=on_the_wall_s(self._clock, timeout_s)
            )
        except (TIMEOUT, EOF):
            text = self._text(self._driver.expect(TIMEOUT, timeout=0)[1])
            there = repr(text[-_SHOWN_MAX:]) if text else "nothing"
            raise NotSeen(
                f"{pattern!r} was not printed within {timeout_s:g} s; there is {there}"
            ) from None
        return self._text(before + after)

    def forget(self) -> None:
        """Throw away what was printed so far."""
        while (
            self._driver.expect([re.compile(b".+", re.DOTALL), TIMEOUT], timeout=_QUIET_S)[0] == 0
        ):
            pass

    def _text(self, printed: bytes) -> str:
        return printed.decode(errors="replace")


class Led(SampledLed):
    """The indicator light, by whatever samples it."""

    def __init__(self, driver: LedProtocol, clock: AnyClock) -> None:
        """Take a driver."""
        super().__init__(clock)
        self._driver = driver

    def sample(self, duration_s: float) -> LedTrace:
        """Return the light during the next `duration_s`. UsageError for what is no time."""
        return self._driver.sample(real_time_s(duration_s))

    def follow(self) -> Callable[[float], LedTrace]:
        """Return what samples on from trace to trace, without a gap where the instrument can."""
        end_s: float | None = None

        def sample(duration_s: float) -> LedTrace:
            nonlocal end_s
            trace = self._driver.sample(duration_s, end_s)
            if trace.span_s:
                step_s = trace.span_s / (len(trace.times_s) - 1)
                end_s = float(trace.times_s[-1]) + step_s
            return trace

        return sample


class Camera:
    """What is in front of the lens."""

    def __init__(self, driver: FrameProtocol) -> None:
        """Take a driver."""
        self._driver = driver
        self.hide = driver.hide

    def show(self, picture: bytes | Path | str) -> None:
        """Hold a picture (bytes or path) or a QR code with a text (str) to the lens. UsageError."""
        if isinstance(picture, Path):
            try:
                with picture.open("rb") as file:
                    held: bytes | str = file.read(_PICTURE_MAX)
            except OSError as error:
                raise UsageError(f"{picture}: cannot be read ({error.strerror})") from None
        else:
            held = picture
        self._driver.show(held)


class Ear:
    """The microphone. What was heard and not waited for is kept, up to the tone waited for."""

    def __init__(self, driver: Any, clock: AnyClock) -> None:
        """Listen from now on."""
        self._driver = driver
        self._clock = clock
        self._since_s = clock.now_s()

    def wait_for(self, tone: int, timeout_s: float = 30.0) -> None:
        """Return when the prompt tone has been played, since the last one waited for. NotSeen."""
        end_s = self._clock.now_s() + timeout_s
        while True:
            heard = [one for one in self._driver.tones(self._since_s) if one.at_s > self._since_s]
            found = next((one for one in heard if one.tone == tone), None)
            if found is not None:
                self._since_s = found.at_s
                return
            if self._clock.now_s() >= end_s:
                there = ", ".join(str(one.tone) for one in heard) or "none"
                raise NotSeen(f"tone {tone} was not played within {timeout_s:g} s; heard: {there}")
            self._clock.sleep(_LOOK_S)


class Phone:
    """The apps of the people around the device."""

    def __init__(self, driver: PhoneProtocol) -> None:
        """Take a driver."""
        self._driver = driver

    def unbinding_code(self, *, wifi_password: str | None = None) -> Code:
        """Return a code of after-sales; a password given stands in for the right one."""
        return Code(self._driver.code("unbind", wifi_password))

    def pairing_code(self, *, wifi_password: str | None = None) -> Code:
        """Return a code of the next owner's app; a password given stands in for the right one."""
        return Code(self._driver.code("pair", wifi_password))

    def unbind_by_wire(self, timeout_s: float = 30.0) -> None:
        """Find the device on the LAN and send it an unbinding token. Raises NotSeen."""
        self._driver.by_wire("unbind", timeout_s)

    def pair_by_wire(self, timeout_s: float = 30.0) -> None:
        """Find the device on the LAN and send it the next owner's token. Raises NotSeen."""
        self._driver.by_wire("pair", timeout_s)
