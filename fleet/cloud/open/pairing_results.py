"""What came of a pairing token, in the five shapes that the vendor has grown.

Sources: tuya/tuya-cloud-sdk-go (api/device_dn/get_device_token.go, api/pairing/get_pairing_devices.
go), tuya/tuya-connector-nodejs (`src/service/device/registration.ts`), "Query Pairing Result"
(developer.tuya.com). Codes of failures are not published but for an example (2001); ours are the
reasons that the console shows.
"""

from typing import TypeVar

import msgspec

from fleet.cloud import rights
from fleet.cloud.api.envelope import MESSAGES
from fleet.cloud.devices import Device
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import OpenCall
from fleet.cloud.reasons import Reason

ThingT = TypeVar("ThingT", "PairedThing", "PairedCoreThing")
FailedT = TypeVar("FailedT", "FailedThing", "FailedCoreThing")


class Paired(msgspec.Struct, frozen=True):
    """A device that was bound, in short."""

    device_id: str
    product_id: str
    category: str
    name: str


class Failed(msgspec.Struct, frozen=True):
    """A device that was not, in short."""

    device_id: str
    name: str
    code: str
    msg: str


class PairedThing(msgspec.Struct, frozen=True):
    """A device that was bound."""

    id: str
    name: str
    product_id: str
    lon: str
    lat: str
    ip: str
    online: bool
    uuid: str


class FailedThing(msgspec.Struct, frozen=True):
    """A device that was not."""

    id: str
    name: str
    error_code: str
    error_msg: str


class PairedCoreThing(msgspec.Struct, frozen=True, rename="camel"):
    """A device that was bound, in camel case."""

    id: str
    name: str
    product_id: str
    lon: str
    lat: str
    ip: str
    online: bool
    uuid: str


class FailedCoreThing(msgspec.Struct, frozen=True, rename="camel"):
    """A device that was not, in camel case."""

    id: str
    name: str
    error_code: str
    error_msg: str


class ParingResult(msgspec.Struct, frozen=True):
    """What came of a token."""

    success: list[Paired]
    failed: list[Failed]


class OldRegistrationResult(msgspec.Struct, frozen=True):
    """The same in version 1.0 of the industry family."""

    success_devices: list[Paired]
    error_devices: list[Failed]


class RegistrationResult(msgspec.Struct, frozen=True):
    """The same in version 1.1 of the industry family."""

    success_devices: list[PairedThing]
    error_devices: list[FailedThing]


class CoreResult(msgspec.Struct, frozen=True, rename="camel"):
    """The same in version 2.0, and in the oldest of the calls."""

    success_devices: list[PairedCoreThing]
    error_devices: list[FailedCoreThing]


# --- the calls ----------------------------------------------------------------------------------


def see_result(call: OpenCall) -> CoreResult:
    """Show what came of a token."""
    devices, failed = _outcome(call)
    return CoreResult(
        [_thing(call, device, PairedCoreThing) for device in devices],
        [_failed_thing(one, FailedCoreThing) for one in failed],
    )


def see_registration_result(call: OpenCall) -> RegistrationResult:
    """Show the same for the industry family."""
    devices, failed = _outcome(call)
    return RegistrationResult(
        [_thing(call, device, PairedThing) for device in devices],
        [_failed_thing(one, FailedThing) for one in failed],
    )


def see_paring_result(call: OpenCall) -> ParingResult:
    """Show the same in short."""
    devices, failed = _outcome(call)
    return ParingResult([_paired(call, device) for device in devices], failed)


def see_old_registration_result(call: OpenCall) -> OldRegistrationResult:
    """Show the same in short, for the industry family."""
    devices, failed = _outcome(call)
    return OldRegistrationResult([_paired(call, device) for device in devices], failed)


def _outcome(call: OpenCall) -> tuple[list[Device], list[Failed]]:
    """Return the devices that a token bound (one at most) and those that it could not.

    OpenRefused: 1109 for a token that is unknown, forgotten or of another data centre, 1106 for
    one of a consumer who is not the caller's business.
    """
    state = call.state
    token = state.tokens.pair_token(call.path["token"])
    if token is None or (token.site.region or state.settings.region) != call.caller.region:
        raise OpenRefused(Code.PARAM_ILLEGAL)
    if token.uid != call.caller.project.uid:
        rights.check_user(call, token.uid)
    bound = state.devices.get(token.spent_by)
    failed = [_failed(call, one.uuid, Reason(one.reason)) for one in token.failed]
    return ([bound] if bound is not None else []), failed


def _paired(call: OpenCall, device: Device) -> Paired:
    product = call.state.products.get(device.product_id)
    category = product.category if product is not None else ""
    return Paired(device.dev_id, device.product_id, category, device.name)


def _failed(call: OpenCall, uuid: str, reason: Reason) -> Failed:
    device = call.state.devices.get(uuid)
    dev_id, name = (device.dev_id, device.name) if device is not None else ("", "")
    return Failed(dev_id, name, reason.value, MESSAGES[reason])


def _thing(call: OpenCall, device: Device, shape: type[ThingT]) -> ThingT:
    return shape(
        id=device.dev_id,
        name=device.name,
        product_id=device.product_id,
        lon=device.lon,
        lat=device.lat,
        ip=device.ip,
        online=call.link.online(device),
        uuid=device.uuid,
    )


def _failed_thing(failed: Failed, shape: type[FailedT]) -> FailedT:
    return shape(failed.device_id, failed.name, failed.code, failed.msg)
