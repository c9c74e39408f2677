"""The supply current of a device, by what it does: what a bench supply would log.

No vendor publishes such traces for these devices. All figures are our choice, in the range of
small boards of each kind; the shape is what matters: nothing without supply, an inrush, a busy
boot, bursts of the radio, more while the lens looks, and pulses while the flash is written.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import numpy as np

from firmware_sim.bench.parts import chance
from firmware_sim.bench.parts.light import Glow
from firmware_sim.bench.parts.sensor import times_ms
from firmware_sim.bench.parts.timeline import Timeline
from firmware_sim.bench.trace import CurrentTrace, Floats
from firmware_sim.device.profile import Kind, Profile
from firmware_sim.rng import derive

RADIO_SLOT_MS = 20
FLASH_SLOT_MS = 5
RESOLUTION_MA = 0.1


class Draw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the parts of a device take, in mA at the voltage of its supply.

    `boot_ma` and `idle_ma` are the whole board; the others come on top: `link_ma` while it is in
    a network, `radio_ma` during a burst (on a cable: of traffic), `lens_ma` while the lens looks,
    `flash_ma` during a pulse of writing, `die_ma` for each lit die of a light. The inrush begins at
    `inrush_ma` and falls with the time constant `inrush_ms`.
    """

    inrush_ma: float
    inrush_ms: float
    boot_ma: float
    idle_ma: float
    link_ma: float
    radio_ma: float
    lens_ma: float
    flash_ma: float
    die_ma: float = 8.0
    noise_ma: float = 1.5


DRAWS: dict[Kind, Draw] = {
    Kind.CAMERA: Draw(1400.0, 4.0, 320.0, 210.0, 25.0, 180.0, 95.0, 40.0),
    Kind.NVR: Draw(2600.0, 8.0, 900.0, 640.0, 15.0, 20.0, 0.0, 70.0, noise_ma=5.0),
    Kind.DVR: Draw(2400.0, 8.0, 850.0, 600.0, 15.0, 20.0, 0.0, 70.0, noise_ma=5.0),
    Kind.BASE_STATION: Draw(1600.0, 6.0, 480.0, 300.0, 15.0, 30.0, 0.0, 50.0, noise_ma=3.0),
    Kind.GATEWAY: Draw(900.0, 3.0, 240.0, 130.0, 15.0, 25.0, 0.0, 30.0),
}
"""Cameras and gateways at 5 V, the others at 12 V."""

DIES = {"": 0, "amber": 2, "yellow": 2}
"""How many dies light up for a colour; one for those that are not named."""


class Doing(NamedTuple):
    """What a device is busy with; `radio` and `flash` are shares of time."""

    boots: bool = False
    link: bool = False
    radio: float = 0.0
    flash: float = 0.0
    lens: bool = False


DOINGS = {
    "BOOTING": Doing(boots=True, flash=0.1),
    "WAITING": Doing(lens=True),
    "JOINING": Doing(radio=0.7),
    "ACTIVATING": Doing(link=True, radio=0.35),
    "REJOINING": Doing(radio=0.5),
    "ONLINE": Doing(link=True, radio=0.2),
    "UPDATING": Doing(link=True, radio=0.6, flash=0.4),
    "RESETTING": Doing(flash=0.8),
    "FAILED": Doing(),
}
IN_SESSION = Doing(link=True, radio=0.06)
"""Online and connected: keep-alives and little else."""


class SupplyMeter:
    """Remembers what one device did, and says what current that took."""

    __slots__ = ("_doing", "_draw", "_lens", "_seed", "_supply")

    def __init__(self, profile: Profile, seed: int) -> None:
        """Begin without supply."""
        self._draw = DRAWS[profile.kind]
        self._lens = not profile.wired
        self._seed = seed
        self._supply = Timeline(False)  # noqa: FBT003 - a value like any other
        self._doing = Timeline(Doing())

    def powered(self, now_ms: int, *, on: bool) -> None:
        """Take it that the supply comes on or goes off."""
        self._supply.change(on, now_ms)
        self._doing.change(DOINGS["BOOTING"], now_ms)

    def shown(self, lifecycle: str, session: str, now_ms: int) -> None:
        """Take the state that the device is in."""
        doing = DOINGS.get(lifecycle, Doing())
        if lifecycle == "ONLINE" and session == "UP":
            doing = IN_SESSION
        if doing != self._doing.last:
            self._doing.change(doing, now_ms)

    def sample(
        self, glows: Iterable[Glow], start_ms: int, end_ms: int, rate_hz: float
    ) -> CurrentTrace:
        """Return the current in a window, `glows` being what was lit in it. Raises UsageError."""
        taken_ms = times_ms(start_ms, end_ms, rate_hz)
        current = np.zeros(len(taken_ms))
        for doing in self._doing.between(start_ms, end_ms):
            here = _place(taken_ms, doing.start_ms, doing.end_ms)
            current[here] = self._steady(doing.value, taken_ms[here])
        for glow in glows:
            here = _place(taken_ms, glow.start_ms, glow.end_ms)
            current[here] += self._draw.die_ma * DIES.get(glow.colour, 1)
        ripple = chance.noise(derive(self._seed, start_ms, int(rate_hz * 1000)), taken_ms.shape)
        current += self._draw.noise_ma * ripple
        for supply in self._supply.between(start_ms, end_ms):
            here = _place(taken_ms, supply.start_ms, supply.end_ms)
            if supply.value:
                falls = np.exp((supply.since_ms - taken_ms[here]) / self._draw.inrush_ms)
                current[here] += self._draw.inrush_ma * falls
            else:
                current[here] = 0.0
        steps = np.round(np.maximum(current, 0.0) / RESOLUTION_MA)
        return CurrentTrace(taken_ms / 1000, steps * RESOLUTION_MA)

    def _steady(self, doing: Doing, taken_ms: Floats) -> Floats:
        draw = self._draw
        base = draw.boot_ma if doing.boots else draw.idle_ma
        base += draw.link_ma * doing.link + draw.lens_ma * (doing.lens and self._lens)
        radio = draw.radio_ma * self._busy(0, taken_ms, RADIO_SLOT_MS, doing.radio)
        flash = draw.flash_ma * self._busy(1, taken_ms, FLASH_SLOT_MS, doing.flash)
        return base + radio + flash

    def _busy(self, part: int, taken_ms: Floats, slot_ms: int, share: float) -> Floats:
        """Return 1 for samples in slots of time in which a part is at work, else 0."""
        slots = (taken_ms // slot_ms).astype(np.int64)
        return (chance.uniform(derive(self._seed, part), slots) < share).astype(np.float64)


def _place(taken_ms: Floats, start_ms: int, end_ms: int) -> slice:
    first, last = np.searchsorted(taken_ms, (start_ms, end_ms))
    return slice(int(first), int(last))
