"""The built-in scenarios of shelves, days, crashes and tampering, small, in virtual time."""

from typing import Any

import msgspec
import pytest

from fleet.run.population import populate
from fleet.run.result import RunResult
from fleet.run.scenario import Campaign, Expect, QuotaLimits, load_scenario
from fleet.run.virtual.command import Play
from fleet.run.virtual.sights import make_sight

DAY_S = 86_400


def play(name: str, devices: int, seed: int = 1, **changes: Any) -> RunResult:
    scenario = msgspec.structs.replace(load_scenario(name), **changes)
    population = populate(scenario, devices, seed)
    one = Play(population, make_sight("model", "pyzbar"), lambda _: None)
    one.play()
    return one.result("model")


def passed(result: RunResult) -> bool:
    assert (result.violations, result.unmet, result.aborted) == ((), (), "")
    assert result.outcomes.unbound == result.devices
    return result.passed


@pytest.mark.parametrize("seed", [1, 2])
def test_benches_that_go_dark_again_and_again(seed: int) -> None:
    result = play("bench-outage", 40, seed)
    assert passed(result)
    benches, switch, _ = result.faults
    assert sum(benches.states.values()) >= 16
    assert sum(switch.states.values()) >= 40
    assert result.outcomes.rebound == 8


@pytest.mark.parametrize("seed", [1, 2])
def test_a_cloud_that_is_killed_again_and_again(seed: int) -> None:
    result = play("cloud-crash-storm", 36, seed)
    assert passed(result)
    assert len(result.outages) >= 4
    assert result.outcomes.rebound == 18


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("+14:00", ("2026-01-01", "2026-01-02")),
        ("-12:00", ("2025-12-31", "2026-01-01")),
        ("+05:45", ("2026-01-01", "2026-01-02")),
    ],
)
def test_midnight_in_the_middle_of_unbinding(zone: str, days: tuple[str, str]) -> None:
    quotas = QuotaLimits(account=8, product=20, midnight_in_min=1, zone=zone)
    result = play("midnight", 40, quotas=quotas)
    assert passed(result)
    assert tuple(result.unbound_by_day) == days
    assert result.unbound_by_day[days[0]] <= 24
    assert result.tickets == 0
    assert result.outcomes.refused["account_quota"] >= 1


def test_the_campaign_of_a_day() -> None:
    result = play("quota-campaign", 60)
    assert passed(result)
    assert result.virtual is not None
    assert result.virtual.virtual_s < 600
    assert result.tickets == 0


def test_a_campaign_of_many_days_sleeps_between_them() -> None:
    result = play(
        "quota-campaign",
        120,
        operators=load_scenario("quota-campaign").operators[:4],
        quotas=QuotaLimits(account=8, product=2, midnight_in_min=1440),
        campaign=Campaign(days=6, arrive_days=4, come_every_s=60),
        expect=Expect(days=6, tickets_min=1, refused={"product_quota": 1, "account_quota": 0}),
    )
    assert passed(result)
    assert len(result.unbound_by_day) == 6
    assert result.virtual is not None
    assert 5 * DAY_S < result.virtual.virtual_s < 6 * DAY_S


def test_tampered_firmware_stays_where_it_belongs() -> None:
    result = play("tampered-firmware", 20)
    assert passed(result)
    assert set(result.outcomes.attacks) == set(load_scenario("tampered-firmware").expect.attacks)
