"""What the scenario says must come out, held against what came out.

A population may be too small to run into a limit. Such an expectation is left out and named, so
that nobody takes a small run for a rehearsal of everything.
"""

from collections import Counter

import msgspec

from fleet.run.population import Population, Unit
from fleet.run.recovery import Outage


class Outcomes(msgspec.Struct, frozen=True):
    """How the run ended, in devices and in refusals."""

    unbound: int
    rebound: int
    refused: dict[str, int]
    failed: dict[str, int]


class Verdict(msgspec.Struct, frozen=True):
    """`unmet`: one line per expectation that was not met. `left_out`: what could not be expected."""

    unmet: tuple[str, ...]
    left_out: tuple[str, ...]


def judge(population: Population, outcomes: Outcomes, outages: tuple[Outage, ...] = ()) -> Verdict:
    """Compare what came out with the scenario's `[expect]`."""
    expect = population.scenario.expect
    reachable = _reachable(population)
    refused: dict[str, int] = dict(expect.refused.items())
    failed: dict[str, int] = dict(expect.failed.items())
    unmet = [
        *_shares(population, outcomes),
        *_recoveries(population, outages),
        *_minima("refused", refused, outcomes.refused, reachable),
        *_minima("failed", failed, outcomes.failed, reachable),
    ]
    wanted = refused | failed
    found = outcomes.refused | outcomes.failed
    left_out = [
        f"{reason}: {count} expected, this population can give {reachable[reason]}"
        for reason, count in wanted.items()
        if reachable[reason] < count and found.get(reason, 0) < count
    ]
    return Verdict(tuple(unmet), tuple(left_out))


def _shares(population: Population, outcomes: Outcomes) -> list[str]:
    expect = population.scenario.expect
    if not population.scenario.unbind:
        return []
    for_sale = sum(1 for unit in population.units if unit.new_owner is not None)
    unmet = []
    for name, count, total, percent in (
        ("unbound", outcomes.unbound, len(population.units), expect.unbound_pct),
        ("rebound", outcomes.rebound, for_sale, expect.rebound_pct),
    ):
        if 100 * count < percent * total:
            unmet.append(f"{name}: {count} of {total} devices, expected {percent} %")
    return unmet


def _recoveries(population: Population, outages: tuple[Outage, ...]) -> list[str]:
    expected_s = population.scenario.expect.recovered_s
    if not expected_s:
        return []
    if not outages:
        return [f"recovered: no outage was survived, expected one and {expected_s:g} s"]
    unmet = []
    for outage in outages:
        taken_s = outage.recovered_s.get(100)
        if taken_s is None or taken_s > expected_s:
            found = "not all devices came back" if taken_s is None else f"{taken_s:.1f} s"
            unmet.append(
                f"recovered: {found} after {outage.down_s:.0f} s without a cloud, "
                f"expected {expected_s:g} s"
            )
    return unmet


def _minima(
    kind: str, wanted: dict[str, int], found: dict[str, int], reachable: Counter[str]
) -> list[str]:
    unmet = [
        f"{kind} {reason}: {found.get(reason, 0)}, expected at least {count}"
        for reason, count in wanted.items()
        if found.get(reason, 0) < min(count, reachable[reason])
    ]
    unmet += [
        f"{kind} {reason}: {count}, not expected at all"
        for reason, count in found.items()
        if reason not in wanted
    ]
    return unmet


def _reachable(population: Population) -> Counter[str]:
    """Return how often each reason can occur at most with a population of this size."""
    scenario = population.scenario
    reachable = Counter(unit.trouble for unit in population.units if unit.trouble)
    if not any(unit.operator == 0 and _plain_camera(unit) for unit in population.units):
        del reachable["token_full"]  # the first operator never uses up a code
    products = Counter(unit.product.product_id for unit in population.units)
    operators = Counter(unit.operator for unit in population.units)
    reachable["product_quota"] = sum(
        max(0, count - scenario.quotas.product) for count in products.values()
    )
    reachable["account_quota"] = sum(
        max(0, count - scenario.quotas.account) for count in operators.values()
    )
    reachable["wifi_not_found"] = 0
    return reachable


def _plain_camera(unit: Unit) -> bool:
    return not (unit.product.wired or unit.trouble)
