"""Holds the conditions of `[thresholds]` against the figures of a report."""

from collections.abc import Iterable, Iterator
from math import isinf

import msgspec

from fleet.run.metrics import METRICS
from fleet.run.thresholds import Threshold

ZERO_IF_ABSENT = ("outcomes.refused.", "outcomes.failed.", "attacks.", "faults.")
"""Counts by reason: one that did not occur is not listed in a report."""


class ThresholdVerdict(msgspec.Struct, frozen=True):
    """A condition and what came of it. `passed` is null where this run has no such figure.

    `value` is the figure; null: there is none, and `note` says why.
    """

    metric: str
    condition: str
    value: float | None
    passed: bool | None
    note: str


def judge(
    thresholds: Iterable[Threshold], figures: dict[str, float], mode: str, aborted: str
) -> tuple[ThresholdVerdict, ...]:
    """Return a verdict on each condition; `mode` is `live` or `virtual`, `aborted` as in a result."""
    return tuple(_judged(figures, mode, aborted, thresholds))


def _judged(
    figures: dict[str, float], mode: str, aborted: str, thresholds: Iterable[Threshold]
) -> Iterator[ThresholdVerdict]:
    for one in thresholds:
        value = figures.get(one.metric)
        if value is None and one.metric.startswith(ZERO_IF_ABSENT):
            value = 0.0
        shown = None if value is None or isinf(value) else round(value, 3)
        passed: bool | None
        if METRICS[one.metric].mode not in ("both", mode):
            passed, note = None, f"not in a {mode} run"
        elif aborted:
            passed, note = None, "the run ended early"
        elif value is None:
            passed, note = False, "nothing was measured"
        else:
            passed, note = one.holds(value), "never" if isinf(value) else ""
        yield ThresholdVerdict(one.metric, one.condition, shown, passed, note)
