"""What firmware forgets to save is caught when the power goes."""

import asyncio

import pytest

from firmware_sim.device.device import Device
from firmware_sim.device.flash import ResetKind
from fleet.run.faults import FaultTable
from fleet.run.virtual.crew import Crew
from tests.run.checks.support import planted, says, watched

CUTS = (FaultTable("power_cut", during="unbind", for_s=1, within_s=0.5, state="resetting"),)


def test_a_reset_that_is_not_noted_before_it_begins_is_caught() -> None:
    def plant(patch: pytest.MonkeyPatch) -> None:
        mark = Device.mark_flash

        def forget(device: Device) -> None:
            if device.flash.resetting is not ResetKind.REMOTE_UNBIND:
                mark(device)

        patch.setattr(Device, "mark_flash", forget)

    assert says(planted(plant, CUTS), "flash_kept", "has changed resetting without saving it, at ")


def test_what_is_in_a_field_is_not_told() -> None:
    async def story(crew: Crew) -> None:
        flash = crew.world.device(0).flash
        flash.sec_key, flash.ssid = "s" * 16, "elsewhere"
        crew.power([0, 1], on=False)
        await asyncio.sleep(1)

    [line] = [line for line in watched(story) if line.startswith("flash_kept")]
    assert "has changed sec_key, ssid without saving it, at 10.000 s" in line
    assert "sssss" not in line
    assert "elsewhere" not in line
