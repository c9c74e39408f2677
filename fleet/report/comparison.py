"""Two runs side by side: every figure that both have, what has changed, and which way.

Figures of a live run vary from one to the next, so a change counts from `tolerance_pct` on; those
that are exact, such as violations, count always.
"""

from math import inf, isinf
from typing import Literal

import msgspec

from fleet.report.figures import figures
from fleet.report.model import Report
from fleet.run.metrics import LESS, METRICS, NEITHER

TOLERANCE_PCT = 5.0
PREFERRED = ("outcomes", "rates", "run", "generator", "recovery", "unbind", "rebind")
Change = Literal["better", "worse", "same", "other"]


class Difference(msgspec.Struct, frozen=True):
    """A figure of both runs; null: that run has none. `change_pct` is null from or to nothing."""

    metric: str
    before: float | None
    after: float | None
    change_pct: float | None
    change: Change
    in_both: bool


class Turned(msgspec.Struct, frozen=True):
    """A threshold whose verdict is another one now; null: not asked or not judged."""

    threshold: str
    before: bool | None
    after: bool | None


class Comparison(msgspec.Struct, frozen=True):
    """What has changed from one run to another. `warnings`: why they may not be comparable."""

    before: Report
    after: Report
    warnings: tuple[str, ...]
    differences: tuple[Difference, ...]
    turned: tuple[Turned, ...]

    @property
    def regressed(self) -> bool:
        """Say whether something that passed does not pass any more: the run, or a threshold."""
        lost = any(one.before and one.after is False for one in self.turned)
        return lost or (self.before.passed and not self.after.passed)

    @property
    def changed(self) -> tuple[Difference, ...]:
        """Return what both runs have and is not as it was."""
        return tuple(one for one in self.differences if one.in_both and one.change != "same")

    @property
    def worse(self) -> tuple[Difference, ...]:
        """Return what has become worse."""
        return tuple(one for one in self.differences if one.change == "worse")


def compare(before: Report, after: Report, tolerance_pct: float = TOLERANCE_PCT) -> Comparison:
    """Compare two runs."""
    old, new = figures(before), figures(after)
    names = [name for name in METRICS if name in old or name in new]
    names.sort(key=_place)
    return Comparison(
        before=before,
        after=after,
        warnings=_warnings(before, after),
        differences=tuple(
            _difference(name, old.get(name), new.get(name), tolerance_pct) for name in names
        ),
        turned=_turned(before, after),
    )


def _place(name: str) -> int:
    family = name.partition(".")[0]
    return PREFERRED.index(family) if family in PREFERRED else len(PREFERRED)


def _difference(
    name: str, before: float | None, after: float | None, tolerance_pct: float
) -> Difference:
    change_pct = None
    if before and after is not None and not isinf(before) and not isinf(after):
        change_pct = round(100 * (after - before) / abs(before), 1)
    metric = METRICS[name]
    tolerance = 0.0 if metric.exact else tolerance_pct
    change: Change = "same"
    if before is None or after is None:
        change = "other"
    elif before != after and _percent(before, after) >= tolerance:
        if metric.better == NEITHER:
            change = "other"
        else:
            change = "better" if (after < before) == (metric.better == LESS) else "worse"
    both = before is not None and after is not None
    return Difference(name, _finite(before), _finite(after), change_pct, change, both)


def _percent(before: float, after: float) -> float:
    if isinf(before) or isinf(after) or not before:
        return inf
    return 100 * abs(after - before) / abs(before)


def _finite(value: float | None) -> float | None:
    return None if value is None or isinf(value) else value


def _turned(before: Report, after: Report) -> tuple[Turned, ...]:
    old = {f"{one.metric} {one.condition}": one.passed for one in before.thresholds}
    new = {f"{one.metric} {one.condition}": one.passed for one in after.thresholds}
    return tuple(
        Turned(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    )


def _warnings(before: Report, after: Report) -> tuple[str, ...]:
    """Return what differs of two runs that makes their figures those of different things."""
    found = []
    for name in ("scenario", "devices", "seed", "mode", "decoder", "shards"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            found.append(f"{name}: {old} and {new}")
    texts = {before.scenario_text, after.scenario_text} - {""}  # older reports have none
    if before.scenario == after.scenario and len(texts) > 1:
        found.append("scenario: its text has changed")
    one, other = before.environment, after.environment
    if one is not None and other is not None:
        found += [
            f"{name}: {getattr(one, name)} and {getattr(other, name)}"
            for name in ("processor", "cores", "python")
            if getattr(one, name) != getattr(other, name)
        ]
    for word, report in (("first", before), ("second", after)):
        if report.aborted:
            found.append(f"the {word} one ended early: {report.aborted}")
        if report.health is not None and report.health.bottleneck:
            found.append(f"the {word} one: {report.health.sentence}")
    return tuple(found)
