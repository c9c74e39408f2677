"""The instruments of a bench around one device: what happened goes in, what they read comes out.

Sans-IO: told the time (ms, from any origin) and all that the device shows, by whatever world it
lives in. All that is remembered is bounded: ten minutes of light and current,
the last tones and happenings, some output of the console.
"""

from collections import deque

from firmware_sim.bench.parts import sensor, tones
from firmware_sim.bench.parts.current import SupplyMeter
from firmware_sim.bench.parts.happenings import NOT_LOOKING, TONE, Happening, Happenings
from firmware_sim.bench.parts.light import Glow, LightHistory
from firmware_sim.bench.parts.sensor import Optics, Rgb
from firmware_sim.bench.parts.tones import Tone
from firmware_sim.bench.parts.uart import Uart
from firmware_sim.bench.trace import CurrentTrace, LedTrace
from firmware_sim.device.device import Identity
from firmware_sim.device.profile import Profile
from firmware_sim.effects import Noted, StateShown
from firmware_sim.rng import derive

TONES_MAX = 1000


class Station:
    """One device's bench."""

    def __init__(
        self, profile: Profile, identity: Identity, seed: int, optics: Optics = sensor.DEFAULT
    ) -> None:
        """Set up instruments around a device without power; their noise depends on the seed."""
        self.uart = Uart(profile, identity)
        self._profile = profile
        self._optics = optics
        self._on = False
        self._looks = False  # the device, for a code
        self._led_seed, meter_seed, self._room_seed = (derive(seed, part) for part in range(3))
        self._light = LightHistory(profile)
        self._meter = SupplyMeter(profile, meter_seed)
        self._tones: deque[Tone] = deque(maxlen=TONES_MAX)
        self._happenings = Happenings(profile)

    # --- told by the world, in order of time ----------------------------------------------------

    def powered(self, on: bool, now_ms: int) -> None:  # noqa: FBT001 - as the contract has it
        """Take it that the supply comes on or goes off; before the device is told."""
        if on == self._on:
            return
        self._on, self._looks = on, False
        self.uart.powered(now_ms, on=on)
        self._meter.powered(now_ms, on=on)
        self._happenings.remark(f"The supply {'comes on' if on else 'goes off'}.", now_ms)
        if not on:
            self._light.go_dark(now_ms)

    def observed(self, what: StateShown | Noted, now_ms: int) -> None:
        """Take what the device shows or tells."""
        if isinstance(what, StateShown):
            self._shown(what, now_ms)
        else:
            self._noted(what, now_ms)

    def code_held(self, now_ms: int) -> None:
        """Take it that a code is held to the lens; a device that is busy gives no sign of it."""
        if self._on and not self._looks:
            self._happenings.remark(NOT_LOOKING, now_ms)

    def remark(self, text: str, now_ms: int) -> None:
        """Add to the happenings what the bench knows and the device does not."""
        self._happenings.remark(text, now_ms)

    def _shown(self, state: StateShown, now_ms: int) -> None:
        self._looks = state.lifecycle == "WAITING" and not self._profile.wired
        self._happenings.shown(state, now_ms)
        self.uart.shown(state, now_ms)
        self._meter.shown(state.lifecycle, state.session, now_ms)
        if self._on:
            self._light.show(state.light, now_ms)

    def _noted(self, note: Noted, now_ms: int) -> None:
        if note.kind == TONE and note.detail.isdecimal():
            self._tones.append(Tone(now_ms, int(note.detail)))
        self._happenings.noted(note, now_ms)
        self.uart.noted(note, now_ms)

    # --- read by instruments; a window lies in the past -----------------------------------------

    def led(self, start_ms: int, end_ms: int, rate_hz: float) -> LedTrace:
        """Return what the colour sensor saw of all lights in a window. Raises UsageError."""
        glows = self._glows(start_ms - sensor.lead_ms(self._optics), end_ms)
        return sensor.sample(glows, start_ms, end_ms, rate_hz, self._led_seed, self._optics)

    def fibre(self, number: int, at_ms: int) -> Rgb:
        """Return what a fibre sees at an instant: 1 the main light, 2 the second, others nothing.

        A fibre ends on the light itself, so there is neither room light nor a low-pass.
        """
        colour = self._light.colour_at(at_ms)
        lit = colour and self._light.lamp_of(colour) == number
        return sensor.COLOURS[colour] if lit else sensor.DARK

    def current(self, start_ms: int, end_ms: int, rate_hz: float) -> CurrentTrace:
        """Return the supply current in a window. Raises UsageError."""
        return self._meter.sample(self._glows(start_ms, end_ms), start_ms, end_ms, rate_hz)

    def tones(self, since_ms: int) -> tuple[Tone, ...]:
        """Return the prompt tones that began at or after an instant."""
        return tuple(tone for tone in self._tones if tone.at_ms >= since_ms)

    def audio(self, start_ms: int, end_ms: int) -> bytes:
        """Return a recording of a window as a WAV file. Raises UsageError."""
        return tones.wav(
            self.tones(start_ms - tones.TONE_MS_MAX), start_ms, end_ms, self._room_seed
        )

    def happenings(self, since_ms: int) -> tuple[Happening, ...]:
        """Return what happened at or after an instant, in the operator's words."""
        return self._happenings.since(since_ms)

    def _glows(self, start_ms: int, end_ms: int) -> list[Glow]:
        return list(self._light.glows(start_ms, end_ms))
