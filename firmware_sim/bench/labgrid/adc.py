"""Photodiodes at the light, read by an analogue-digital converter that Linux knows (IIO).

One diode tells light from dark: that is enough for rhythms. Give it the colour of the lamp, or one
diode to each lamp; three with red, green and blue filters tell colours apart. Samples are single
readings of files in sysfs, which reach some hundred per second.

Public source: Linux, Documentation/ABI/testing/sysfs-bus-iio (`in_voltageY_raw`).
"""

from pathlib import Path
from typing import Any, ClassVar

import attr
import numpy as np
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.step import step

from firmware_sim.bench.capabilities import Missing
from firmware_sim.bench.labgrid.clocks import clock_of
from firmware_sim.bench.labgrid.protocols import LedProtocol
from firmware_sim.bench.reader.colours import COLOURS, RGB
from firmware_sim.bench.trace import Floats, LedTrace
from firmware_sim.errors import UsageError

_KEYS = {"file", "colour", "dark", "full"}


class _Diode:
    """One channel: where it is read, and what its numbers mean."""

    def __init__(self, folder: Path, channel: dict[str, Any]) -> None:
        unknown = set(channel) - _KEYS
        if unknown or "file" not in channel or "full" not in channel:
            raise UsageError(f"a channel of FleetIioAdc has the keys {', '.join(sorted(_KEYS))}")
        self._path = folder / channel["file"]
        self._dark = float(channel.get("dark", 0))
        self._range = float(channel["full"]) - self._dark
        colour = channel.get("colour", "white")
        if colour not in RGB or not self._range:
            allowed = f"colours are {', '.join(COLOURS)}, and full is not dark"
            raise UsageError(f"channel {channel['file']} of FleetIioAdc: {allowed}")
        self._colour: Floats = np.array(RGB[colour])

    def light(self) -> Floats:
        """Return what it sees; shape (3,)."""
        try:
            raw = float(self._path.read_text())
        except (OSError, ValueError) as error:
            raise Missing(f"{self._path} has no reading: {error}") from None
        share = min(max((raw - self._dark) / self._range, 0.0), 1.0)
        return share * self._colour


@target_factory.reg_driver
@attr.s(eq=False)
class FleetAdcLedDriver(Driver, LedProtocol):
    """Samples photodiodes at the rate of their `FleetIioAdc`, or as fast as it goes."""

    bindings: ClassVar[dict[str, Any]] = {"adc": "FleetIioAdc"}

    def on_activate(self) -> None:
        """Find the converter. Raises Missing where it is not there, UsageError for wrong channels."""
        folder = Path(self.adc.device)
        if not folder.is_dir():
            raise Missing(f"no analogue-digital converter at {folder}")
        self._clock = clock_of(self.target)
        self._diodes = [_Diode(folder, channel) for channel in self.adc.channels]

    @Driver.check_active
    @step(args=["duration_s"])
    def sample(self, duration_s: float, from_s: float | None = None) -> LedTrace:  # noqa: ARG002 - it remembers nothing
        """Return the light during the next `duration_s`."""
        start_s = now_s = self._clock.now_s()
        times_s, lights = [], []
        while now_s < start_s + duration_s:
            times_s.append(now_s)
            lights.append(np.sum([diode.light() for diode in self._diodes], axis=0))
            next_s = start_s + len(times_s) / self.adc.rate_hz
            self._clock.sleep(max(0.0, next_s - self._clock.now_s()))
            now_s = self._clock.now_s()
        rgb = np.clip(np.reshape(lights, (-1, 3)), 0.0, 1.0)
        return LedTrace(np.array(times_s), rgb)
