"""Power, reset and failure: what the chip does without anybody's network.

The order of a reset is the vendor's (page "Device Reset"): erase, tone, reboot. The marker in
flash comes first, so that power can be cut at any instant.
"""

from typing import TYPE_CHECKING

from firmware_sim.device import lan
from firmware_sim.device.flash import ResetKind
from firmware_sim.device.network import leave
from firmware_sim.device.signals import CloudUnwanted, LocallyReset, Released
from firmware_sim.device.states import Outcome
from firmware_sim.device.timers import Timer
from firmware_sim.effects import SoundTone
from firmware_sim.events import Event

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

TONE_RESET_DONE = 2


def lose_power(device: "Device") -> None:
    """Forget everything that is not in flash (entry of OFF); the world drops the connections."""
    device.ip = ""
    device.outcome = Outcome.NONE
    device.forget_volatile()
    device.restarted = False


def boot(device: "Device") -> None:
    """Start up (entry of BOOTING); who was released and restarts is still being unbound."""
    if was_interrupted(device):
        recall_outcome(device)
    device.arm(Timer.BOOT, device.profile.timings.boot_ms)


def recall_outcome(device: "Device") -> None:
    """Let the light say that the cloud released this device, for as long as that is the case."""
    kind = device.flash.resetting if was_interrupted(device) else device.flash.last_reset
    device.outcome = Outcome.UNBOUND if kind is not None and kind.remote else Outcome.NONE


def was_interrupted(device: "Device", _: Event | None = None) -> bool:
    """Say whether power was cut in the middle of a reset."""
    return device.flash.resetting is not None


def begin_local(device: "Device", _: Event) -> None:
    """Obey the button."""
    _begin_here(device, ResetKind.LOCAL_FACTORY)


def begin_by_lan(device: "Device", _: Event) -> None:
    """Obey a LAN client as if it held the button, but keep the user's settings."""
    _begin_here(device, ResetKind.LOCAL_UNBIND)


def _begin_here(device: "Device", kind: ResetKind) -> None:
    device.outcome = Outcome.NONE
    device.raise_signal(LocallyReset())
    _begin(device, kind)


def begin_remote(device: "Device", event: Released) -> None:
    """Obey the cloud: it released the binding."""
    device.outcome = Outcome.UNBOUND
    _begin(device, event.kind)


def _begin(device: "Device", kind: ResetKind) -> None:
    device.flash.begin_reset(kind)
    device.mark_flash()
    device.raise_signal(CloudUnwanted())


def erase(device: "Device") -> None:
    """Tell the LAN, then take the time that erasing takes (entry of RESETTING)."""
    lan.say_farewell(device)
    device.arm(Timer.ERASE, device.profile.timings.erase_ms)


def finish(device: "Device", _: Event) -> None:
    """Clear the marker and restart: from here on the device is unbound on its own side."""
    device.flash.finish_reset()
    device.mark_flash()
    device.emit(SoundTone(TONE_RESET_DONE))
    leave(device)
    device.forget_volatile()
    device.restarted = True


def show_failure(device: "Device") -> None:
    """Keep the failure visible for a while (entry of FAILED)."""
    device.arm(Timer.FAILURE, device.profile.timings.failure_ms)
