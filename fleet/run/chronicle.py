"""What a run was like over time: a bounded number of slots, from its beginning to its end.

Slots are as wide as they have to be: when there is no more room, each two become one, so that a run
of seconds and one of weeks take the same memory. Nothing is lost by that: what was counted is added
up, and the sums over all slots are the figures of the whole run. Counts that others keep are looked
at once per slot, at the first change of a device after its end; only phases are entered one by one.

Whoever plays a run says what time it is; live and in virtual time this is the same code.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from fleet.run.histogram import Histogram
from fleet.run.light_log import LightLog
from fleet.run.messages import Seen
from fleet.run.retries import Retries
from fleet.run.tally import Tally
from fleet.run.watch import Watch

SLOTS_MAX = 300  # an even number
SLOT_MS = 1_000  # as long as there is room

Phases = Mapping[str, Mapping[str, Histogram]]


class Slot(msgspec.Struct):
    """One slot. `phases`: durations by method and phase of what ended in it.

    `loop_lag` is how late the loops of shards were. All others are as of its end, since the run
    began: devices `unbound` and `rebound`, refusals by reason, attempts that have failed by kind,
    states entered, CPU seconds by process. `lights` is how many devices showed which light then.
    """

    phases: dict[str, dict[str, Histogram]] = {}
    loop_lag: Histogram = msgspec.field(default_factory=Histogram)
    unbound: int = 0
    rebound: int = 0
    refused: dict[str, int] = {}
    attempts: dict[str, int] = {}
    changes: int = 0
    lights: dict[str, int] = {}
    cpu_s: dict[str, float] = {}

    def took(self, method: str, phase: str) -> Histogram:
        """Return the durations of a phase, to be added to."""
        return self.phases.setdefault(method, {}).setdefault(phase, Histogram())

    def merge(self, other: "Slot") -> "Slot":
        """Return this slot with the next one in it."""
        add_phases(self, other.phases)
        self.loop_lag.merge(other.loop_lag)
        return msgspec.structs.replace(other, phases=self.phases, loop_lag=self.loop_lag)


def add_phases(slot: Slot, phases: Phases) -> None:
    """Add durations, by method and phase, to a slot."""
    for method, by_phase in phases.items():
        for phase, histogram in by_phase.items():
            slot.took(method, phase).merge(histogram)


class OverTime(msgspec.Struct, frozen=True):
    """All slots: the first begins at `start_ms` (Unix epoch), the last one is cut off at `end_ms`."""

    start_ms: int
    end_ms: int
    slot_ms: int
    slots: tuple[Slot, ...]

    def by_method(self) -> dict[str, dict[str, Histogram]]:
        """Return the durations of the whole run, by method and phase."""
        whole = Slot()
        for slot in self.slots:
            add_phases(whole, slot.phases)
        return whole.phases


class Chronicle:
    """Writes the slots of one run while it goes on, and what lights some devices have shown."""

    def __init__(
        self,
        watch: Watch,
        retries: Retries,
        start_ms: int,
        cpu_s: Callable[[], dict[str, float]] = dict,
    ) -> None:
        """Begin at `start_ms`; `cpu_s()` tells what processes have cost so far, by name."""
        self.light_log = LightLog(len(watch.last))
        self._watch = watch
        self._retries = retries
        self._cpu_s = cpu_s
        self._tally = Tally()
        self._refusals: tuple[tuple[int, str], ...] | None = None
        self._at_end: Slot | None = None  # what there was when the run was over
        self._start_ms = start_ms
        self._slot_ms = SLOT_MS
        self._end_ms = start_ms + SLOT_MS  # of the last slot
        self._slots = [Slot()]
        watch.listen(self.saw)

    def follow(self, tally: Tally) -> None:
        """Look at what people of this run find out."""
        self._tally = tally

    # --- while it goes on -----------------------------------------------------------------------

    def saw(self, before: Seen, after: Seen) -> None:
        """Take the next state of a device."""
        if self._at_end is not None:
            return
        if after.at_ms >= self._end_ms:
            self._turn(after.at_ms)
        if before.light != after.light:
            self.light_log.take(after)

    def took(self, method: str, phase: str, duration_ms: float) -> None:
        """A phase has ended."""
        self._slots[-1].took(method, phase).record(duration_ms)

    def measured(self, now_ms: int, phases: Phases, loop_lag: Histogram) -> None:
        """Take what a shard has measured since it did so before."""
        self.tick(now_ms)
        add_phases(self._slots[-1], phases)
        self._slots[-1].loop_lag.merge(loop_lag)

    def tick(self, now_ms: int) -> None:
        """Begin another slot if it is time."""
        if now_ms >= self._end_ms:
            self._turn(now_ms)

    def _turn(self, now_ms: int) -> None:
        """Close the slot that is open, and all that nobody has seen pass by."""
        seen = self._look()
        while now_ms >= self._end_ms:
            _close(self._slots[-1], seen)
            if len(self._slots) >= SLOTS_MAX:
                pairs = zip(self._slots[::2], self._slots[1::2], strict=True)
                self._slots = [first.merge(second) for first, second in pairs]
                self._slot_ms *= 2
            self._slots.append(Slot())
            self._end_ms = self._start_ms + len(self._slots) * self._slot_ms

    def _look(self) -> Slot:
        seen = self._look_now()
        if self._at_end is not None:
            seen.lights, seen.changes = self._at_end.lights, self._at_end.changes
        return seen

    def _look_now(self) -> Slot:
        tally, watch = self._tally, self._watch
        return Slot(
            unbound=len(tally.unbound),
            rebound=len(tally.rebound),
            refused=dict(tally.refused),
            attempts=self._retries.so_far(),
            changes=watch.changes,
            lights={light: count for light, count in watch.lights.items() if count},
            cpu_s=self._cpu_s(),
        )

    # --- at the end -----------------------------------------------------------------------------

    def rest(self, now_ms: int) -> None:
        """Follow no device any more: the run is over, and what they do while all ends is not of it."""
        self.tick(now_ms)
        self._at_end = self._look_now()

    def refusals(self, found: Iterable[tuple[int, str]]) -> None:
        """Take all refusals of the history, time (ms) and reason: they count, not what people read."""
        self._refusals = tuple(found)

    def over_time(self, now_ms: int) -> OverTime:
        """Return what there is, which ends now."""
        self.tick(now_ms)
        _close(self._slots[-1], self._look())
        if self._refusals is not None:
            self._enter_refusals(self._refusals)
        return OverTime(self._start_ms, now_ms, self._slot_ms, tuple(self._slots))

    def _enter_refusals(self, refusals: Iterable[tuple[int, str]]) -> None:
        by_slot: dict[int, Counter[str]] = {}
        last = len(self._slots) - 1
        for at_ms, reason in refusals:
            number = (at_ms - self._start_ms) // self._slot_ms
            by_slot.setdefault(min(max(0, number), last), Counter())[reason] += 1
        so_far: Counter[str] = Counter()
        for number, slot in enumerate(self._slots):
            so_far.update(by_slot.get(number, {}))
            slot.refused = dict(so_far)


def _close(slot: Slot, seen: Slot) -> None:
    """Enter what was seen at the end of a slot."""
    slot.unbound, slot.rebound, slot.changes = seen.unbound, seen.rebound, seen.changes
    slot.refused, slot.attempts = seen.refused, seen.attempts
    slot.lights, slot.cpu_s = seen.lights, seen.cpu_s
