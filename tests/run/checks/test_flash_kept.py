"""What firmware forgets to save is caught when the power goes."""

import pytest

from firmware_sim.device.device import Device
from firmware_sim.device.flash import ResetKind
from firmware_sim.device.states import Session
from fleet.run.faults import FaultTable
from tests.run.checks.support import planted, says

CUTS = (FaultTable("power_cut", during="unbind", for_s=1, within_s=0.5, state="resetting"),)


def test_a_reset_that_is_not_noted_before_it_begins_is_caught() -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        mark = Device.mark_flash

        def forget(device: Device) -> None:
            if device.flash.resetting is not ResetKind.REMOTE_UNBIND:
                mark(device)

        patch.setattr(Device, "mark_flash", forget)

    assert says(planted(plant, CUTS), "flash_kept", "has changed resetting without saving it, at ")


def test_so_are_keys_that_are_not_kept() -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        mark = Device.mark_flash

        def forget(device: Device) -> None:
            if device.session is not Session.DOWN or not device.flash.activated:
                mark(device)

        patch.setattr(Device, "mark_flash", forget)

    faults = (FaultTable("power_cut", during="rebind", for_s=1, state="online"),)
    found = planted(plant, faults)
    assert says(found, "flash_kept", "sec_key, local_key")
    assert not any("0000" in line for line in found if line.startswith("flash_kept"))
