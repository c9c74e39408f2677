"""What an activated device may ask, over HTTP as over MQTT: name of the call -> what to do.

Names and contents: `firmware_sim.wire.atop_calls`. A call of a name that is not in the table
succeeds without result, which keeps firmware running; earlier public emulators found that out
(ct-Open-Source/tuya-convert, tuya-cloudcutter/tuya-cloudcutter). Such names are counted, which the
admin API shows, and each is told to the operator once.
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import atop_old as old
from firmware_sim.wire import atop_upgrade as upgrade
from firmware_sim.wire.atop_children import SUB_BIND
from firmware_sim.wire.structs import decode_json, encode_json
from fleet.cloud import children, upgrading
from fleet.cloud.api import children_calls, dp_reports
from fleet.cloud.devices import MAIN_CHANNEL, Device
from fleet.cloud.history import DeviceEvent
from fleet.cloud.messages import TellOperator
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.removal import confirm, reset_locally
from fleet.cloud.state import State

_CONFIG_VALID_S = 1_800
_PRODUCT_CHANNEL = 9  # the chip that runs the product's part of the firmware
_TOLD_MAX = 256
_NAME_SHOWN_MAX = 64
_PLAIN_NAME = re.compile(r"[0-9A-Za-z._-]{1,64}")

JsonBytes = bytes | msgspec.Raw
Handler = Callable[[State, Device, JsonBytes, int], bytes | None]
"""Carries out a call of a device with the data it carries, at a time in ms; returns its result.

