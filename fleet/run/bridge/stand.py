"""One thread at one bench: it does what is ordered, and looks at the light in between.

Drivers of benches are made for scripts: they wait, and one thing is done at a time. So hands and
eyes are one thread. An order waits for at most one look, which is a quarter of a second.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from firmware_sim.bench.capabilities import Bench, Missing, NotSeen, Reading
from firmware_sim.bench.reader.classify import read
from firmware_sim.bench.trace import EMPTY, LedTrace
from firmware_sim.errors import SimulatorError

Open = Callable[[], AbstractContextManager[Bench]]
Act = Callable[[Bench], None]
LOOK_S: Final = 0.25
SURE: Final = 0.9
WINDOWS_S: Final = (0.75, 1.5, 2.5, 4.5)  # and as long as the slowest light takes
ORDERS_MAX: Final = 1000
END_S: Final = 5.0


class Stand:
    """Opens a bench in a thread of its own. `tell` and `fail` are called in that thread.

    `tell` gets what the light does as soon as that is sure, again and again; `fail` gets why the
    bench cannot go on, once.
    """

    def __init__(
        self,
        open_bench: Open,
        slowest_s: float,
        tell: Callable[[Reading], None],
        fail: Callable[[SimulatorError], None],
    ) -> None:
        """Prepare; `slowest_s` is two periods of the slowest light of the model."""
        self._open = open_bench
        self._windows_s = (*(w for w in WINDOWS_S if w < slowest_s), slowest_s)
        self._tell = tell
        self._fail = fail
        self._orders: queue.Queue[Act] = queue.Queue(ORDERS_MAX)
        self._over = threading.Event()
        self._trace = EMPTY
        self._thread = threading.Thread(target=self._live, name="bench", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def order(self, act: Act, *, blinds: bool = False) -> None:
        """Have something done; what was seen before it counts no more if it `blinds`."""

        def carry_out(bench: Bench) -> None:
            act(bench)
            if blinds:
                self._trace = EMPTY

        try:
            self._orders.put_nowait(carry_out)
        except queue.Full:
            self._fail(NotSeen("the bench does not keep up with what it is ordered"))

    def end(self) -> None:
        """End, and wait for that."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(END_S)

    def _live(self) -> None:
        try:
            with self._open() as bench:
                while not self._over.is_set():
                    self._obey(bench)
                    self._look(bench)
                bench.power.off()
        except SimulatorError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - drivers of strangers raise what they like
            self._fail(Missing(f"{type(error).__name__}: {error}"))

    def _obey(self, bench: Bench) -> None:
        while not self._orders.empty():
            self._orders.get_nowait()(bench)

    def _look(self, bench: Bench) -> None:
        self._trace = self._trace.then(bench.led.sample(LOOK_S)).last(self._windows_s[-1] + LOOK_S)
        reading = self._sure()
        if reading is not None:
            self._tell(reading)

    def _sure(self) -> Reading | None:
        """Return what the shortest stretch shows that is sure: a longer one may show two lights."""
        trace: LedTrace = self._trace
        for window_s in self._windows_s:
            if trace.span_s < window_s - LOOK_S / 2:
                return None
            reading = read(trace.last(window_s))
            if reading.confidence >= SURE:
                return reading
        return None
