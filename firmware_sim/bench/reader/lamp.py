"""What a script asks of an indicator light, whatever samples it."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from firmware_sim.bench.capabilities import Clock, Light, Mode, Reading
from firmware_sim.bench.reader.classify import read
from firmware_sim.bench.reader.waiting import Wanted, wait_for, wanted
from firmware_sim.bench.trace import LedTrace


class SampledLed(ABC):
    """A light that is sampled; the base of what a bench calls `led`."""

    def __init__(self, clock: Clock) -> None:
        """Wait by a clock."""
        self._clock = clock

    @abstractmethod
    def sample(self, duration_s: float) -> LedTrace:
        """Return the light during the next `duration_s`."""

    def follow(self) -> Callable[[float], LedTrace]:
        """Return what samples on from trace to trace, without a gap where the instrument can."""
        return self.sample

    def read(self, duration_s: float = 2.0) -> Reading:
        """Return what the light does during the next `duration_s`."""
        return read(self.sample(duration_s))

    def wait_for(
        self,
        colour: str,
        mode: Mode,
        hz: float | None = None,
        *,
        duty: float | None = None,
        timeout_s: float = 30.0,
    ) -> Reading:
        """Return as soon as the light does this. Raises NotSeen, with what it did instead."""
        return self._wait(wanted(colour, mode, hz, duty), timeout_s)

    def wait_for_light(self, light: Light, timeout_s: float = 30.0) -> Reading:
        """Return as soon as the light is as it should be in a state of the model. Raises NotSeen."""
        colour = "+".join(light.colours)
        return self._wait(wanted(colour, light.mode, light.hz or None, light.duty), timeout_s)

    def _wait(self, wish: Wanted, timeout_s: float) -> Reading:
        return wait_for(self.follow(), wish, timeout_s, self._clock)
