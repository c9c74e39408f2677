"""What happens when firmware is ordered, loaded and run: orders, device log and push messages.

How a device goes about it: tuya/tuya-connect-kit-for-mqtt-embedded-c, src/tuya_iot.c and
src/tuya_ota.c. What it says is taken as a claim; an upgrade is done when it reports the version.
"""

import msgspec

from firmware_sim.errors import Malformed
from firmware_sim.wire.atop_upgrade import UpgradeOffer, UpgradeStatus
from firmware_sim.wire.generation import parse_generation
from fleet.cloud import firmware_image, push
from fleet.cloud.devices import Device
from fleet.cloud.history import DeviceEvent
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.state import State
from fleet.cloud.upgrades import Firmware, UpgradeOrder, has_failed

_LOADED = 100


def add(state: State, firmware: Firmware) -> Firmware:
    """Add a version to its product, with the MD5 of the bytes that are made up when it has none.

    Refused: BAD_REQUEST for an address without the MD5 of what is there or the other way round,
    NAME_TAKEN and TOO_MANY.
    """
    if bool(firmware.url) != bool(firmware.md5):
        raise Refused(Reason.BAD_REQUEST, "give url and md5, or neither")
    state.upgrades.check_new(firmware)  # before the MD5, which takes a while
    if not firmware.url:
        md5 = firmware_image.md5_of(_own_url(firmware), firmware.size)
        firmware = msgspec.structs.replace(firmware, md5=md5)
    return state.upgrades.add(firmware)


def order(state: State, device: Device, channel: int, version: str, now_ms: int) -> UpgradeOrder:
    """Order a bound device onto a version of its product; who may has been decided.

    Refused: NOT_BOUND when there is nobody to tell, NOT_FOUND when the product has no such version.
    """
    if not device.bound:
        raise Refused(Reason.NOT_BOUND)
    firmware = state.upgrades.find(device.product_id, channel, version)
    if firmware is None:
        raise Refused(Reason.NOT_FOUND, "the product has no such version")
    state.device_log.add(device.uuid, DeviceEvent.UPGRADE_ORDERED, now_ms, _of(channel, version))
    return state.upgrades.order(device.uuid, firmware, now_ms)


def take_version(state: State, device: Device, channel: int, version: str, now_ms: int) -> Device:
    """Note which version a device says it runs; return the device as it is now."""
    before = device.version_of(channel)
    after = state.devices.note_version(device, channel, version)
    runs = after.version_of(channel)
    ordered = state.upgrades.order_of(device.uuid, channel)
    claimed = ordered is not None and ordered.status == UpgradeStatus.FINISHED
    if ordered is not None and ordered.version == runs:
        state.upgrades.close(ordered)
    elif ordered is not None and claimed:  # it says so, and runs something else
        _fail(state, device, ordered, UpgradeStatus.FAILED, now_ms)
    if before and runs != before:
        detail = f"{before} to {runs}"
        state.device_log.add(device.uuid, DeviceEvent.UPGRADED, now_ms, detail)
        if not claimed:  # else the message has been sent
            told = push.upgraded(after, channel, UpgradeStatus.FINISHED)
            state.journal.effects.append(told)
    return after


def take_generation(state: State, device: Device, protocol_ver: str) -> Device:
    """Note of which generation a device says that its firmware is; one that we do not know is not."""
    try:
        generation = parse_generation(protocol_ver)
    except Malformed:
        return device
    return state.devices.note_generation(device, generation.value)


def take_status(state: State, device: Device, channel: int, status: int, now_ms: int) -> None:
    """Note how far a device says it is, and tell the programs of developers."""
    state.journal.effects.append(push.upgraded(device, channel, status))
    ordered = state.upgrades.order_of(device.uuid, channel)
    if ordered is None or not ordered.open:
        return
    if has_failed(status):
        _fail(state, device, ordered, status, now_ms)
    else:
        percent = _LOADED if status == UpgradeStatus.FINISHED else ordered.percent
        state.upgrades.note(ordered, status=status, percent=percent)


def take_progress(state: State, device: Device, channel: int, percent: int) -> None:
    """Note how much of an ordered version a device has loaded."""
    ordered = state.upgrades.order_of(device.uuid, channel)
    if ordered is not None and ordered.open:
        status = max(ordered.status, UpgradeStatus.UPGRADING)
        state.upgrades.note(ordered, status=status, percent=percent)


def offer_of(firmware: Firmware) -> UpgradeOffer:
    """Return a version as devices are told of it."""
    url = firmware.url or _own_url(firmware)
    return UpgradeOffer(
        type=firmware.channel,
        version=firmware.version,
        size=str(firmware.size),
        md5=firmware.md5,
        hmac=firmware.hmac,
        url=url,
        https_url=firmware.https_url or url,
    )


def piece_of(state: State, device: Device, url: str, first: int, last: int) -> bytes:
    """Return bytes of a version of the device's product that has no address of its own.

    Refused: NOT_FOUND for any other address, BAD_REQUEST for bytes behind its end.
    """
    own = (one for one in state.upgrades.versions(device.product_id) if not one.url)
    firmware = next((one for one in own if _own_url(one) == url), None)
    if firmware is None:
        raise Refused(Reason.NOT_FOUND, "no such file")
    if last >= firmware.size:
        raise Refused(Reason.BAD_REQUEST, f"the file has {firmware.size} bytes")
    return firmware_image.piece(url, first, last)


def _fail(state: State, device: Device, ordered: UpgradeOrder, status: int, now_ms: int) -> None:
    state.upgrades.note(ordered, status=status, percent=ordered.percent)
    detail = f"{_of(ordered.channel, ordered.version)}: status {status}"
    state.device_log.add(device.uuid, DeviceEvent.UPGRADE_FAILED, now_ms, detail)


def _own_url(firmware: Firmware) -> str:
    return firmware_image.url_of(firmware.product_id, firmware.channel, firmware.version)


def _of(channel: int, version: str) -> str:
    return f"channel {channel} to {version}"
