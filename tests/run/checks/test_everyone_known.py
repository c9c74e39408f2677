"""No unit is lost, and none is mistaken for another."""

from collections.abc import Callable

import msgspec
import pytest

from firmware_sim.device.flash import Flash
from fleet.run.checks import everyone_known
from fleet.run.checks.evidence import Evidence
from tests.run.checks.evidence import KEPT, changed, good, with_chip, without_chip
from tests.run.checks.support import planted, says


def lost(evidence: Evidence) -> Evidence:
    audit = msgspec.structs.replace(evidence.audit, devices=evidence.audit.devices[1:])
    return changed(evidence, audit=audit)


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("the registry has lost it", lost),
        ("is other by its chip", lambda e: with_chip(e, KEPT.index, dev_id="other")),
    ],
)
def test_it_can_fail_at_the_end(text: str, damage: Callable[[Evidence], Evidence]) -> None:
    assert list(everyone_known.at_end(good())) == []
    assert any(text in line for line in everyone_known.at_end(damage(good())))


def test_a_chip_that_nobody_has_looked_at_says_nothing() -> None:
    assert list(everyone_known.at_end(without_chip(good(), KEPT.index))) == []


def test_firmware_that_forgets_who_it_is_is_caught() -> None:
    def rebind(flash: Flash) -> None:
        flash.dev_id = "somebody else"

    found = planted(lambda patch: patch.setattr(Flash, "rebind_children", rebind))
    assert says(found, "everyone_known", "is somebody else by its chip")
