import msgspec

from fleet.run.expectations import Outcomes, judge
from fleet.run.population import populate
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
