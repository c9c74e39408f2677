import os
from pathlib import Path

import msgspec
import pytest

from firmware_sim.device.flash import Flash, ResetKind, Tie, read_image
from firmware_sim.errors import UsageError
from fleet.cloud.ledger import nothing
from fleet.cloud.planting import plant
from fleet.cloud.state import State
from fleet.run import seeding
from fleet.run.scenario import Campaign, Product, QuotaLimits
from fleet.run.stage import HOMES
from tests.run.fakes import small

POPULATION = small(6)
HOUR_MS = 3_600_000
MINUTE_MS = 60_000


def test_both_sides_of_a_binding_agree() -> None:
    seed = seeding.seed(POPULATION, bound=True)
    by_uuid = {device.uuid: device for device in seed.devices}
    for unit in POPULATION.units:
        spec = seeding.device_spec(POPULATION, unit, "127.16.1.1", HOMES, bound=True)
        flash, device = read_image(spec.flash), by_uuid[unit.uuid]
        assert flash.activated
        assert (flash.dev_id, flash.sec_key, flash.local_key) == (
            device.dev_id,
            device.sec_key,
            device.local_key,
        )
        assert device.owner == unit.owner.uid
        assert spec.lan_version is unit.lan_version
        assert (flash.ssid == "") == unit.product.wired


def test_what_is_behind_a_recorder_is_bound_on_both_sides() -> None:
    seed = seeding.seed(POPULATION, bound=True)
    for unit in POPULATION.units:
        spec = seeding.device_spec(POPULATION, unit, "127.16.1.1", HOMES, bound=True)
        behind = [device for device in seed.devices if device.gateway == unit.dev_id]
        kept = read_image(spec.flash).children or {}
        assert [child.dev_id for child in kept.values()] == [child.dev_id for child in behind]
        assert {child.tie for child in kept.values()} <= {Tie.BOUND}
        assert len(behind) == (4 if unit.product.wired else 0)
    assert {"recorderchannel1"} < {product.product_id for product in seed.products}


def test_one_product_cannot_be_two_things(tmp_path: Path) -> None:
    text = """
title = "Other recorder"
extends = ["wired", "recorder"]
kind = "nvr"
category = "nvr"
[[children]]
title = "Plug"
category = "cz"
product_id = "recorderchannel1"
data_points = []
"""
    path = tmp_path / "other.toml"
    path.write_text(text, encoding="utf-8")
    both = (Product("recorder", "nvr", 1), Product("other", str(path), 1))
    with pytest.raises(UsageError, match="product_id recorderchannel1: two kinds"):
        seeding.seed(small(2, products=both), bound=True)


def test_an_unbound_device_has_nothing_on_either_side() -> None:
    seed = seeding.seed(POPULATION, bound=False)
    assert {(device.owner, device.dev_id) for device in seed.devices} == {("", "")}
    spec = seeding.device_spec(POPULATION, POPULATION.units[0], "ip", HOMES, bound=False)
    assert spec.flash == b""


def test_a_returned_device_is_reset_on_its_chip_and_bound_in_the_cloud() -> None:
    unit = POPULATION.units[0]
    spec = seeding.device_spec(POPULATION, unit, "ip", HOMES, bound=True, reset=True)
    assert read_image(spec.flash) == Flash(dev_id=unit.dev_id, last_reset=ResetKind.LOCAL_FACTORY)


def test_everybody_gets_the_right_that_the_role_names() -> None:
    grants = {grant.grantee: grant for grant in seeding.seed(POPULATION, bound=True).grants}
    assert {name: (grant.kind, grant.role) for name, grant in grants.items()} == {
        "repair@partner": ("partner", "development"),
        "after-sale@maker": ("space", "After sale"),
        "shop@partner": ("partner", "purchase"),
    }
    assert all(len(grant.products) == 2 for grant in grants.values())


def test_the_maker_has_one_project_for_its_app() -> None:
    key = seeding.access(POPULATION)
    (project,) = seeding.seed(POPULATION, bound=True).projects
    assert (project.access_id, project.secret) == (key.access_id, key.secret)
    assert (project.owner, project.schemas) == (POPULATION.maker.name, (key.schema,))
    assert (len(key.access_id), len(key.secret)) == (20, 32)
    assert key == seeding.access(POPULATION)
    assert key.secret not in repr(key)


