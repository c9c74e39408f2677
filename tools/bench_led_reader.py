"""How often the LED reader is right, and what a reading costs: `python -m tools.bench_led_reader`.

All traces are of the held-out family (`firmware_sim/bench/reader/synthetic.py`), which the reader
was not tuned on. Right means mode, colours, and the frequency within 10 %. Seeds are fixed: the
figures are the same everywhere, but for the time, which is processor time of this process.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from firmware_sim.bench.reader.classify import read
from firmware_sim.bench.reader.synthetic import (
    Case,
    Family,
    fault,
    held_out_case,
    tuning_case,
)
from tools.figures import machine

RATES_HZ = (20, 30, 50, 100)
NOISES = (0.02, 0.06, 0.10)
MODES = ("off", "solid", "blink", "alternate", "breathe")
SEED = 2026
BINS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)
SHORT_S = (0.5, 1.0, 1.5, 1.9, 2.5, 4.0)
FAMILIES: dict[str, Family] = {"held-out": held_out_case, "tuning": tuning_case}


class Outcome(NamedTuple):
    """One reading: what it was of, what was wrong ("" nothing), how sure, and what it cost."""

    rate_hz: int
    noise: float
    mode: str
    fault: str
    confidence: float
    cpu_ms: float


def judge(case: Case, rate_hz: int, noise: float, last_s: float | None = None) -> Outcome:
    """Read a trace, or its end, and compare."""
    trace = case.trace if last_s is None else case.trace.last(last_s)
    begin_ns = time.process_time_ns()
    reading = read(trace)
    cpu_ms = (time.process_time_ns() - begin_ns) / 1e6
    wrong = fault(reading, case.truth)
    return Outcome(rate_hz, noise, case.truth.mode, wrong, reading.confidence, cpu_ms)


def outcomes(family: Family, count: int) -> Iterator[Outcome]:
    """Yield `count` readings for each sampling rate and noise."""
    for rate_hz in RATES_HZ:
        for noise in NOISES:
            rng = np.random.default_rng([SEED, rate_hz, round(noise * 1000)])
            for _ in range(count):
                yield judge(family(rng, rate_hz, noise), rate_hz, noise)


def rate(found: list[Outcome]) -> float:
    """Return the share of right readings in per cent."""
    return 100 * sum(not one.fault for one in found) / max(len(found), 1)


def show_cells(found: list[Outcome]) -> None:
    """Print accuracy by rate and noise, and what was wrong."""
    print(f"\n{'rate':>6} {'noise':>6} {'right %':>8}", end="")
    print("".join(f"{mode:>10}" for mode in MODES), "   wrong: mode colour  hz   ms a reading")
    for rate_hz in RATES_HZ:
        for noise in NOISES:
            cell = [one for one in found if (one.rate_hz, one.noise) == (rate_hz, noise)]
            modes = [rate([one for one in cell if one.mode == mode]) for mode in MODES]
            wrong = Counter(one.fault for one in cell)
            cost_ms = sum(one.cpu_ms for one in cell) / len(cell)
            print(f"{rate_hz:6} {noise:6.2f} {rate(cell):8.2f}", end="")
            print("".join(f"{share:10.2f}" for share in modes), end="")
            print(f"{wrong['mode']:14}{wrong['colour']:7}{wrong['hz']:4}{cost_ms:15.2f}")


def show_confidence(found: list[Outcome]) -> None:
    """Print how often readings of some confidence are right."""
    print(f"\n{'confidence':>14} {'readings':>9} {'stated %':>9} {'right %':>8}")
    for low, high in pairwise(BINS):
        part = [one for one in found if low <= one.confidence < high]
        stated = 100 * sum(one.confidence for one in part) / max(len(part), 1)
        label = f"{low:.2f} to {min(high, 1.0):.2f}"
        print(f"{label:>14} {len(part):9} {stated:9.1f} {rate(part):8.2f}")
    sure = [one for one in found if one.confidence >= 0.9]
    print(
        f"at least 0.9: {100 * len(sure) / len(found):.1f} % of readings, {rate(sure):.2f} % right"
    )


def show_short(family: Family, count: int) -> None:
    """Print how sure the reader is of traces that are too short."""
    print(f"\n{'last s':>8} {'right %':>8} {'sure %':>8} {'of sure right %':>16}")
    for last_s in SHORT_S:
        rng = np.random.default_rng([SEED, round(last_s * 1000)])
        found = []
        for number in range(count):
            rate_hz, noise = RATES_HZ[1 + number % 3], NOISES[number // 3 % 3]
            found.append(judge(family(rng, rate_hz, noise), rate_hz, noise, last_s))
        sure = [one for one in found if one.confidence >= 0.9]
        share = 100 * len(sure) / len(found)
        print(f"{last_s:8.1f} {rate(found):8.1f} {share:8.1f} {rate(sure):16.2f}")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=2000, help="traces per rate and noise")
    parser.add_argument("--family", choices=FAMILIES, default="held-out")
    arguments = parser.parse_args()
    family = FAMILIES[arguments.family]
    print(f"{arguments.family} traces, {arguments.count} per line; {machine('numpy')}")
    found = list(outcomes(family, arguments.count))
    show_cells(found)
    show_confidence(found)
    show_short(family, arguments.count)


if __name__ == "__main__":
    main()
