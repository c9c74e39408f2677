from typing import Any

import msgspec

from fleet.run.expectations import OTHERS, Outcomes, expected, judge
from fleet.run.faults import FaultTable
from fleet.run.population import Population, populate
from fleet.run.recovery import Outage
from fleet.run.scenario import Campaign, Expect, QuotaLimits, Tampered, Trouble, load_scenario
from tests.run.fakes import SCENARIO, small

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


def a_campaign(devices: int, own: int = 40, **expect: Any) -> Population:
    scenario = msgspec.structs.replace(
        SCENARIO,
        devices=own,
        start="shelf",
        quotas=QuotaLimits(account=5, product=4),
        campaign=Campaign(days=3),
        expect=Expect(**expect),
    )
    return populate(scenario, devices, seed=1)


def test_days_and_tickets_are_counted() -> None:
    population = a_campaign(40, days=3, tickets_min=2, tickets_max=4)
    good = Outcomes(40, 13, {}, {}, days=3, tickets=4)
    assert judge(population, good).unmet == ()
    worse = msgspec.structs.replace(good, days=2, tickets=1)
    assert judge(population, worse).unmet == (
        "days: 2, expected at least 3",
        "tickets: 1, expected at least 2",
    )
    many = msgspec.structs.replace(good, tickets=5)
    assert judge(population, many).unmet == ("tickets: 5, expected at most 4",)


def test_a_few_devices_need_neither_days_nor_tickets() -> None:
    population = a_campaign(6, days=3, tickets_min=1)
    verdict = judge(population, Outcomes(6, 2, {}, {}, days=1, tickets=0))
    assert verdict.unmet == ()
    assert verdict.left_out == (
        "days: 3 expected, this population can give 1",
        "tickets: 1 expected, this population can give 0",
    )


def test_a_larger_fleet_than_the_scenarios_own_may_run_into_quotas() -> None:
    refused = {"account_quota": 3, "product_quota": 20}
    outgrown = a_campaign(40, own=12, tickets_max=4)
    verdict = judge(outgrown, Outcomes(40, 13, refused, {}, days=3, tickets=5))
    assert verdict.unmet == ()
    assert verdict.left_out == (
        "account_quota: none expected of 12 devices, 3 of 40",
        "product_quota: none expected of 12 devices, 20 of 40",
        "tickets: at most 4 expected of 12 devices, 5 of 40",
    )
    at_home = a_campaign(40, tickets_max=4)
    assert len(judge(at_home, Outcomes(40, 13, refused, {}, days=3, tickets=5)).unmet) == 3
    wide_enough = small(40, rebind_every=0, tries_max=3)
    calm = Outcomes(40, 0, {"product_quota": 1}, {}, days=1)
    assert judge(wide_enough, calm).unmet == ("refused product_quota: 1, not expected at all",)


def test_what_tampered_firmware_tries_is_counted() -> None:
    expect = Expect(attacks={"guess": 40, "replay": 2})
    population = small(12, tampered=Tampered(devices=2), expect=expect)
    met = Outcomes(12, 4, {"token_dead": 0}, {}, attacks={"guess": 40, "replay": 2})
    met = msgspec.structs.replace(met, refused={})
    assert judge(population, met).unmet == ()
    assert judge(population, msgspec.structs.replace(met, attacks={"guess": 39})).unmet == (
        "attacks guess: 39 refused, expected at least 40",
        "attacks replay: 0 refused, expected at least 2",
    )
    none_left = small(12, tampered=Tampered(devices=12), expect=expect)
    some = judge(none_left, msgspec.structs.replace(met, attacks={"guess": 26, "replay": 1}))
    assert some.unmet == (), "cameras only: a share of them, and of what is expected"


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


def test_everything_expected_is_listed_and_what_is_unmet_begins_with_it() -> None:
    listed = {one.subject: one.wanted for one in expected(DEFAULT)}
    assert listed["unbound"] == "100 % of the devices"
    assert listed["refused token_dead"] == "at least 2"
    assert list(listed)[-1] == OTHERS
    nothing = Outcomes(unbound=0, rebound=0, refused={}, failed={})
    assert {line.partition(":")[0] for line in judge(DEFAULT, nothing).unmet} == set(listed) - {
        OTHERS
    }


def test_expectations_of_days_tickets_attacks_and_recovery_are_listed() -> None:
    expect = Expect(days=2, tickets_min=1, tickets_max=3, recovered_s=5, attacks={"guess": 4})
    listed = {one.subject: one.wanted for one in expected(small(expect=expect))}
    assert listed["days"] == "at least 2"
    assert listed["tickets"] == "at least 1, at most 3"
    assert listed["attacks guess"] == "at least 4"
    assert listed["recovered"] == "5 s after each outage"
    still = small(unbind=False, rebind_every=0, operators=(), expect=Expect())
    assert [one.subject for one in expected(still)] == [OTHERS]
