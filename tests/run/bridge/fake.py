"""A bench of which nothing is real: a light that shows what a test says, and a diary of the hands."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from firmware_sim.bench.capabilities import Bench
from firmware_sim.bench.trace import LedTrace
from firmware_sim.device.indicator import Pattern
from hw_profiles import catalog

RGB = {
    "red": (1.0, 0.05, 0.02),
    "green": (0.05, 1.0, 0.1),
    "blue": (0.02, 0.1, 1.0),
    "amber": (1.0, 0.42, 0.0),
    "": (0.0, 0.0, 0.0),
}
HZ = 100
HASTE = 50  # how much faster than real time it samples


class FakeBench:
    """Its parts are itself: one object has the methods of all."""

    def __init__(self, profile: str) -> None:
        self.indicator = catalog.load(profile).indicator
        self.light = "off"
        self.done: list[str] = []
        self.now_ms = 0
        self.opened = self.closed = False
        self.trouble: Exception | None = None
        self._changed = threading.Condition()
        self.power = self.button = self.camera = self.link = self.led = self

    @contextmanager
    def open(self) -> Iterator[Bench]:
        self.opened = True
        try:
            yield cast("Bench", self)
        finally:
            self.closed = True

    def sample(self, duration_s: float) -> LedTrace:
        if self.trouble is not None:
            raise self.trouble
        time.sleep(duration_s / HASTE)
        count = round(duration_s * HZ)
        times_ms = self.now_ms + np.arange(count) * (1000 // HZ)
        self.now_ms += count * (1000 // HZ)
        pattern: Pattern = self.indicator[self.light]
        rgb = np.array([RGB[pattern.colour_at(int(at_ms))] for at_ms in times_ms])
        return LedTrace(times_ms / 1000, rgb)

    def _note(self, what: str) -> None:
        with self._changed:
            self.done.append(what)
            self._changed.notify_all()

    def wait_for(self, what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: what in self.done, 20), self.done

    def wait_for_prefix(self, what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: any(one.startswith(what) for one in self.done), 20
            )

    def on(self) -> None:
        self._note("on")

    def off(self) -> None:
        self._note("off")

    def press(self) -> None:
        self._note("press")

    def release(self) -> None:
        self._note("release")

    def show(self, picture: Any) -> None:
        self._note(f"show {picture}")

    def hide(self) -> None:
        self._note("hide")

    def up(self) -> None:
        self._note("up")

    def down(self) -> None:
        self._note("down")
