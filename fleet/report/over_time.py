"""What a run was like over time, as columns: one list per figure, all as long as `at_s`."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from fleet.run import chronicle
from fleet.run.chronicle import Slot
from fleet.run.histogram import Histogram
from fleet.run.phases import PHASES

PERCENTILES = {"p50_ms": 50.0, "p90_ms": 90.0, "p95_ms": 95.0, "p99_ms": 99.0, "p999_ms": 99.9}

Counts = tuple[int, ...]
Figures = tuple[float | None, ...]


class PhaseOverTime(msgspec.Struct, frozen=True):
    """How long one phase took by one method, slot by slot; null where nobody has completed it."""

    count: Counts
    p50_ms: Figures
    p90_ms: Figures
    p95_ms: Figures
    p99_ms: Figures
    p999_ms: Figures
    max_ms: Figures


class OverTime(msgspec.Struct, frozen=True):
    """Slots of `slot_s` seconds, the first from 0 s and the last until `end_s`.

    Counts are of what happened within a slot and add up to those of the whole run; `lights` is how
    many devices showed which light at its end.
    """

    slot_s: float
    end_s: float
    at_s: tuple[float, ...]
    unbound: Counts
    rebound: Counts
    refused: dict[str, Counts]
    attempts: dict[str, Counts]
    states: Counts
    lights: dict[str, Counts]
    cpu_pct: dict[str, Figures]
    loop_lag_p99_ms: Figures
    phases: dict[str, dict[str, PhaseOverTime]]

    def __post_init__(self) -> None:
        """Refuse columns that are not as long as there are slots (ValueError), as in a broken file."""
        phases = (own for methods in self.phases.values() for own in methods.values())
        columns = [self.unbound, self.rebound, self.states, self.loop_lag_p99_ms]
        for named in (self.refused, self.attempts, self.lights, self.cpu_pct):
            columns += named.values()
        for own in phases:
            columns += msgspec.structs.astuple(own)
        if any(len(column) != len(self.at_s) for column in columns):
            raise ValueError("a column is not as long as at_s; the file is broken")
        if self.slot_s <= 0:
            raise ValueError("slots have no width; the file is broken")


def columns(run: chronicle.OverTime) -> OverTime:
    """Return the slots of a run as columns."""
    slots = run.slots
    slot_s = run.slot_ms / 1000
    end_s = max(0, run.end_ms - run.start_ms) / 1000
    return OverTime(
        slot_s=slot_s,
        end_s=round(end_s, 3),
        at_s=tuple(round(number * slot_s, 3) for number in range(len(slots))),
        unbound=_steps([slot.unbound for slot in slots]),
        rebound=_steps([slot.rebound for slot in slots]),
        refused=_by_name(slots, lambda slot: slot.refused),
        attempts=_by_name(slots, lambda slot: slot.attempts),
        states=_steps([slot.changes for slot in slots]),
        lights={
            light: tuple(slot.lights.get(light, 0) for slot in slots)
            for light in sorted({light for slot in slots for light in slot.lights})
        },
        cpu_pct=_cpu(slots, slot_s, end_s),
        loop_lag_p99_ms=_percentile([slot.loop_lag for slot in slots], 99, 2),
        phases=_phases(slots),
    )


def _steps(so_far: Sequence[int]) -> Counts:
    """Return how much came with each slot, from what there was at the end of each."""
    return tuple(now - before for before, now in zip([0, *so_far], so_far, strict=False))


def _by_name(slots: Sequence[Slot], get: Callable[[Slot], Mapping[str, int]]) -> dict[str, Counts]:
    names = sorted({name for slot in slots for name in get(slot)})
    return {name: _steps([get(slot).get(name, 0) for slot in slots]) for name in names}


def _cpu(slots: Sequence[Slot], slot_s: float, end_s: float) -> dict[str, Figures]:
    """Return the CPU time of processes in percent of one core; of those that died, what is known."""
    names = sorted({name for slot in slots for name in slot.cpu_s})
    widths = [slot_s] * (len(slots) - 1) + [end_s - slot_s * (len(slots) - 1)]
    shares: dict[str, Figures] = {}
    for name in names:
        so_far = [slot.cpu_s.get(name, 0.0) for slot in slots]
        spent = (now - before for before, now in zip([0.0, *so_far], so_far, strict=False))
        shares[name] = tuple(
            round(100 * max(0.0, cost) / width, 1) if width > 0 else None
            for cost, width in zip(spent, widths, strict=True)
        )
    return shares


def _phases(slots: Sequence[Slot]) -> dict[str, dict[str, PhaseOverTime]]:
    found: dict[str, dict[str, PhaseOverTime]] = {}
    methods = sorted({method for slot in slots for method in slot.phases})
    for phase in PHASES:
        for method in methods:
            nothing = Histogram()
            own = [slot.phases.get(method, {}).get(phase, nothing) for slot in slots]
            if any(histogram.count for histogram in own):
                found.setdefault(phase, {})[method] = _phase(own)
    return found


def _phase(own: Sequence[Histogram]) -> PhaseOverTime:
    shares = {name: _percentile(own, percent, 1) for name, percent in PERCENTILES.items()}
    return PhaseOverTime(
        count=tuple(histogram.count for histogram in own),
        max_ms=tuple(round(float(one.max_ms), 1) if one.count else None for one in own),
        **shares,
    )


def _percentile(histograms: Sequence[Histogram], percent: float, digits: int) -> Figures:
    return tuple(
        round(float(one.percentile(percent)), digits) if one.count else None for one in histograms
    )
