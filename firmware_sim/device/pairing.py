"""From a token to credentials: what the firmware does between WAITING and ONLINE.

Order of the calls as the open vendor SDK makes them (tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/tuya_iot.c): iot-dns with the token's region, `tuya.device.active` with the eight middle
characters of the token, then the session. Activation sends the last device id along, which is how
a reset device gets its id back. `GATEWAY_NOT_EXISTS` makes that SDK drop the token and wait
again; any other refusal it retries each second for ever, which is `activation_error = "retry"`
here: one call and one note a second. Without that it asks once more where the answer has set its
clock, as the SDK would. Transport failures are tried again a few times, from
iot-dns on, so that a cloud that restarts does not cost the operator a new code.
"""

from typing import TYPE_CHECKING

from firmware_sim.device import cloud_calls, lan
from firmware_sim.device.flash import ResetKind
from firmware_sim.device.network import leave
from firmware_sim.device.profile import ActivationError
from firmware_sim.device.reset import recall_outcome
from firmware_sim.device.signals import (
    ActivationAccepted,
    ActivationRefused,
    CallFailed,
    CloudUnwanted,
    CloudWanted,
    PairingRead,
    TokenBrought,
    TokenOffered,
)
from firmware_sim.device.states import Outcome
from firmware_sim.device.timers import Timer
from firmware_sim.effects import CloseLens, OpenLens, SoundTone
from firmware_sim.errors import PeerError
from firmware_sim.events import Event, FrameDecoded, LinkUp
from firmware_sim.wire.atop_messages import GATEWAY_NOT_EXISTS
from firmware_sim.wire.provisioning import TokenParts, decode_qr, parse_token

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

ACTIVATION_RETRY = "activation_retry"
"""The note of each refusal but the first, by firmware that repeats a refused activation."""
TONE_WAITING = 1
TONE_TOKEN_TAKEN = 2


def open_pairing(device: "Device") -> None:
    """Listen for an offer: by the lens, or on the network (entry of WAITING)."""
    recall_outcome(device)
    device.emit(SoundTone(TONE_WAITING))
    if device.profile.wired:
        lan.announce_soon(device)
        _listen_online(device)
    else:
        device.emit(OpenLens())


def appear(device: "Device", event: LinkUp) -> None:
    """Take the address that came with the cable, and listen on the network."""
    lan.appear(device, event)
    _listen_online(device)


def _listen_online(device: "Device") -> None:
    """Listen on the cloud's broker as well, if this firmware does; its servers are asked anew."""
    device.endpoints = None
    if device.ip and device.profile.firmware.awaits_token_online:
        device.raise_signal(CloudWanted())


def close_pairing(device: "Device") -> None:
    """Stop listening for offers (exit of WAITING)."""
    device.raise_signal(CloudUnwanted())
    if not device.profile.wired:
        device.emit(CloseLens())


def read_code(device: "Device", event: FrameDecoded) -> None:
    """Read what the lens saw; a code that is not for us is noted."""
    try:
        code = decode_qr(event.text)
    except PeerError as error:
        device.note("bad_qr", str(error))
    else:
        device.raise_signal(PairingRead(code.ssid, code.password, code.token))


def take_code(device: "Device", event: PairingRead) -> None:
    """Remember what the pairing code says; nothing of it is in flash before activation."""
    device.offer = event
    _take_token(device, parse_token(event.token))


def take_token(device: "Device", event: TokenOffered) -> None:
    """Remember a token that came over the LAN."""
    _take_token(device, parse_token(event.token))
    lan.accept(device, event)


def take_sent_token(device: "Device", event: TokenBrought) -> None:
    """Remember a token that the cloud sent."""
    _take_token(device, event.token)


def _take_token(device: "Device", token: TokenParts) -> None:
    device.token = token
    device.outcome = Outcome.NONE
    device.emit(SoundTone(TONE_TOKEN_TAKEN))


def is_ours(device: "Device", event: TokenOffered) -> bool:
    """Say whether an offer repeats the token that is being used."""
    return device.token is not None and device.token.text == event.token


def begin(device: "Device") -> None:
    """Start to activate (entry of ACTIVATING)."""
    device.tries, device.refused = 0, False
    resolve(device)