The result is JSON. Whoever changes something in it must know that the result will fit: what is
too long for the device is refused afterwards (`device_room`).
"""


class _Silently(msgspec.Struct, frozen=True, rename="camel"):
    """What of the question for a silent upgrade matters: about which part of the device it is."""

    sub_id: str | None = None


class DeviceCalls:
    """Carries out the calls of activated devices."""

    def __init__(self, state: State) -> None:
        """Work on `state`."""
        self._state = state
        self._unknown: set[str] = set()
        self._too_large: set[tuple[str, str]] = set()

    def answer(
        self, device: Device, api: str, data: JsonBytes, now_ms: int, size_max: int
    ) -> bytes | None:
        """Carry out one call; return the JSON of its result, if it has one.

        Raises PeerError, also for a result of more than `size_max` bytes.
        """
        if device.revoked and api not in _OF_THE_REVOKED:
            raise Refused(Reason.GATEWAY_NOT_EXISTS)
        handler = _CALLS.get(api)
        if handler is None:
            self.note_unknown(api)
            return None
        result = handler(self._state, device, data, now_ms)
        if result is not None and len(result) > size_max and api in _SHORTER:
            result = _SHORTER[api](result)
        if result is not None:
            self.check_room(device, api, len(result), size_max)
        return result

    def check_room(self, device: Device, api: str, size: int, size_max: int) -> None:
        """Raise Refused unless a result of `size` bytes fits; tell the operator, once a product."""
        if size <= size_max:
            return
        case = (api, device.product_id)
        if case not in self._too_large and len(self._too_large) < _TOLD_MAX:
            self._too_large.add(case)
            self._tell(
                f"device call {api}, product {device.product_id}: the result has {size} bytes and "
                f"firmware room for {size_max}; refused"
            )
        raise Refused(Reason.REPLY_TOO_LARGE, f"firmware has room for {size_max} bytes of result")

    def note_unknown(self, api: str) -> None:
        """Count a call that is not served, and tell the operator of it once."""
        name = ascii(api[:_NAME_SHOWN_MAX])
        if name not in self._unknown:
            if len(self._unknown) >= _TOLD_MAX:
                return
            self._unknown.add(name)
            shown = api if _PLAIN_NAME.fullmatch(api) else "with an odd name"
            self._tell(f"device call {shown}: not served here; answered with success, no result")
        self._state.counts[f"unknown_api {name}"] += 1

    def _tell(self, line: str) -> None:
        self._state.journal.effects.append(TellOperator(line))


def handler_of(api: str) -> Handler | None:
    """Return what carries out a call of that name, None if it is not served; to explain a run."""
    return _CALLS.get(api)


def is_of_the_activated(api: str) -> bool:
    """Tell whether a call is one that a device makes with its device id only."""
    return api in _CALLS


# --- whose is it, and what shall it erase -------------------------------------------------------


def _info_sync(state: State, device: Device, _data: JsonBytes, now_ms: int) -> bytes:
    status = messages.SyncStatus(device.pending_reset or messages.SyncStatus.ENABLE)
    confirm(state, device, DeviceEvent.RESET_FETCHED, now_ms)
    return messages.encode(messages.SyncResult(status=status))


def _exist(state: State, device: Device, _data: JsonBytes, now_ms: int) -> bytes:
    confirm(state, device, DeviceEvent.RESET_FETCHED, now_ms)
    return messages.encode(messages.ExistResult(exist=device.bound))


def _reset(state: State, device: Device, _data: JsonBytes, now_ms: int) -> None:
    reset_locally(state, device, now_ms)


# --- firmware -----------------------------------------------------------------------------------


def _versions_update(state: State, device: Device, data: JsonBytes, now_ms: int) -> None:
    versions = messages.parse_versions(messages.decode(data, messages.VersionsUpdate).versions)
    for version in versions:
        channel = version.ota_channel
        device = upgrading.take_version(state, device, channel, version.soft_ver, now_ms)
        if channel == MAIN_CHANNEL:
            device = upgrading.take_generation(state, device, version.protocol_ver)


def _old_update(state: State, device: Device, data: JsonBytes, now_ms: int) -> None:
    told = messages.decode(data, old.Update)
    device = upgrading.take_version(state, device, MAIN_CHANNEL, told.ver_sw, now_ms)
    upgrading.take_generation(state, device, told.pv)


def _old_device_update(state: State, device: Device, data: JsonBytes, now_ms: int) -> None:
    told = messages.decode(data, old.DeviceUpdate)
    if told.dev_id == device.dev_id:
        upgrading.take_version(state, device, _PRODUCT_CHANNEL, told.ver_sw, now_ms)


def _upgrade_get(state: State, device: Device, data: JsonBytes, _now_ms: int) -> bytes | None:
    # Without result there is nothing to load; of `null` the application would read the parts.
    asked = messages.decode(data, upgrade.UpgradeGet)
    device = children.meant(state, device, asked.cid)
    firmware = state.upgrades.ordered(device, asked.type)
    return messages.encode(upgrading.offer_of(firmware)) if firmware is not None else None


def _silent_upgrade(state: State, device: Device, data: JsonBytes, now_ms: int) -> bytes | None:
    # Firmware asks once per boot (src/tuya_iot.c), which is how a restart shows.
    asked = decode_json(_Silently, data)
    state.device_log.add(device.uuid, DeviceEvent.RESTARTED, now_ms)
    firmware = state.upgrades.silent(device) if asked.sub_id is None else None
    return messages.encode(upgrading.offer_of(firmware)) if firmware is not None else None


def _upgrade_status(state: State, device: Device, data: JsonBytes, now_ms: int) -> None:
    told = messages.decode(data, messages.UpgradeStatusUpdate)
    device = children.meant(state, device, told.cid)
    upgrading.take_status(state, device, told.type, told.upgrade_status, now_ms)


def _old_upgrade_status(state: State, device: Device, data: JsonBytes, now_ms: int) -> None:
    told = messages.decode(data, old.UpgradeStatusUpdate)
    upgrading.take_status(state, device, MAIN_CHANNEL, told.upgrade_status, now_ms)


# --- data points --------------------------------------------------------------------------------


def _dp_get(state: State, device: Device, data: JsonBytes, _now_ms: int) -> bytes:
    # An array of JSON texts, one point each (log in the documentation of TuyaOS, "low power DP").
    wanted = messages.decode(data, messages.DpGet).dps
    known = state.data_points.get(device.dev_id)
    texts = [encode_json({name: known[name]}) for name in map(str, wanted) if name in known]
    return encode_json([text.decode() for text in texts])


def _dp_report(state: State, device: Device, data: JsonBytes, now_ms: int) -> None:
    told = messages.decode(data, messages.DpReported)
    reporter = state.devices.by_dev_id(told.dev_id or device.dev_id)
    if reporter is not None and device.dev_id in (reporter.dev_id, reporter.gateway):
        dp_reports.take(state, reporter, told.dps, now_ms)


# --- configuration, timers, diagnosis -----------------------------------------------------------


def _dynamic_config(_state: State, _device: Device, data: JsonBytes, now_ms: int) -> bytes:
    messages.decode(data, messages.DynamicConfigGet)
    config = messages.DynamicConfig(valid_time=_CONFIG_VALID_S, time=now_ms // 1000, config={})
    return messages.encode(config)


def _timer_count(_state: State, device: Device, _data: JsonBytes, now_ms: int) -> bytes:
    count = messages.TimerCountResult(dev_id=device.dev_id, count=0, last_fetch_time=now_ms // 1000)
    return messages.encode(count)


def _timers(_state: State, device: Device, _data: JsonBytes, _now_ms: int) -> bytes:
    return messages.encode(messages.TimerResult(dev_id=device.dev_id, timers=()))


def _restart_reason(state: State, device: Device, data: JsonBytes, now_ms: int) -> None:
    reason = messages.decode(data, messages.DebugLog).data
    if reason is not None:
        state.device_log.add(device.uuid, DeviceEvent.RESTART_REASON, now_ms, str(reason))


def _taken(kind: type[messages.Message]) -> Handler:
    """Return what takes a message of `kind`, and keeps nothing of it."""

    def take(_state: State, _device: Device, data: JsonBytes, _now_ms: int) -> None:
        messages.decode(data, kind)

    return take


_OF_THE_REVOKED = frozenset(
    {
        messages.INFO_SYNC.name,
        messages.DELETE_STATUS_GET.name,
        messages.EXIST.name,
        old.EXIST.name,
    }
)
"""What a device may still ask that lost its owner, with the key it had."""

_CALLS: Mapping[str, Handler] = {
    messages.INFO_SYNC.name: _info_sync,
    messages.DELETE_STATUS_GET.name: _info_sync,
    messages.EXIST.name: _exist,
    old.EXIST.name: _exist,
    messages.RESET.name: _reset,
    old.RESET.name: _reset,
    messages.VERSIONS_UPDATE.name: _versions_update,
    old.UPDATE.name: _old_update,
    old.DEVICE_UPDATE.name: _old_device_update,
    upgrade.UPGRADE_GET.name: _upgrade_get,
    messages.UPGRADE_SILENT_GET.name: _silent_upgrade,
    messages.UPGRADE_STATUS_UPDATE.name: _upgrade_status,
    old.UPGRADE_STATUS.name: _old_upgrade_status,
    messages.DP_GET.name: _dp_get,
    messages.DP_REPORT.name: _dp_report,
    messages.DYNAMIC_CONFIG_GET.name: _dynamic_config,
    messages.DYNAMIC_CONFIG_ACK.name: _taken(messages.DynamicConfigAck),
    messages.TIMER_COUNT.name: _timer_count,
    old.TIMER_COUNT.name: _timer_count,
    messages.TIMER_GET.name: _timers,
    messages.TIME_GET.name: _taken(messages.StampRequest),
    messages.DEBUG_LOG.name: _restart_reason,
    messages.META_SAVE.name: _taken(messages.MetaSave),
    messages.NODE_ENABLE.name: _taken(messages.StampRequest),
    messages.NODE_DISABLE.name: _taken(messages.StampRequest),
    **children_calls.CALLS,
}

_SHORTER: Mapping[str, Callable[[bytes], bytes]] = {
    SUB_BIND.name: children_calls.without_schema,
}
"""What can be left out of a result that has no room."""
