"""The hands and the instruments at a stand in virtual time."""

import math
from pathlib import Path
from typing import Final

from firmware_sim.bench.capabilities import NotSeen
from firmware_sim.bench.parts.tones import Tone
from firmware_sim.bench.reader.lamp import SampledLed
from firmware_sim.bench.trace import CurrentTrace, LedTrace
from firmware_sim.camera.scene import check_payload
from firmware_sim.errors import UsageError
from fleet.hil.virtual_picture import Pictures
from fleet.hil.virtual_stand import VirtualStand

LED_RATE_HZ: Final = 100.0
SUPPLY_RATE_HZ: Final = 100.0


class Clock:
    """The stand's time: nobody waits for it."""

    rate = math.inf

    def __init__(self, stand: VirtualStand) -> None:
        """Count from when the stand was set up."""
        self._stand = stand

    def now_s(self) -> float:
        """Return the time in seconds."""
        return self._stand.now_s

    def sleep(self, duration_s: float) -> None:
        """Let so much time pass."""
        self._stand.pass_s(duration_s)


class Power:
    """The supply of the device."""

    def __init__(self, stand: VirtualStand) -> None:
        """Take the switch."""
        self._stand = stand

    def on(self) -> None:
        """Apply the voltage."""
        self._stand.power(on=True)

    def off(self) -> None:
        """Cut it."""
        self._stand.power(on=False)

    def cycle(self, off_s: float = 2.0) -> None:
        """Cut it, and apply it again after `off_s`."""
        self.off()
        self._stand.pass_s(off_s)
        self.on()

    def get(self) -> bool:
        """Say whether it is on."""
        return self._stand.desk.touch.powered


class Button:
    """The reset button."""

    def __init__(self, stand: VirtualStand) -> None:
        """Put a finger beside it."""
        self._stand = stand

    def press(self) -> None:
        """Put the finger on it."""
        self._stand.do(self._stand.desk.press)

    def release(self) -> None:
        """Take the finger away."""
        self._stand.do(self._stand.desk.release)

    def press_for(self, duration_s: float) -> None:
        """Hold it for so long."""
        self.press()
        try:
            self._stand.pass_s(duration_s)
        finally:
            self.release()


class Led(SampledLed):
    """A colour sensor at the light."""

    def __init__(self, stand: VirtualStand, clock: Clock) -> None:
        """Look at the light."""
        super().__init__(clock)
        self._stand = stand

    def sample(self, duration_s: float) -> LedTrace:
        """Return the light during the next `duration_s`."""
        start_ms = self._stand.now_ms
        self._stand.pass_s(duration_s)
        return self._stand.station.led(start_ms, self._stand.now_ms, LED_RATE_HZ)


class Camera:
    """What is in front of the lens. It stays there until it is taken away."""

    def __init__(self, stand: VirtualStand, pictures: Pictures) -> None:
        """VirtualStand before the lens, empty-handed."""
        self._stand = stand
        self._pictures = pictures

    def show(self, picture: bytes | Path | str) -> None:
        """Hold a picture (bytes or path) or a QR code with this text (str) to the lens.

        Raises UsageError for what is no picture, or has no code in it that can be read.
        """
        payload = _utf8(picture) if isinstance(picture, str) else self._pictures.code_in(picture)
        check_payload(payload)
        self._stand.show(payload)

    def hide(self) -> None:
        """Take it away."""
        self._stand.show(None)


class Link:
    """The cable of a wired device; else the Wi-Fi that is heard at the stand."""

    def __init__(self, stand: VirtualStand) -> None:
        """Leave it as it is: there."""
        self._stand = stand

    def up(self) -> None:
        """Put it in."""
        self._set(there=True)

    def down(self) -> None:
        """Pull it."""
        self._set(there=False)

    def _set(self, *, there: bool) -> None:
        desk = self._stand.desk
        if desk.profile.wired:
            self._stand.do(lambda: desk.plug(connected=there))
        elif desk.touch.wifi != there:
            self._stand.do(lambda: desk.set_wifi(on=there))


class Supply:
    """The instrument in the supply line."""

    def __init__(self, stand: VirtualStand) -> None:
        """Connect it."""
        self._stand = stand

    def sample(self, duration_s: float) -> CurrentTrace:
        """Return the current during the next `duration_s`."""
        start_ms = self._stand.now_ms
        self._stand.pass_s(duration_s)
        return self._stand.station.current(start_ms, self._stand.now_ms, SUPPLY_RATE_HZ)


class Ear:
    """The microphone. What was heard and not waited for is kept, up to the tone waited for."""

    def __init__(self, stand: VirtualStand) -> None:
        """Listen from the start."""
        self._stand = stand
        self._since_ms = 0

    def wait_for(self, tone: int, timeout_s: float = 30.0) -> None:
        """Return when the prompt tone has been played, since the last one waited for. NotSeen."""
        found = self._stand.wait_for(lambda: self._heard(tone), timeout_s)
        if found is None:
            heard = self._stand.station.tones(self._since_ms)
            there = ", ".join(str(one.tone) for one in heard) or "none"
            raise NotSeen(f"tone {tone} was not played within {timeout_s:g} s; heard: {there}")
        self._since_ms = found.at_ms + 1

    def _heard(self, tone: int) -> Tone | None:
        heard = self._stand.station.tones(self._since_ms)
        return next((one for one in heard if one.tone == tone), None)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UsageError("this text has half a character in it: a code cannot hold that") from None