def test_without_programs_there_is_no_project() -> None:
    assert seeding.seed(POPULATION, bound=True, programs=False).projects == ()


def test_the_schema_carries_no_initial_values() -> None:
    for product in seeding.seed(POPULATION, bound=True).products:
        assert '"id":' in product.schema
        assert "initial" not in product.schema


@pytest.mark.parametrize("hour", range(24))
def test_no_run_meets_midnight(hour: int) -> None:
    now_ms = 1_700_000_000_000 // (24 * HOUR_MS) * 24 * HOUR_MS + hour * HOUR_MS + 1234
    settings = seeding.settings(POPULATION, "secret", now_ms)
    local_hour = (now_ms + settings.quota_day_offset_min * 60_000) // HOUR_MS % 24
    assert 11 <= local_hour <= 12
    assert settings.account_quota_per_day == 100


@pytest.mark.parametrize("minute", [0, 1, 599, 720, 1439])
@pytest.mark.parametrize("second", [0, 59])
def test_midnight_comes_when_the_scenario_says(minute: int, second: int) -> None:
    now_ms = 1_767_225_600_000 + minute * MINUTE_MS + second * 1000
    offset_min = seeding.day_offset_min(QuotaLimits(midnight_in_min=2), now_ms)
    assert -840 <= offset_min <= 840
    left_ms = -(now_ms + offset_min * MINUTE_MS) % (24 * HOUR_MS)
    assert 2 * MINUTE_MS <= left_ms < 3 * MINUTE_MS
    exact = second == 0
    assert (left_ms == 2 * MINUTE_MS) == exact


@pytest.mark.parametrize(
    ("zone", "offset_min"), [("+14:00", 840), ("-12:00", -720), ("+05:45", 345)]
)
def test_where_the_hour_can_be_chosen_it_is_midnight_in_the_zone(
    zone: str, offset_min: int
) -> None:
    quotas = QuotaLimits(midnight_in_min=3, zone=zone)
    from_ms = 1_767_225_600_000
    start_ms = seeding.start_ms(quotas, from_ms)
    assert from_ms <= start_ms < from_ms + 24 * HOUR_MS
    assert seeding.day_offset_min(quotas, start_ms) == offset_min
    assert -(start_ms + offset_min * MINUTE_MS) % (24 * HOUR_MS) == 3 * MINUTE_MS
    assert seeding.start_ms(QuotaLimits(), from_ms) == from_ms


def test_a_day_may_begin_with_the_run() -> None:
    now_ms = 1_767_225_600_000 + 754 * MINUTE_MS
    offset_min = seeding.day_offset_min(QuotaLimits(midnight_in_min=1440), now_ms)
    assert (now_ms + offset_min * MINUTE_MS) % (24 * HOUR_MS) == 0


def test_nothing_is_forgotten_before_the_end() -> None:
    usual = seeding.settings(POPULATION, "", 0)
    assert (usual.quota_days_kept, usual.history_rows_max) == (31, 200_000)
    long = small(6, campaign=Campaign(days=90))
    assert seeding.settings(long, "", 0).quota_days_kept == 91
    many = msgspec.structs.replace(POPULATION, units=POPULATION.units * 100_000)
    large = seeding.settings(many, "", 0)
    assert (large.history_rows_max, large.users_max) == (4_800_000, 1_800_000)


def test_a_cloud_takes_the_seed() -> None:
    state = State(seeding.settings(POPULATION, "secret", 0), nothing, os.urandom)
    plant(state, seeding.seed(POPULATION, bound=True), 1)
    recorders = [unit for unit in POPULATION.units if unit.product.wired]
    assert len(state.devices) == 6 + 4 * len(recorders)
    for person in (POPULATION.maker, POPULATION.purchaser, *POPULATION.operators):
        assert state.accounts.log_in(person.name, person.password).name == person.name
    for unit in POPULATION.units:
        product = state.products.get(unit.product.product_id)
        assert product is not None
        spec = seeding.device_spec(POPULATION, unit, "ip", HOMES, bound=True)
        assert read_image(spec.flash).schema_id == product.schema_id
