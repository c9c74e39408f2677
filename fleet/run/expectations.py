"""What the scenario says must come out, held against what came out.

A population may be too small to run into a limit. Such an expectation is left out and named, so
that nobody takes a small run for a rehearsal of everything. One that is larger than the scenario's
own may run into quotas that were wide enough; then their refusals, and the tickets that help, are
no surprise, and are named as well.
"""

from collections import Counter

import msgspec

from fleet.run.population import TAMPERED, Population, Unit
from fleet.run.recovery import Outage
from fleet.run.scenario import TICKETS_MAX

QUOTAS = ("account_quota", "product_quota")
"""Refusals for want of quota."""


class Outcomes(msgspec.Struct, frozen=True):
    """How the run ended, in devices and in refusals.

    `days`: on how many days of the quota devices were unbound. `attacks`: refusals of tampered
    firmware, by what it tried.
    """

    unbound: int
    rebound: int
    refused: dict[str, int]
    failed: dict[str, int]
    days: int = 0
    tickets: int = 0
    attacks: dict[str, int] = {}


class Verdict(msgspec.Struct, frozen=True):
    """`unmet`: one line per expectation that was not met. `left_out`: what could not be expected."""

    unmet: tuple[str, ...]
    left_out: tuple[str, ...]


class Expected(msgspec.Struct, frozen=True):
    """One expectation. What is unmet of it is a line that begins with `subject` and a colon."""

    subject: str
    wanted: str


OTHERS = "reasons"
"""The subject of what must not occur at all, which is named in the line."""


def expected(population: Population) -> tuple[Expected, ...]:
    """Return everything that the scenario expects, whether this population can meet it or not."""
    scenario = population.scenario
    expect = scenario.expect
    found = []
    if scenario.unbind:
        found.append(Expected("unbound", f"{expect.unbound_pct} % of the devices"))
        if scenario.rebind_every:
            found.append(Expected("rebound", f"{expect.rebound_pct} % of those for sale"))
    if expect.recovered_s:
        found.append(Expected("recovered", f"{expect.recovered_s:g} s after each outage"))
    if expect.days:
        found.append(Expected("days", f"at least {expect.days}"))
    if expect.tickets_min or expect.tickets_max < TICKETS_MAX:
        most = f", at most {expect.tickets_max}" if expect.tickets_max < TICKETS_MAX else ""
        found.append(Expected("tickets", f"at least {expect.tickets_min}{most}"))
    for kind, minima in (
        ("refused", dict(expect.refused.items())),
        ("failed", dict(expect.failed.items())),
        ("attacks", dict(expect.attacks.items())),
    ):
        found += [Expected(f"{kind} {name}", f"at least {count}") for name, count in minima.items()]
    return (*found, Expected(OTHERS, "none but those that are listed"))


def judge(population: Population, outcomes: Outcomes, outages: tuple[Outage, ...] = ()) -> Verdict:
    """Compare what came out with the scenario's `[expect]`."""
    expect = population.scenario.expect
    reachable = _reachable(population)
    refused: dict[str, int] = dict(expect.refused.items())
    failed: dict[str, int] = dict(expect.failed.items())
    tight = _has_outgrown_quotas(population, reachable)
    unmet = [
        *shares(population, outcomes),
        *_campaign(population, outcomes, tight=tight),
        *_recoveries(population, outages),
        *_minima("refused", refused, outcomes.refused, reachable, QUOTAS if tight else ()),
        *_minima("failed", failed, outcomes.failed, reachable),
        *_attacks(population, outcomes),
    ]
    wanted = refused | failed
    found = outcomes.refused | outcomes.failed
    left_out = [
        f"{reason}: {count} expected, this population can give {reachable[reason]}"
        for reason, count in wanted.items()
        if reachable[reason] < count and found.get(reason, 0) < count
    ]
    left_out += [
        f"{name}: {count} expected, this population can give {most}"
        for name, found_count, count, most in _spread(population, outcomes)
        if most < count and found_count < count
    ]
    if tight:
        left_out += _tight(population, outcomes)
    return Verdict(tuple(unmet), tuple(left_out))


def shares(population: Population, outcomes: Outcomes) -> list[str]:
    """Return what is unmet of the shares that are to be unbound and rebound, one line each."""
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


