"""A quick scenario, and somebody who strikes at the right moment."""

import io
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from fleet.run.usage import descendants

_FOLDER = Path(__file__).parent / "quick"
QUICK = str(_FOLDER / "quick.toml")
RECORDER = str(_FOLDER / "recorder.toml")
STORM = str(_FOLDER / "storm.toml")
FLAKY = str(_FOLDER / "flaky.toml")


class Striker(io.StringIO):
    """The screen of a run: when a line holds `words`, `strike` happens, once, `delay_s` later."""

    def __init__(self, words: str, strike: Callable[[], None], delay_s: float = 0.0) -> None:
        super().__init__()
        self._words = words
        self._strike = strike
        self._delay_s = delay_s
        self.struck_s = 0.0

    def write(self, text: str) -> int:
        if self._words in text and not self.struck_s:
            self.struck_s = time.monotonic()
            threading.Timer(self._delay_s, self._strike).start()
        return super().write(text)

    @property
    def console(self) -> Console:
        return Console(file=self, width=200, highlight=False, markup=False)


def quiet() -> Console:
    """Return a screen that nobody looks at."""
    return Console(file=io.StringIO(), width=200)


def kill(name: str) -> Callable[[], None]:
    """Return a blow that kills our child process of that name."""

    def strike() -> None:
        [victim] = [one for one in multiprocessing.active_children() if one.name == name]
        victim.kill()

    return strike


def interrupt() -> None:
    """Press Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def family() -> set[int]:
    """Return the processes that this one has started, and those that they have started."""
    return set(descendants([os.getpid()])[os.getpid()]) - {os.getpid(), tracker_pid()}


def tracker_pid() -> int:
    """Return the pid of multiprocessing's own helper, which stays as long as we do."""
    from multiprocessing import resource_tracker

    return getattr(resource_tracker._resource_tracker, "_pid", None) or 0
