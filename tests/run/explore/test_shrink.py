"""Cases that fail are made smaller, as long as they fail in the same way."""

from collections.abc import Callable

import msgspec
import pytest

from fleet.run.explore.case import Case, Conditions
from fleet.run.explore.draw import draw
from fleet.run.explore.outcome import Outcome
from fleet.run.explore.shrink import STEPS, can_be, shrink
from fleet.run.explore.workers import Here
from fleet.run.faults import FaultTable
from fleet.run.scenario import QuotaLimits, Trouble, load_scenario
from tests.run.explore.support import CUT, DOWN, SLOW, case, failing, fails_if, outcome


def shrunk(large: Case, broken: Callable[[Case], bool], runs_max: int = 1000) -> Case:
    small, told, runs = shrink(Here(fails_if(broken)), large, failing(), runs_max=runs_max)
    assert broken(small)
    assert told.finding == failing().finding
    assert runs <= runs_max
    return small


def kinds(one: Case) -> list[str]:
    return [table.kind for table in one.scenario.faults]


@pytest.mark.parametrize("seed", range(10, 16))
def test_what_has_nothing_to_do_with_it_goes(seed: int) -> None:
    large = draw(load_scenario("flaky-wan"), 40, seed).replace(
        conditions=Conditions(trip_ms=300), fair=False
    )
    options = {"notices_fin": False, "obeys_enable": False}
    large = large.replace(firmware=options, cloud={"unbind_mode": "refuse"})
    large = large.replace(faults=(*large.scenario.faults, DOWN, CUT))
    small = shrunk(large, lambda one: {"power_cut", "cloud_down"} <= set(kinds(one)))
    assert sorted(kinds(small)) == ["cloud_down", "power_cut"]
    assert small.devices == 1
    assert len(small.scenario.products) == len(small.scenario.operators) == 1
    assert (small.conditions, small.firmware, small.cloud) == (Conditions(), {}, {})
    assert small.scenario.rebind_every == 0


def test_devices_are_as_few_as_it_takes() -> None:
    assert shrunk(case(devices=500), lambda one: one.devices >= 77).devices == 77


def test_a_product_or_an_operator_that_it_takes_stays() -> None:
    def broken(one: Case) -> bool:
        names = {product.name for product in one.scenario.products}
        return "recorder" in names and any(o.role == "partner" for o in one.scenario.operators)

    small = shrunk(case(devices=30), broken)
    assert [product.name for product in small.scenario.products] == ["recorder"]
    assert [operator.role for operator in small.scenario.operators] == ["partner"]


def test_trouble_that_it_takes_stays() -> None:
    trouble = Trouble(token_full=2, wifi_password=1, already_bound=1)
    small = shrunk(case(trouble=trouble), lambda one: one.scenario.trouble.wifi_password > 0)
    assert small.scenario.trouble == Trouble(wifi_password=1)
    assert small.scenario.rebind_every == 0


def test_an_option_that_it_takes_stays() -> None:
    options = {"notices_fin": False, "backoff": "capped"}
    large = case(firmware=options, cloud={"unbind_mode": "refuse"})
    small = shrunk(large, lambda one: one.firmware.get("backoff") == "capped")
    assert (small.firmware, small.cloud) == ({"backoff": "capped"}, {})


def test_quotas_that_it_takes_stay() -> None:
    narrow = case(devices=9).replace(quotas=QuotaLimits(account=2, product=3), batch_max=4)
    small = shrunk(narrow, lambda one: one.scenario.quotas.account < 10).scenario
    assert (small.quotas.account, small.batch_max) == (2, 30)
    small = shrunk(narrow, lambda one: one.scenario.batch_max < 10).scenario
    assert (small.quotas, small.batch_max) == (QuotaLimits(), 4)


def test_numbers_get_smaller_and_rounder() -> None:
    table = FaultTable("power_cut", during="always", for_s=37.123, every_s=7.7, share_pct=61)

    def broken(one: Case) -> bool:
        return any(
            t.kind == "power_cut" and t.for_s > 10 and t.every_s for t in one.scenario.faults
        )

    [small] = shrunk(case(table, SLOW), broken).scenario.faults
    assert 10 < small.for_s < 20
    assert 0 < small.every_s < 1
    assert (small.share_pct, small.dice) == (1, table.dice)
    assert float(f"{small.for_s:.0e}") == small.for_s or small.for_s == 37.123 / 2


def test_another_failure_is_not_taken_for_it() -> None:
    def play(one: Case) -> Outcome:
        return failing("another") if not one.scenario.faults else failing()

    small, told, _ = shrink(Here(play), case(DOWN, CUT), failing())
    assert len(small.scenario.faults) == 1
    assert told.finding == failing().finding


def test_it_ends_when_it_has_played_enough() -> None:
    steps: list[tuple[int, int]] = []
    _, _, runs = shrink(
        Here(fails_if(lambda one: one.devices > 3)),
        case(DOWN, CUT, SLOW, devices=900),
        failing(),
        runs_max=7,
        on_step=lambda runs, smaller: steps.append((runs, smaller.devices)),
    )
    assert runs == 7
    assert steps
    assert steps == sorted(steps, key=lambda step: (step[0], -step[1]))


def test_what_cannot_get_smaller_is_given_back() -> None:
    only = case(devices=2)
    assert shrink(Here(lambda _: outcome()), only, failing())[0] == only


def test_no_case_is_played_twice_and_none_that_cannot_be() -> None:
    played: list[bytes] = []

    def play(one: Case) -> Outcome:
        played.append(msgspec.json.encode(one))
        assert can_be(one)
        assert one.population()
        return failing() if one.devices > 6 else outcome()

    shrink(Here(play), draw(load_scenario("power-cut"), 20, 3), failing())
    assert len(set(played)) == len(played) > 10


@pytest.mark.parametrize("step", STEPS)
def test_no_step_makes_anything_larger(step: Callable[[Case], object]) -> None:
    large = draw(load_scenario("batch-unbind"), 20, 3)
    for one in STEPS[STEPS.index(step)](large):
        assert one.devices <= large.devices
        assert len(one.scenario.faults) <= len(large.scenario.faults)
        assert len(one.scenario.products) <= len(large.scenario.products)
