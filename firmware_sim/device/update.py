"""New firmware: announced, loaded while the device goes on working, installed, and restarted into.

Calls and messages as in tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c and
src/tuya_ota.c: a notice (protocol 15) makes the device ask what there is, and an answer that names
nothing is a failed upgrade; it says that it is upgrading, tells its progress (protocol 16), says
that it has finished, restarts, and reports the new version. No byte is loaded here: the profile
says how long that takes. Until the end the old firmware is the one that boots; the network going
away breaks the update off, and the cloud may offer it again.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

from firmware_sim.device import lan, uplink
from firmware_sim.device.network import depart, leave
from firmware_sim.device.profile import Timings
from firmware_sim.device.signals import (
    CloudUnwanted,
    Upgraded,
    UpgradeNoticed,
    UpgradeOffered,
    UpgradeRefused,
)
from firmware_sim.device.timers import Timer
from firmware_sim.effects import SoundTone
from firmware_sim.errors import Malformed
from firmware_sim.events import Event
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import atop_old, mqtt_payload
from firmware_sim.wire.atop import Inner
from firmware_sim.wire.atop_upgrade import UPGRADE_GET, UpgradeGet, UpgradeOffer, UpgradeStatus

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

MAIN_CHANNEL = 0
PERCENT_STEP = 10
TONE_UPDATE_DONE = 2
_VERSION = re.compile(r"[0-9A-Za-z._-]{1,10}", re.ASCII)


class Loading(NamedTuple):
    """The update under way: the version that is coming, and how much of it is there."""

    version: str
    percent: int = 0


# --- what the cloud says ------------------------------------------------------------------------


def ask(device: "Device", event: UpgradeNoticed) -> None:
    """Ask what there is to upgrade to."""
    request = UpgradeGet(type=event.channel, t=device.now_s)
    uplink.ask(device, UPGRADE_GET, request, _answered)


def _answered(device: "Device", inner: Inner | None) -> None:
    if inner is None or not inner.success:
        device.raise_signal(UpgradeRefused(MAIN_CHANNEL))
    else:
        offered(device, inner)


def offered(device: "Device", inner: Inner | None) -> None:
    """Take an answer that may name new firmware; raises PeerError."""
    result = uplink.result_of(inner)
    if result:
        device.raise_signal(UpgradeOffered(read_offer(result)))


def read_offer(result: bytes) -> UpgradeOffer:
    """Return what is offered; raises PeerError, also for a version that has no room in flash."""
    offer = messages.decode(result, UpgradeOffer)
    if not _VERSION.fullmatch(offer.version):
        raise Malformed("a version has 1 to 10 letters, digits, dots, _ and -")
    return offer


def is_news(device: "Device", event: UpgradeOffered) -> bool:
    """Say whether an offer is for the main firmware and of another version than runs."""
    return event.offer.type == MAIN_CHANNEL and event.offer.version != device.software_version


def decline(device: "Device", event: UpgradeOffered) -> None:
    """Say that this version is none for us."""
    device.note("upgrade_declined", f"channel {event.offer.type}, {event.offer.version}")
    _say(device, event.offer.type, UpgradeStatus.UPGRADE_VERSION)


def report_failure(device: "Device", event: UpgradeRefused) -> None:
    """Say that nothing came of it."""
    device.note("upgrade_refused", f"channel {event.channel}")
    _say(device, event.channel, UpgradeStatus.FAILED)


def _say(device: "Device", channel: int, status: UpgradeStatus) -> None:
    """Say how far it is, if a session stands; nobody waits for the answer."""
    if not device.admitted:
        return
    if device.dialect.old:
        old = atop_old.UpgradeStatusUpdate(upgrade_status=status)
        uplink.ask(device, atop_old.UPGRADE_STATUS, old)
    else:
        new = messages.UpgradeStatusUpdate(type=channel, upgrade_status=status, t=device.now_s)
        uplink.ask(device, messages.UPGRADE_STATUS_UPDATE, new)


# --- while it is loaded -------------------------------------------------------------------------


def begin(device: "Device", event: UpgradeOffered) -> None:
    """Remember what is coming."""
    device.note("upgrade", f"{device.software_version} to {event.offer.version}")
    device.loading = Loading(event.offer.version)


def load(device: "Device") -> None:
    """Say so, and begin to load (entry of UPDATING)."""
    lan.announce_soon(device)
    _say(device, MAIN_CHANNEL, UpgradeStatus.UPGRADING)
    _arm_step(device)


def _arm_step(device: "Device") -> None:
    device.arm(Timer.STEP, step_ms(device.profile.timings))


def step_ms(timings: Timings) -> int:
    """Return how long one piece takes to load."""
    steps = 100 // PERCENT_STEP
    return max(1, timings.download_ms // steps)


def is_loading(device: "Device", _: Event) -> bool:
    """Say whether some of it is missing yet."""
    return device.loading is not None and device.loading.percent < 100


def advance(device: "Device", _: Event) -> None:
    """Count one more piece and tell the cloud; after the last one, install them all."""
    assert device.loading is not None  # UPDATING is entered with one
    device.loading = Loading(device.loading.version, device.loading.percent + PERCENT_STEP)
    if device.admitted:
        percent = device.loading.percent
        uplink.tell(device, mqtt_payload.encode_upgrade_progress(percent, device.now_s))
    if is_loading(device, _):
        _arm_step(device)
    else:
        device.arm(Timer.STEP, device.profile.timings.install_ms)


def install(device: "Device", _: Event) -> None:
    """Let the new firmware be the one that boots, say so, and leave the cloud.

    Versions are to be reported whatever was reported last: of one in between the cloud may have
    heard although its answer was lost.
    """
    assert device.loading is not None
    device.flash.software, device.flash.versions = device.loading.version, ""
    device.mark_flash()
    _say(device, MAIN_CHANNEL, UpgradeStatus.FINISHED)
    device.emit(SoundTone(TONE_UPDATE_DONE))
    device.raise_signal(CloudUnwanted())
    device.raise_signal(Upgraded())


def restart(device: "Device", _: Event) -> None:
    """Go down, to boot the new firmware; a cable stays plugged."""
    lan.shut(device)
    leave(device)
    device.forget_volatile()
    device.restarted = True


def break_off(device: "Device", event: Event) -> None:
    """Lose the network, and with it what was loaded."""
    device.loading = None
    device.note("upgrade_broken_off", "no network")
    depart(device, event)


# --- a reset meanwhile --------------------------------------------------------------------------


def refuses_reset(device: "Device", _: Event) -> bool:
    """Say whether this firmware obeys no reset just now."""
    return device.refuses_reset


def refuse_reset(device: "Device", event: Event) -> None:
    """Stay as we are."""
    device.note("reset_refused", type(event).__name__)
