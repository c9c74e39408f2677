"""Cloud, flash and app say the same of each device."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware_sim.device.flash import Flash
from fleet.cloud.devices import Devices
from fleet.run.checks import bindings_agree
from fleet.run.checks.evidence import App, Evidence
from tests.run.checks.evidence import (
    KEPT,
    SOLD,
    changed,
    good,
    with_chip,
    with_device,
    without_chip,
)
from tests.run.checks.support import planted, says


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        (
            "bound in the cloud, but ONLINE without keys",
            lambda e: with_chip(e, SOLD.index, activated=False),
        ),
        ("nobody's in the cloud", lambda e: with_chip(e, KEPT.index, activated=True)),
        ("no shard knows", lambda e: without_chip(e, KEPT.index)),
        ("next owner's app shows nothing", lambda e: changed(e, apps=(App(SOLD.index, True, ()),))),
        (
            f"first owner's app shows {SOLD.uuid}",
            lambda e: changed(e, apps=(App(SOLD.index, False, (SOLD.uuid,)),)),
        ),
    ],
)
def test_it_can_fail_at_the_end(text: str, damage: Callable[[Evidence], Evidence]) -> None:
    assert list(bindings_agree.at_end(good())) == []
    assert any(text in line for line in bindings_agree.at_end(damage(good())))


def test_a_pending_reset_is_no_contradiction() -> None:
    evidence = with_chip(good(), KEPT.index, activated=True)
    evidence = with_device(evidence, KEPT.uuid, pending_reset="reset")
    assert list(bindings_agree.at_end(evidence)) == []


def test_nor_are_keys_that_are_being_erased() -> None:
    """The power of a device failed in the middle of a reset, and it was put away before it was back."""
    evidence = with_chip(good(), KEPT.index, activated=True, lifecycle="OFF", erasing=True)
    assert list(bindings_agree.at_end(evidence)) == []


def test_nor_is_a_device_that_was_reset_and_that_nobody_has_unbound() -> None:
    evidence = with_device(good(), KEPT.uuid, owner=KEPT.owner.uid)
    assert len(list(bindings_agree.at_end(evidence))) == 1
    del evidence.tally.unbound[KEPT.index]
    assert list(bindings_agree.at_end(evidence)) == []


def garbles(field: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Return a defect of the firmware, which keeps something else than it was granted."""

    def rebind(flash: Flash) -> None:
        setattr(flash, field, "0" * 16)

    return lambda patch: patch.setattr(Flash, "rebind_children", rebind)


def test_firmware_that_keeps_another_key_is_caught() -> None:
    found = planted(garbles("sec_key"))
    assert says(found, "bindings_agree", "holds a key that the cloud has not written, at ")
    found = planted(garbles("local_key"))
    assert says(found, "bindings_agree", "its keys are not those in the cloud, at ")


def test_so_is_an_app_that_does_not_show_what_is_bound() -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Devices, "owned_by", lambda *_: [])

    assert says(planted(plant), "bindings_agree", "next owner's app shows nothing")


def test_and_a_cloud_that_forgets_to_reset_whom_it_has_released() -> None:
    release = Devices.release

    def forget(self: Devices, *args: Any, **kwargs: Any) -> Any:
        return self._replace(release(self, *args, **kwargs), pending_reset="")

    found = planted(lambda patch: patch.setattr(Devices, "release", forget))
    assert says(found, "bindings_agree", "keys on its chip (ONLINE), but nobody's in the cloud")
