from typing import Any

import msgspec

from fleet.run.expectations import Outcomes, judge
from fleet.run.faults import FaultTable
from fleet.run.population import populate
from fleet.run.recovery import Outage
from fleet.run.scenario import Expect, Trouble, load_scenario
from tests.run.fakes import small

DEFAULT = populate(load_scenario(), 300, 1)
MET = Outcomes(
    unbound=300,
    rebound=100,
    refused={
        "token_full": 1,
        "token_dead": 2,
        "no_permission": 2,
        "already_bound": 2,
        "account_quota": 1,
        "product_quota": 9,
    },
    failed={"wifi_password": 3},
)


def test_everything_as_expected() -> None:
    verdict = judge(DEFAULT, MET)
    assert (verdict.unmet, verdict.left_out) == ((), ())


def test_what_is_missing_or_too_much_is_named() -> None:
    refused = {**MET.refused, "not_bound": 1}
    del refused["token_dead"]
    worse = msgspec.structs.replace(
        MET, unbound=299, rebound=99, refused=refused, failed={"not_rebound": 1}
    )
    assert judge(DEFAULT, worse).unmet == (
        "unbound: 299 of 300 devices, expected 100 %",
        "rebound: 99 of 100 devices, expected 100 %",
        "refused token_dead: 0, expected at least 2",
        "refused not_bound: 1, not expected at all",
        "failed wifi_password: 0, expected at least 2",
        "failed not_rebound: 1, not expected at all",
    )


def test_a_share_may_be_expected() -> None:
    population = small(10, expect=Expect(unbound_pct=70, rebound_pct=0))
    assert judge(population, Outcomes(7, 0, {}, {})).unmet == ()
    assert judge(population, Outcomes(6, 0, {}, {})).unmet != ()


def test_a_small_population_is_not_asked_for_what_it_cannot_give() -> None:
    population = populate(load_scenario(), 8, 1)
    calm = Outcomes(8, 2, {"token_dead": 2, "no_permission": 1, "already_bound": 2}, {})
    verdict = judge(population, calm)
    left_out = {line.split(":")[0] for line in verdict.left_out}
    assert {"account_quota", "product_quota"} <= left_out
    assert not any("quota" in line for line in verdict.unmet)


def test_what_has_happened_anyway_is_not_left_out() -> None:
    population = small(3, expect=Expect(refused={"token_full": 5}), trouble=Trouble(token_full=5))
    outcomes = Outcomes(3, 1, {"token_full": 5}, {})
    assert judge(population, outcomes).left_out == ()
    assert judge(population, Outcomes(3, 1, {"token_full": 2}, {})).left_out != ()


def an_outage(**changes: Any) -> Outage:
    outage = Outage(
        at_s=1,
        down_s=60,
        devices=10,
        recovered_s={50: 1.0, 95: 2.0, 100: 3.0},
        lost_again=0,
        attempts_while_down=5,
        attempts_after=10,
        attempts_after_max=2,
        cloud_cpu_s=0.5,
    )
    return msgspec.structs.replace(outage, **changes)


def test_a_fleet_has_to_be_back_in_time() -> None:
    table = FaultTable("cloud_down", during="stay", for_s=60)
    population = small(
        10,
        unbind=False,
        operators=(),
        rebind_every=0,
        faults=(table,),
        expect=Expect(recovered_s=3),
    )
    nothing = Outcomes(0, 0, {}, {})
    late, never = an_outage(recovered_s={100: 3.1}), an_outage(recovered_s={50: 1.0})
    assert judge(population, nothing, (an_outage(),)).unmet == ()
    assert judge(population, nothing, (an_outage(), late, never)).unmet == (
        "recovered: 3.1 s after 60 s without a cloud, expected 3 s",
        "recovered: not all devices came back after 60 s without a cloud, expected 3 s",
    )
    assert judge(population, nothing).unmet == (
        "recovered: no outage was survived, expected one and 3 s",
    )
    assert judge(small(10), Outcomes(10, 3, {}, {}), (late,)).unmet == (), "nothing was expected"
