"""More devices for a fleet that is there."""

import pytest

from firmware_sim.errors import UsageError
from fleet.run import growth
from fleet.run.growth import grow, networks, newcomers
from tests.run.fakes import small


def test_more_of_a_model_that_is_there() -> None:
    before = small(6)
    after = grow(before, "nvr", 2)
    assert after.units[:6] == before.units
    assert [unit.index for unit in after.units[6:]] == [6, 7]
    assert {unit.product for unit in after.units[6:]} == {before.products[1]}
    assert after.products == before.products
    assert grow(before, "nvr", 2) == after, "they follow from the seed"
    assert len({unit.uuid for unit in after.units}) == 8
    assert all(unit.new_owner is None and not unit.trouble for unit in after.units[6:])
    assert len(after.people) == len(before.people) + 2
    assert networks(after.units[7:]) == {after.units[7].home.ssid: after.units[7].home.password}


def test_a_model_that_is_new_is_a_product_of_the_maker() -> None:
    before = small(6)
    after = grow(before, "gateway", 1)
    assert [product.name for product in after.products[2:]] == ["gateway"]
    assert after.profile(after.units[6]).kind == "gateway"
    new = newcomers(before, after, bound=True)
    assert new.products[0].product_id == after.products[2].product_id
    assert new.products[0].owner == before.maker.name
    assert [user.name for user in new.users] == ["first-owner-6"]
    assert new.devices[0].uuid == after.units[6].uuid
    assert all(child.gateway == after.units[6].dev_id for child in new.devices[1:])


def test_devices_that_are_nobodys_come_as_such() -> None:
    before = small(6)
    (device,) = newcomers(before, grow(before, "nvr", 1), bound=False).devices
    assert (device.owner, device.dev_id) == ("", "")


@pytest.mark.parametrize(
    ("profile", "count", "words"),
    [
        ("nvr", 0, "1 to 1000"),
        ("nvr", 1001, "1 to 1000"),
        ("no-such-model", 1, "no model 'no-such-model'; allowed: "),
        ("/etc/passwd", 1, "no model"),
    ],
)
def test_what_cannot_come(profile: str, count: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        grow(small(6), profile, count)


def test_a_fleet_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "DEVICES_MAX", 7)
    with pytest.raises(UsageError, match="at most 7 devices; there are 6"):
        grow(small(6), "nvr", 2)
