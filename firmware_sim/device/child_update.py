"""New firmware of a sub-device: its gateway asks, loads it, hands it on, and says which one runs.

The order of things is the vendor's (page "OTA Updates" of the gateway's framework): the gateway is
told, loads the file, hands it to the sub-device while it tells the progress, and then reports the
new version. Calls and messages are those by which a device loads its own firmware, with the id of
the sub-device besides (tuya/tuya-iotos-embeded-sdk-wifi-ble-bk7231t,
sdk/include/tuya_svc_upgrade_http.h). Here too no byte is loaded: the profile says how long it takes.

The gateway goes on working meanwhile, and loads for several at once. One that is silent is waited
for; one that is lost or removed, or the end of the session, breaks its update off: the cloud may
offer it again. What runs on a sub-device stays there whatever is reset.
"""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from firmware_sim.device import update, uplink
from firmware_sim.device.flash import Tie
from firmware_sim.device.lan_children import cid
from firmware_sim.device.signals import ChildrenDue
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.atop import Inner
from firmware_sim.wire.atop_children import SUB_UPDATE, SubUpdate
from firmware_sim.wire.atop_upgrade import UPGRADE_GET, UpgradeGet, UpgradeOffer, UpgradeStatus

if TYPE_CHECKING:
    from firmware_sim.device.children import ChildState
    from firmware_sim.device.device import Device


class Loading(NamedTuple):
    """The update of a sub-device: the version that is coming, how much is there, the next step.

    `outdated`: another version has been offered meanwhile.
    """

    version: str
    percent: int
    due_ms: int
    outdated: bool = False


def version(device: "Device", number: int) -> str:
    """Return which firmware a sub-device runs: the one installed last, else the factory's."""
    installed = (device.flash.child_software or {}).get(number)
    return installed or device.profile.children[number].software_version


def ask(device: "Device", number: int, channel: int) -> None:
    """Ask what there is for a sub-device."""
    request = UpgradeGet(type=channel, cid=cid(device.identity.uuid, number), t=device.now_s)
    uplink.ask(device, UPGRADE_GET, request, partial(_offered, number, channel))


def _offered(number: int, channel: int, device: "Device", inner: Inner | None) -> None:
    if device.flash.kept(number).tie is not Tie.BOUND:
        return
    child, result = _child(device, number), uplink.result_of(inner)
    if child.loading is not None:
        is_other = bool(result) and update.read_offer(result).version != child.loading.version
        child.loading = child.loading._replace(outdated=is_other)
        return
    if not result:
        device.note("child_upgrade_refused", cid(device.identity.uuid, number))
        _say(device, number, channel, UpgradeStatus.FAILED)
        return
    offer = update.read_offer(result)
    if offer.type == update.MAIN_CHANNEL and offer.version != version(device, number):
        _begin(device, number, offer)
    elif offer.type != update.MAIN_CHANNEL or not is_news(device, number):
        _decline(device, number, offer)


def _decline(device: "Device", number: int, offer: UpgradeOffer) -> None:
    detail = f"channel {offer.type}, {offer.version}"
    device.note("child_upgrade_declined", f"{cid(device.identity.uuid, number)}: {detail}")
    _say(device, number, offer.type, UpgradeStatus.UPGRADE_VERSION)


def _begin(device: "Device", number: int, offer: UpgradeOffer) -> None:
    detail = f"{version(device, number)} to {offer.version}"
    device.note("child_upgrade", f"{cid(device.identity.uuid, number)}: {detail}")
    _child(device, number).loading = Loading(offer.version, 0, device.now_ms + _step_ms(device))
    _say(device, number, update.MAIN_CHANNEL, UpgradeStatus.UPGRADING)
    device.raise_signal(ChildrenDue())


def _step_ms(device: "Device") -> int:
    return update.step_ms(device.profile.timings)


def _say(device: "Device", number: int, channel: int, status: UpgradeStatus) -> None:
    told = messages.UpgradeStatusUpdate(
        type=channel,
        upgrade_status=status,
        cid=cid(device.identity.uuid, number),
        t=device.now_s,
    )
    uplink.ask(device, messages.UPGRADE_STATUS_UPDATE, told)


# --- while it is loaded -------------------------------------------------------------------------


def advance(device: "Device", number: int) -> None:
    """Take the next step of an update whose time has come."""
    child = _child(device, number)
    loading = child.loading
    if loading is None:
        return
    if not child.online or device.flash.kept(number).tie is not Tie.BOUND:
        child.loading = None
        device.note("child_upgrade_broken_off", cid(device.identity.uuid, number))
    elif loading.due_ms > device.now_ms:
        return
    elif not child.reached:
        child.loading = loading._replace(due_ms=device.now_ms + _step_ms(device))
    elif loading.percent < 100:
        child.loading = _load(device, number, loading)
    else:
        _install(device, number, loading)


def _load(device: "Device", number: int, loading: Loading) -> Loading:
    percent, node_id = loading.percent + update.PERCENT_STEP, cid(device.identity.uuid, number)
    told = mqtt_payload.encode_upgrade_progress(percent, device.now_s, cid=node_id)
    uplink.tell(device, told)
    pause_ms = _step_ms(device) if percent < 100 else device.profile.timings.install_ms
    return loading._replace(percent=percent, due_ms=device.now_ms + pause_ms)


def _install(device: "Device", number: int, loading: Loading) -> None:
    device.flash.install_behind(number, loading.version)
    device.mark_flash()
    child = _child(device, number)
    child.loading, child.version_asked = None, False
    if loading.outdated:
        ask(device, number, update.MAIN_CHANNEL)


# --- which one runs -----------------------------------------------------------------------------


def is_news(device: "Device", number: int) -> bool:
    """Say whether the cloud is yet to be told, in this session, what was installed."""
    child, installed = _child(device, number), (device.flash.child_software or {}).get(number)
    bound = device.flash.kept(number).tie is Tie.BOUND
    return bound and not child.version_asked and installed not in (None, child.version_told)


def report(device: "Device", number: int, then: uplink.Answered) -> bool:
    """Tell the cloud what runs; `then` hears of the answer. Returns whether the call is made."""
    runs = version(device, number)
    told = SubUpdate(cid=cid(device.identity.uuid, number), soft_ver=runs, t=device.now_s)
    return uplink.ask(device, SUB_UPDATE, told, partial(_reported, number, runs, then))


def _reported(
    number: int, runs: str, then: uplink.Answered, device: "Device", inner: Inner | None
) -> None:
    if inner is not None:  # else it is told again in the next session
        _child(device, number).version_told = runs
    then(device, inner)


def _child(device: "Device", number: int) -> "ChildState":
    assert device.children is not None  # whose sub-device it is
    return device.children.each[number]
