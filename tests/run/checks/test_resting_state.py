"""When all is over, every device is off, waiting or online, and the time it has for that is bounded."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from firmware_sim.device.device import Device
from firmware_sim.device.profile import ActivationError, Backoff, Firmware
from firmware_sim.device.states import Lifecycle, Session
from firmware_sim.device.timers import Timer
from firmware_sim.runtime.faults import HalfOpen
from fleet.run.checks import resting_state
from fleet.run.checks.resting_state import bound_ms, is_at_rest, is_legal
from fleet.run.scenario import Trouble
from fleet.run.virtual.command import START_MS
from fleet.run.virtual.crew import Crew
from hw_profiles import catalog
from tests.run.checks.evidence import KEPT, SOLD, good, with_chip, without_chip
from tests.run.checks.support import CRASHES, planted, says, watched

PROFILE = catalog.load("ipc-red-green")


def with_firmware(**changes: Any) -> Any:
    firmware = msgspec.structs.replace(PROFILE.firmware, **changes)
    return msgspec.structs.replace(PROFILE, firmware=firmware)


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        (KEPT.index, {"lifecycle": "FAILED"}),
        (KEPT.index, {"lifecycle": "JOINING"}),
        (SOLD.index, {"lifecycle": "REJOINING"}),
        (SOLD.index, {"session": "BACKOFF"}),
    ],
)
def test_it_can_fail_at_the_end(index: int, changes: dict[str, str]) -> None:
    assert list(resting_state.at_end(good())) == []
    [line] = resting_state.at_end(with_chip(good(), index, **changes))
    assert "is not at rest, but" in line


def test_off_is_at_rest_and_nobody_knows_of_a_chip_that_is_not_there() -> None:
    assert list(resting_state.at_end(with_chip(good(), KEPT.index, lifecycle="OFF"))) == []
    assert list(resting_state.at_end(without_chip(good(), KEPT.index))) == []


def test_firmware_that_never_gives_up_may_go_on() -> None:
    stubborn = with_firmware(activation_error=ActivationError.RETRY)
    assert is_legal(Lifecycle.ACTIVATING, Session.DOWN, stubborn)
    assert not is_legal(Lifecycle.ACTIVATING, Session.DOWN, PROFILE)
    assert not is_legal(Lifecycle.RESETTING, Session.DOWN, stubborn)


def test_whose_session_is_dead_has_yet_to_notice() -> None:
    device = SimpleNamespace(lifecycle=Lifecycle.ONLINE, session=Session.UP, profile=PROFILE)
    assert is_at_rest(cast("Device", device), severed=False)
    assert not is_at_rest(cast("Device", device), severed=True)


def test_the_bound_follows_the_profile() -> None:
    usual = bound_ms(PROFILE)
    assert usual > 1000 * PROFILE.timings.keep_alive_s
    assert bound_ms(with_firmware(activation_tries=1)) < usual
    other = Backoff.CAPPED if PROFILE.firmware.backoff is Backoff.VENDOR else Backoff.VENDOR
    assert bound_ms(with_firmware(backoff=other)) != usual
    assert Firmware().backoff is Backoff.VENDOR


def test_a_virtual_fleet_is_given_the_time_it_needs_and_no_more() -> None:
    asked_ms = []

    async def sever(crew: Crew) -> None:
        await crew.snapshot()
        asked_ms.append(crew.agenda.now_ms)
        crew.world.strike(0, HalfOpen())
        assert crew.world.severed(0)
        chips = await crew.snapshot()
        asked_ms.append(crew.agenda.now_ms)
        assert not chips[0].severed

    assert watched(sever) == []
    began_ms, ended_ms = asked_ms
    assert began_ms == START_MS + 10_000
    keep_alive_ms = 1000 * PROFILE.timings.keep_alive_s
    assert keep_alive_ms - 10_000 < ended_ms - began_ms < bound_ms(PROFILE)


def without_timer(timer: Timer) -> Callable[[pytest.MonkeyPatch], None]:
    """Return a defect of the firmware: it waits for a timer that it does not arm."""
    arm = Device.arm

    def forget(device: Device, wanted: Timer, delay_ms: int) -> None:
        if wanted is not timer:
            arm(device, wanted, delay_ms)

    return lambda patch: patch.setattr(Device, "arm", forget)


def test_a_device_that_is_stuck_in_its_failure_is_caught() -> None:
    found = planted(without_timer(Timer.FAILURE))
    assert says(found, "resting_state", "is not at rest, but FAILED")


def test_so_is_one_that_never_comes_back_from_an_outage() -> None:
    home = {"unbind": False, "operators": (), "rebind_every": 0, "trouble": Trouble(), "stay_s": 5}
    faults = tuple(msgspec.structs.replace(fault, during="stay") for fault in CRASHES)
    found = planted(without_timer(Timer.BACKOFF), faults=faults, **home)
    assert says(found, "resting_state", "is not at rest, but ONLINE with session BACKOFF")
