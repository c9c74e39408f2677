"""The list of all invariants, and the one function that holds the end of a run against them."""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import NamedTuple

from fleet.run.checks import (
    acknowledged_survives,
    bindings_agree,
    everyone_known,
    flash_kept,
    history_complete,
    lights_agree,
    one_owner,
    online_known,
    people_agree,
    push_delivered,
    quotas_kept,
    resting_state,
    revoked_refused,
    unbinding_permitted,
)
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.findings import VIOLATIONS_PER_INVARIANT_MAX
from fleet.run.checks.scene import Checker

AtEnd = Callable[[Evidence], Iterable[str]]


class Invariant(NamedTuple):
    """What must hold, in one line, and how it is checked: at the end, all the while, or both.

    A `cheap` watcher keeps nothing per device.
    """

    name: str
    holds: str
    at_end: AtEnd | None
    watcher: type[Checker] | None
    cheap: bool


def _of(
    module: ModuleType,
    at_end: AtEnd | None = None,
    watcher: type[Checker] | None = None,
    *,
    cheap: bool = False,
) -> Invariant:
    name = module.__name__.rpartition(".")[2]
    return Invariant(name, (module.__doc__ or "").partition("\n")[0], at_end, watcher, cheap)


INVARIANTS = (
    _of(one_owner, one_owner.at_end, one_owner.Watcher),
    _of(bindings_agree, bindings_agree.at_end, bindings_agree.Watcher),
    _of(everyone_known, everyone_known.at_end),
    _of(
        unbinding_permitted,
        unbinding_permitted.at_end,
        unbinding_permitted.Watcher,
        cheap=True,
    ),
    _of(quotas_kept, quotas_kept.at_end, quotas_kept.Watcher, cheap=True),
    _of(history_complete, history_complete.at_end, history_complete.Watcher),
    _of(acknowledged_survives, None, acknowledged_survives.Watcher),
    _of(flash_kept, None, flash_kept.Watcher),
    _of(revoked_refused, None, revoked_refused.Watcher),
    _of(lights_agree, lights_agree.at_end, lights_agree.Watcher),
    _of(resting_state, resting_state.at_end),
    _of(online_known, online_known.at_end),
    _of(push_delivered, None, push_delivered.Watcher),
    _of(people_agree, people_agree.at_end),
)


AT_END = tuple(invariant.name for invariant in INVARIANTS if invariant.at_end is not None)


def violations(evidence: Evidence) -> list[str]:
    """Check everything at the end; return `name: what` per violation, a bounded number of each."""
    found = []
    for invariant in INVARIANTS:
        if invariant.at_end is None:
            continue
        lines = [f"{invariant.name}: {line}" for line in dict.fromkeys(invariant.at_end(evidence))]
        found += lines[:VIOLATIONS_PER_INVARIANT_MAX]
        if len(lines) > VIOLATIONS_PER_INVARIANT_MAX:
            more = len(lines) - VIOLATIONS_PER_INVARIANT_MAX
            found.append(f"{invariant.name}: and {more} more")
    return found
