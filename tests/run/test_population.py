from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import UsageError
from firmware_sim.wire.lan_version import LanVersion
from fleet.run.population import DEVICES_MAX, TAMPERED, Population, deal, populate, scale
from fleet.run.scenario import Campaign, Lan, Product, Tampered, Trouble, load_scenario
from tests.run.fakes import SCENARIO, small


def default(devices: int = 300, seed: int = 1) -> Population:
    return populate(load_scenario(), devices, seed)


def test_the_default_population() -> None:
    population = default()
    units = population.units
    assert Counter(unit.product.name for unit in units) == {
        "indoor-camera": 110,
        "outdoor-camera": 90,
        "video-recorder": 60,
        "gateway": 40,
    }
    assert Counter(unit.operator for unit in units) == {0: 110, 1: 95, 2: 95}
    sold = Counter(unit.product.name for unit in units if unit.new_owner)
    assert sum(sold.values()) == 100
    assert min(sold.values()) >= 13
    assert Counter(unit.trouble for unit in units if unit.trouble) == {
        "token_full": 1,
        "token_dead": 2,
        "no_permission": 2,
        "wifi_password": 2,
        "already_bound": 2,
    }
    assert not any(unit.trouble and unit.product.wired for unit in units)


def test_lan_versions_are_mixed_in_every_product() -> None:
    units = default().units
    mix = {LanVersion.V31: 9, LanVersion.V33: 120, LanVersion.V34: 75, LanVersion.V35: 96}
    assert Counter(unit.lan_version for unit in units) == mix
    for name, share in Counter(unit.product.name for unit in units).items():
        part = Counter(unit.lan_version for unit in units if unit.product.name == name)
        assert all(abs(part[v] - mix[v] * share / 300) <= 1 for v in mix)


@pytest.mark.parametrize(("devices", "versions"), [(1, 1), (2, 2), (3, 3), (4, 4)])
def test_a_few_devices_have_several_lan_versions(devices: int, versions: int) -> None:
    population = small(devices, products=(Product("recorder", "nvr", 1),))
    assert len({unit.lan_version for unit in population.units}) == versions


def test_a_scenario_may_mix_other_lan_versions() -> None:
    lan = Lan({LanVersion.V35: 1, LanVersion.V32: 2})
    assert Counter(unit.lan_version for unit in small(12, lan=lan).units) == {"3.2": 8, "3.5": 4}


def test_a_model_of_the_users_own_speaks_what_its_file_says(tmp_path: Path) -> None:
    text = 'title = "Mine"\nextends = "wired"\nkind = "nvr"\ncategory = "nvr"\n'
    path = tmp_path / "mine.toml"
    path.write_text(text + '[firmware]\nlan_version = "3.4"', encoding="utf-8")
    products = (Product("mine", str(path), 4), Product("recorder", "nvr", 4))
    units = small(8, products=products).units
    assert {unit.lan_version for unit in units if unit.product.name == "mine"} == {"3.4"}
    assert len({unit.lan_version for unit in units if unit.product.name == "recorder"}) > 1


def test_every_identity_is_its_own_and_fits_the_firmware() -> None:
    units = default().units
    for name, length_max in (("uuid", 25), ("auth_key", 32), ("dev_id", 25), ("sec_key", 16)):
        values = [getattr(unit, name) for unit in units]
        assert len(set(values)) == len(units)
        assert max(map(len, values)) <= length_max
    owners = [unit.owner.uid for unit in units]
    owners += [unit.new_owner.uid for unit in units if unit.new_owner]
    assert len(set(owners)) == len(owners)
    assert all(len(unit.home.ssid.encode()) <= 32 for unit in units)


def test_the_seed_decides() -> None:
    assert default(seed=1) == default(seed=1)
    assert default(seed=1) != default(seed=2)


def test_a_maker_is_there_even_if_it_unbinds_nothing() -> None:
    operators = tuple(one for one in SCENARIO.operators if one.role != "owner")
    population = small(operators=operators)
    assert population.maker.name == "maker@maker"
    assert population.maker not in population.operators
    assert small().maker == small().operators[0]


def test_a_few_devices_still_have_all_kinds() -> None:
    assert len({unit.product.name for unit in default(4).units}) == 4


@pytest.mark.parametrize("devices", [3, 0, DEVICES_MAX + 1])
def test_a_size_that_cannot_be(devices: int) -> None:
    with pytest.raises(
        UsageError, match=f"--devices {devices}: a run of 'batch-unbind' takes 4 to"
    ):
        default(devices)


def test_trouble_that_does_not_fit_is_left_out() -> None:
    population = small(3, trouble=Trouble(token_dead=9, already_bound=9))
    troubles = Counter(unit.trouble for unit in population.units if unit.trouble)
    assert troubles["already_bound"] <= 1
    assert sum(troubles.values()) == sum(not unit.product.wired for unit in population.units)


def test_no_key_is_shown() -> None:
    population = default(4)
    unit = population.units[0]
    shown = repr(unit) + repr(unit.owner) + repr(unit.home) + repr(population.warehouse)
    secrets = (unit.auth_key, unit.sec_key, unit.local_key, unit.owner.password, unit.home.password)
    assert not any(secret in shown for secret in secrets)
    assert population.warehouse.password not in shown


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.integers(0, 5000))
def test_scaling_loses_nobody(shares: list[int], total: int) -> None:
    counts = scale(shares, total)
    assert sum(counts) == total
    assert min(counts) >= (1 if total >= len(shares) else 0)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_dealing_keeps_the_counts(counts: list[int]) -> None:
    assert Counter(deal(counts)) == {i: count for i, count in enumerate(counts) if count}


def test_dealing_spreads() -> None:
    assert deal([4, 2]) == [0, 1, 0, 0, 1, 0]


def test_tampered_devices_are_cameras_and_in_no_other_trouble() -> None:
    population = small(12, tampered=Tampered(devices=3), trouble=Trouble(token_dead=1))
    troubles = Counter(unit.trouble for unit in population.units if unit.trouble)
    assert troubles == {TAMPERED: 3, "token_dead": 1}
    assert not any(unit.product.wired for unit in population.units if unit.trouble)


def test_days_are_those_of_the_size() -> None:
    campaign = Campaign(days=30, arrive_days=20, shrinks=True)
    assert small(SCENARIO.devices, campaign=campaign).campaign == campaign
    assert small(SCENARIO.devices // 3, campaign=campaign).campaign.days == 10


def test_everybody_who_can_log_in_is_there_once() -> None:
    population = small(6)
    names = [person.name for person in population.people]
    assert len(set(names)) == len(names)
    assert names[:4] == ["owner@maker", "repair@partner", "after-sale@maker", "shop@partner"]
    assert names[4:] == [f"first-owner-{index}" for index in range(6)]
