import os
from pathlib import Path

import pytest

from firmware_sim.device.flash import Flash, ResetKind, Tie, read_image
from firmware_sim.errors import UsageError
from fleet.cloud.ledger import nothing
from fleet.cloud.planting import plant
from fleet.cloud.state import State
from fleet.run import seeding
from fleet.run.scenario import Product
from fleet.run.stage import HOMES
from tests.run.fakes import small

POPULATION = small(6)
HOUR_MS = 3_600_000


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
