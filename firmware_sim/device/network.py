"""Getting an address: the network of a pairing code, or the one that flash remembers."""

from typing import TYPE_CHECKING

from firmware_sim.device.signals import JoinRefused, NetworkUp, PairingRead
from firmware_sim.device.states import Outcome
from firmware_sim.device.timers import Timer
from firmware_sim.effects import JoinWifi, LeaveWifi
from firmware_sim.events import Event

if TYPE_CHECKING:
    from firmware_sim.device.device import Device


def take_code(device: "Device", event: PairingRead) -> None:
    """Remember what the pairing code says; nothing of it is in flash before activation."""
    device.offer = event


def join(device: "Device") -> None:
    """Try the network of the pairing code, once (entry of JOINING)."""
    assert device.offer is not None  # only PairingRead leads here
    device.outcome = Outcome.NONE
    device.arm(Timer.JOIN, device.profile.timings.join_timeout_ms)
    device.emit(JoinWifi(device.offer.ssid, device.offer.password))


def give_up(device: "Device", event: Event) -> None:
    """Drop the code that led to no network, and note why."""
    reason = event.reason.value if isinstance(event, JoinRefused) else "no_network"
    device.note("join_refused", reason)
    device.outcome = Outcome.JOIN_FAILED
    leave(device)


def leave(device: "Device") -> None:
    """Forget the offered network; a station leaves the air, a cable stays plugged."""
    device.offer = None
    if not device.profile.wired:
        device.ip = ""
        device.emit(LeaveWifi())


def rejoin(device: "Device", _: Event | None = None) -> None:
    """Get back to the network in flash, as long as it takes (entry of REJOINING)."""
    if device.profile.wired:
        if device.ip:
            device.raise_signal(NetworkUp())
        return
    device.arm(Timer.JOIN, device.profile.timings.join_timeout_ms)
    device.emit(JoinWifi(device.flash.ssid, device.flash.password))


def rejoin_later(device: "Device", _: Event) -> None:
    """Wait before the next attempt; the network may come back."""
    device.timers.disarm(Timer.JOIN)
    device.arm(Timer.RETRY, device.profile.timings.retry_ms)
