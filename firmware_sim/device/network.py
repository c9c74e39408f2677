"""Getting an address: the network of a pairing code, or the one that flash remembers."""

from typing import TYPE_CHECKING

from firmware_sim.device import lan
from firmware_sim.device.signals import CloudUnwanted
from firmware_sim.device.states import Outcome
from firmware_sim.device.timers import Timer
from firmware_sim.effects import JoinWifi, LeaveWifi
from firmware_sim.events import Event, LinkUp, WifiJoined, WifiRefused

if TYPE_CHECKING:
    from firmware_sim.device.device import Device


def join(device: "Device") -> None:
    """Try the network of the pairing code, once (entry of JOINING)."""
    assert device.offer is not None  # only PairingRead leads here
    device.arm(Timer.JOIN, device.profile.timings.join_timeout_ms)
    device.emit(JoinWifi(device.offer.ssid, device.offer.password))


def arrive(device: "Device", event: WifiJoined | LinkUp) -> None:
    """Take the address that the network gave us."""
    device.ip = event.ip


def depart(device: "Device", _: Event) -> None:
    """Lose the address, and with it all LAN clients and the cloud."""
    lan.shut(device)
    device.ip = ""
    device.raise_signal(CloudUnwanted())


def give_up(device: "Device", event: Event) -> None:
    """Drop the code that led to no network, and note why."""
    reason = event.reason.value if isinstance(event, WifiRefused) else "no_network"
    device.note("join_refused", reason)
    device.outcome = Outcome.JOIN_FAILED
    leave(device)


def cut_off(device: "Device", event: Event) -> None:
    """Give up because the network went away under an activation."""
    depart(device, event)
    give_up(device, event)


def leave(device: "Device") -> None:
    """Forget what was offered; a station leaves the air, a cable stays plugged."""
    device.offer = device.token = None
    if not device.profile.wired:
        device.ip = ""
        device.emit(LeaveWifi())


def rejoin(device: "Device", _: Event | None = None) -> None:
    """Get back to the network in flash, as long as it takes (entry of REJOINING)."""
    if not device.profile.wired:  # a cable is plugged by somebody
        device.arm(Timer.JOIN, device.profile.timings.join_timeout_ms)
        device.emit(JoinWifi(device.flash.ssid, device.flash.password))


def rejoin_later(device: "Device", _: Event) -> None:
    """Wait before the next attempt; the network may come back."""
    device.timers.disarm(Timer.JOIN)
    device.arm(Timer.RETRY, device.profile.timings.retry_ms)