def resolve(device: "Device", _: Event | None = None) -> None:
    """Ask iot-dns for the servers of the token's region."""
    assert device.token is not None  # ACTIVATING is entered with one
    device.endpoints = None
    device.tries += 1
    cloud_calls.resolve(device, device.token.region, device.token.secret)


def ask(device: "Device", _: Event) -> None:
    """Ask the region's server for credentials."""
    assert device.token is not None
    cloud_calls.activate(device, device.token.token)


def keep_credentials(device: "Device", event: ActivationAccepted) -> None:
    """Write the binding to flash, before anything else goes out.

    The cloud may order the settings of a former owner to be wiped; the device stays online then.
    """
    assert device.token is not None
    result, flash = event.result, device.flash
    flash.dev_id, flash.sec_key, flash.local_key = result.dev_id, result.sec_key, result.local_key
    flash.schema_id, flash.time_zone = result.schema_id, result.std_time_zone or ""
    flash.region, flash.env = device.token.region, device.token.secret
    if device.offer is not None:
        flash.ssid, flash.password = device.offer.ssid, device.offer.password
    flash.last_reset = None
    flash.rebind_children()
    if result.reset_factory:
        flash.forget_settings()
        device.note("wiped", f"reset type {ResetKind.DATA_FACTORY.value}, ordered at activation")
    device.mark_flash()
    device.offer = device.token = None


def unknown_to_cloud(_: "Device", event: ActivationRefused) -> bool:
    """Say whether the cloud answered that it knows no such device."""
    return event.code.upper() == GATEWAY_NOT_EXISTS


def drop_token(device: "Device", event: ActivationRefused) -> None:
    """Forget the token: this device is nobody's, as after a release by the cloud."""
    device.note("activation_refused", event.code)
    device.flash.record_release()
    device.mark_flash()
    leave(device)


def retries_for_ever(device: "Device", _: Event) -> bool:
    """Say whether this firmware repeats a refused activation without end."""
    return device.profile.firmware.activation_error is ActivationError.RETRY


def signed_at_a_wrong_time(_: "Device", event: ActivationRefused) -> bool:
    """Say whether the cloud may have refused for the time at which it was asked only."""
    return event.clock_was_wrong


def has_tries_left(device: "Device", _: Event) -> bool:
    """Say whether another attempt may be made after a transport failure."""
    return device.tries < device.profile.firmware.activation_tries


def retry_later(device: "Device", event: ActivationRefused | CallFailed) -> None:
    """Wait before the next attempt; only failures in a row count as tries.

    After a refusal the same server is asked again, else iot-dns first.
    """
    if isinstance(event, ActivationRefused):
        _note_refusal(device, event)
        device.tries = 0
    else:
        _note_failure(device, event)
        device.endpoints = None
    device.arm(Timer.RETRY, device.profile.timings.retry_ms)


def _note_refusal(device: "Device", event: ActivationRefused) -> None:
    """Note the first refusal as such, and all others as retries: they are to be counted."""
    if device.refused:
        device.note(ACTIVATION_RETRY, event.code)
    else:
        device.refused = True
        _note_failure(device, event)


def give_up(device: "Device", event: ActivationRefused | CallFailed) -> None:
    """Show that it did not work."""
    _note_failure(device, event)
    device.outcome = Outcome.ACTIVATION_FAILED
    leave(device)


def _note_failure(device: "Device", event: ActivationRefused | CallFailed) -> None:
    if isinstance(event, ActivationRefused):
        device.note("activation_refused", event.code)
    else:
        device.note("call_failed", event.reason)


def abandon(device: "Device") -> None:
    """Do not listen for replies any more (exit of ACTIVATING)."""
    cloud_calls.forget_activation(device)


def is_activated(device: "Device", _: Event) -> bool:
    """Say whether flash holds a binding."""
    return device.flash.activated


def is_at_home(device: "Device", _: Event) -> bool:
    """Say whether flash holds a binding and the network is there already, by cable."""
    return device.flash.activated and bool(device.ip)


def go_online(device: "Device") -> None:
    """Ask for a cloud session and show ourselves on the LAN (entry of ONLINE)."""
    device.raise_signal(CloudWanted())
    if not device.profile.wired:  # the port of a wired device is open since it has its address
        lan.serve(device)
    lan.announce_soon(device)
