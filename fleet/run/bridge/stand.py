"""One thread at one bench: it does what is ordered, and looks at the light in between.

Drivers of benches are made for scripts: they wait, and one thing is done at a time. So hands and
eyes are one thread. An order waits for at most one look, which is a quarter of a second.
"""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Final

from firmware_sim.bench.capabilities import Bench, Missing, NotSeen
from firmware_sim.bench.trace import LedTrace
from firmware_sim.errors import SimulatorError
from fleet.run.bridge.eyes import LOOK_S, Eyes, Sight

Open = Callable[[], AbstractContextManager[Bench]]
Act = Callable[[Bench], None]
DARK_S: Final = 1.5
"""How long a supply that is cut stays so: capacitors keep a device alive for a while."""

TURN: Final = threading.Lock()
"""Whose turn it is to use labgrid, which knows one stack of steps for all threads. A sensor that
remembers the light misses nothing while others have theirs; with one that does not, be alone."""

ORDERS_MAX: Final = 1000
END_S: Final = 1.5


class Stand:
    """Opens a bench in a thread of its own. `tell` and `fail` are called in that thread.

    `tell` gets what the light does as soon as that is sure, again and again; `fail` gets why the
    bench cannot go on, once.
    """

    def __init__(
        self,
        open_bench: Open,
        slowest_s: float,
        tell: Callable[[Sight], None],
        fail: Callable[[SimulatorError], None],
    ) -> None:
        """Prepare; `slowest_s` is two periods of the slowest light of the model."""
        self._open = open_bench
        self._eyes = Eyes(slowest_s)
        self._tell = tell
        self._fail = fail
        self._orders: queue.Queue[Act] = queue.Queue(ORDERS_MAX)
        self._over = threading.Event()
        self._dark_s = -DARK_S
        self._thread = threading.Thread(target=self._live, name="bench", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def order(self, act: Act, done: Callable[[], None] = lambda: None) -> None:
        """Have something done; `done` is called in the thread when it is."""

        def carry_out(bench: Bench) -> None:
            act(bench)
            done()

        try:
            self._orders.put_nowait(carry_out)
        except queue.Full:
            self._fail(NotSeen("the bench does not keep up with what it is ordered"))

    def power(self, done: Callable[[], None], *, on: bool) -> None:
        """Have the supply applied or cut, for long enough; what was seen before counts no more."""
        self.order(lambda bench: self._switch(bench, on=on), done)

    def end(self) -> None:
        """Cut the power, and wait for that."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(END_S)

    # --- in the thread ---------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            with ExitStack() as stack:
                with TURN:
                    bench = stack.enter_context(self._open())
                stack.callback(_rest, bench)
                self._work(bench)
        except SimulatorError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - drivers of strangers raise what they like
            self._fail(Missing(f"{type(error).__name__}: {error}"))

    def _work(self, bench: Bench) -> None:
        with TURN:
            self._switch(bench, on=False)
            sample = _sampler(bench)
        while not self._over.is_set():
            with TURN:
                while not self._orders.empty():
                    self._orders.get_nowait()(bench)
                piece = sample(LOOK_S)
            for sight in self._eyes.see(piece):
                self._tell(sight)

    def _switch(self, bench: Bench, *, on: bool) -> None:
        if on:
            if self._over.wait(self._dark_s + DARK_S - time.monotonic()):
                return
            bench.power.on()
        else:
            bench.power.off()
            self._dark_s = time.monotonic()
        self._eyes.forget()


def _sampler(bench: Bench) -> Callable[[float], LedTrace]:
    """Return what looks on without a gap, where the instrument can."""
    follow: Callable[[], Callable[[float], LedTrace]] | None = getattr(bench.led, "follow", None)
    return follow() if follow is not None else bench.led.sample


def _rest(bench: Bench) -> None:
    """Leave nothing on, whatever part does not answer any more."""
    with TURN:
        with suppress(Exception):
            bench.power.off()
        with suppress(Exception):
            bench.button.release()
        with suppress(Exception):
            bench.camera.hide()
