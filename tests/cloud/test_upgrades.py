"""Versions and orders, without what happens around them."""

import pytest

from firmware_sim.wire.atop_upgrade import UpgradeStatus
from fleet.cloud.devices import Device
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.upgrades import Firmware, UpgradeOrder, Upgrades, has_failed

from .support import CAMERA, PLUG, World, assert_reloads


def version(text: str, *, channel: int = 0, silent: bool = False, at_ms: int = 1) -> Firmware:
    return Firmware(CAMERA, channel, text, 1_000, "0" * 32, silent=silent, added_ms=at_ms)


def device(world: World) -> Device:
    found = world.state.devices.get("uuid0000")
    assert found is not None
    return found


def upgrades(world: World) -> Upgrades:
    return world.state.upgrades


def added(*versions: Firmware) -> World:
    world = World()
    for one in versions:
        assert world.rule(lambda s, one=one: s.upgrades.add(one)) == one
    return world


def test_versions_of_a_product_in_the_order_in_which_they_came() -> None:
    world = added(version("2", at_ms=1), version("1", at_ms=2), version("1", channel=9, at_ms=3))
    assert [(v.version, v.channel) for v in upgrades(world).versions(CAMERA)] == [
        ("2", 0),
        ("1", 0),
        ("1", 9),
    ]
    assert upgrades(world).versions(PLUG) == []
    assert upgrades(world).find(CAMERA, 9, "1") == version("1", channel=9, at_ms=3)
    assert upgrades(world).find(CAMERA, 9, "2") is None
    assert world.load()._state.upgrades.versions(CAMERA) == upgrades(world).versions(CAMERA)


def test_no_version_twice_and_not_too_many() -> None:
    world = added(version("1"))
    refusal = world.rule(lambda s: s.upgrades.check_new(version("1", silent=True)))
    assert isinstance(refusal, Refused)
    assert refusal.reason is Reason.NAME_TAKEN
    for number in range(2, world.settings.firmware_versions_per_product_max + 1):
        world.rule(lambda s, n=number: s.upgrades.add(version(str(n))))
    refusal = world.rule(lambda s: s.upgrades.check_new(version("last")))
    assert refusal.reason is Reason.TOO_MANY


def test_an_order_is_replaced_noted_and_closed() -> None:
    world = added(version("1"), version("2"), version("1", channel=9))
    for one in upgrades(world).versions(CAMERA):
        world.rule(lambda s, one=one: s.upgrades.order("uuid0000", one, 5))
    assert [(o.channel, o.version) for o in upgrades(world).orders("uuid0000")] == [
        (0, "2"),
        (9, "1"),
    ]
    assert upgrades(world).ordered(device(world), 0) == version("2")
    assert upgrades(world).ordered(device(world), 3) is None
    assert_reloads(world)
    order = upgrades(world).order_of("uuid0000", 0)
    assert order is not None
    assert world.rule(lambda s: s.upgrades.note(order, status=0, percent=0)) is order
    noted = world.rule(lambda s: s.upgrades.note(order, status=2, percent=40))
    assert (noted.status, noted.percent) == (2, 40)
    for left in upgrades(world).orders("uuid0000"):
        world.rule(lambda s, left=left: s.upgrades.close(left))
    assert upgrades(world).orders("uuid0000") == []
    assert_reloads(world)


@pytest.mark.parametrize(
    ("status", "is_open", "failed"),
    [
        (0, True, False),
        (UpgradeStatus.UPGRADING, True, False),
        (UpgradeStatus.DOWNLOAD_COMPLETE, True, False),
        (UpgradeStatus.FINISHED, False, False),
        (UpgradeStatus.FAILED, False, True),
        (UpgradeStatus.DOWNLOAD_FAILED, False, True),
        (UpgradeStatus.UPGRADE_DAMAGED, False, True),
        (50, True, False),
    ],
)
def test_what_is_still_to_be_told(status: int, *, is_open: bool, failed: bool) -> None:
    order = UpgradeOrder("uuid0000", 0, "1", 5, status=status)
    assert (order.open, order.failed, has_failed(status)) == (is_open, failed, failed)
    world = added(version("1"))
    world.rule(lambda s: s.upgrades.order("uuid0000", version("1"), 5))
    world.rule(
        lambda s: s.upgrades.note(s.upgrades.orders("uuid0000")[0], status=status, percent=0)
    )
    assert (upgrades(world).ordered(device(world), 0) is not None) is is_open


@pytest.mark.parametrize(
    ("runs", "offered"),
    [("", "2"), ("0", "2"), ("1", "2"), ("2", None), ("3", None)],
)
def test_a_silent_version_is_for_who_has_an_older_one(runs: str, offered: str | None) -> None:
    world = added(
        version("1", at_ms=1),
        version("2", silent=True, at_ms=2),
        version("3", at_ms=3),
        version("4", channel=9, silent=True, at_ms=4),
    )
    world.rule(lambda s: s.devices.note_version(device(world), 0, runs))
    found = upgrades(world).silent(device(world))
    assert (found.version if found else None) == offered