def _spread(population: Population, outcomes: Outcomes) -> list[tuple[str, int, int, int]]:
    """Return what there was, what is expected of it and the most that can be, of days and tickets."""
    expect, campaign = population.scenario.expect, population.campaign
    quotas, units = population.scenario.quotas, population.units
    products = Counter(unit.product.product_id for unit in units)
    too_many = sum(1 for count in products.values() if count > quotas.product * campaign.days)
    per_day = quotas.account * max(1, len(population.operators))
    at_least = max(-(-count // quotas.product) for count in products.values())
    at_least = max(campaign.arrive_days, at_least, -(-len(units) // per_day))
    return [
        ("days", outcomes.days, expect.days, min(campaign.days, at_least)),
        ("tickets", outcomes.tickets, expect.tickets_min, too_many),
    ]


def _has_outgrown_quotas(population: Population, reachable: Counter[str]) -> bool:
    """Say whether more devices than the scenario speaks of are too many for its quotas."""
    larger = len(population.units) > population.scenario.devices
    return larger and any(reachable[reason] for reason in QUOTAS)


def _tight(population: Population, outcomes: Outcomes) -> list[str]:
    """Return what happened because of that and would be a surprise otherwise, one line each."""
    scenario, units = population.scenario, len(population.units)
    found = [
        f"{reason}: none expected of {scenario.devices} devices, {outcomes.refused[reason]} of {units}"
        for reason in QUOTAS
        if reason in outcomes.refused and reason not in dict(scenario.expect.refused.items())
    ]
    most = scenario.expect.tickets_max
    if outcomes.tickets > most:
        found.append(
            f"tickets: at most {most} expected of {scenario.devices} devices, "
            f"{outcomes.tickets} of {units}"
        )
    return found


def _campaign(population: Population, outcomes: Outcomes, *, tight: bool) -> list[str]:
    unmet = [
        f"{name}: {found}, expected at least {count}"
        for name, found, count, most in _spread(population, outcomes)
        if found < min(count, most)
    ]
    most = population.scenario.expect.tickets_max
    if outcomes.tickets > most and not tight:
        unmet.append(f"tickets: {outcomes.tickets}, expected at most {most}")
    return unmet


def _attacks(population: Population, outcomes: Outcomes) -> list[str]:
    scenario = population.scenario
    tampered = sum(1 for unit in population.units if unit.trouble == TAMPERED)
    share = tampered / max(1, scenario.tampered.devices)
    return [
        f"attacks {name}: {outcomes.attacks.get(name, 0)} refused, expected at least {count}"
        for name, count in scenario.expect.attacks.items()
        if outcomes.attacks.get(name, 0) < int(count * share)
    ]


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
    kind: str,
    wanted: dict[str, int],
    found: dict[str, int],
    reachable: Counter[str],
    no_surprise: tuple[str, ...] = (),
) -> list[str]:
    unmet = [
        f"{kind} {reason}: {found.get(reason, 0)}, expected at least {count}"
        for reason, count in wanted.items()
        if found.get(reason, 0) < min(count, reachable[reason])
    ]
    unmet += [
        f"{kind} {reason}: {count}, not expected at all"
        for reason, count in found.items()
        if reason not in wanted and reason not in no_surprise
    ]
    return unmet


def _reachable(population: Population) -> Counter[str]:
    """Return how often each reason can occur at most with a population of this size."""
    scenario = population.scenario
    reachable = Counter(unit.trouble for unit in population.units if unit.trouble)
    if not any(unit.operator == 0 and _plain_camera(unit) for unit in population.units):
        del reachable["token_full"]  # the first operator never uses up a code
    for reason in ("token_dead", "already_bound"):  # the answer to two of the attacks
        reachable[reason] += reachable[TAMPERED]
    products = Counter(unit.product.product_id for unit in population.units)
    operators = Counter(unit.operator for unit in population.units)
    days, quotas = population.campaign.arrive_days, scenario.quotas
    reachable["product_quota"] = sum(
        max(0, count - quotas.product * days) for count in products.values()
    )
    reachable["account_quota"] = sum(
        max(0, count - quotas.account * days) for count in operators.values()
    )
    reachable["wifi_not_found"] = 0
    return reachable


def _plain_camera(unit: Unit) -> bool:
    return not (unit.product.wired or unit.trouble)
