"""What an activated device may ask, over HTTP as over MQTT: name of the call -> what to do.

Names and contents: tuya/tuya-connect-kit-for-mqtt-embedded-c, src/atop_service.c. A call of a
name that is not in the table succeeds without result, which keeps firmware running; earlier
public emulators found that out (ct-Open-Source/tuya-convert, tuya-cloudcutter/tuya-cloudcutter).
Such names are counted, and the counts are shown by the admin API.
"""

from collections.abc import Callable, Mapping

import msgspec

from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.structs import encode_json
from fleet.cloud import push
from fleet.cloud.devices import Device
from fleet.cloud.history import DeviceEvent
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.removal import confirm, reset_locally
from fleet.cloud.state import State

_CONFIG_VALID_S = 1_800
_MAIN_CHANNEL = 0
_UPGRADED = 3  # the state in which firmware reports an upgrade as finished
_UNKNOWN_NAMES_MAX = 256
_NAME_SHOWN_MAX = 64

JsonBytes = bytes | msgspec.Raw


class DynamicConfig(msgspec.Struct, frozen=True, rename="camel"):
    """Time zone and rate rules, of which we have none; times in seconds."""

    valid_time: int
    time: int
    config: dict[str, str]


class DeviceCalls:
    """Carries out the calls of activated devices."""

    def __init__(self, state: State) -> None:
        """Work on `state`."""
        self._state = state
        self._unknown: set[str] = set()

    def answer(self, device: Device, api: str, data: JsonBytes, now_ms: int) -> bytes | None:
        """Carry out one call; return the JSON of its result, if it has one. Raises PeerError."""
        if device.revoked and api != messages.INFO_SYNC.name:
            raise Refused(Reason.GATEWAY_NOT_EXISTS)
        handler = _CALLS.get(api)
        if handler is not None:
            return handler(self._state, device, data, now_ms)
        self._count_unknown(ascii(api[:_NAME_SHOWN_MAX]))
        return None

    def _count_unknown(self, name: str) -> None:
        if name in self._unknown or len(self._unknown) < _UNKNOWN_NAMES_MAX:
            self._unknown.add(name)
            self._state.counts[f"unknown_api {name}"] += 1


def _info_sync(state: State, device: Device, _data: JsonBytes, now_ms: int) -> bytes:
    status = messages.SyncStatus(device.pending_reset or messages.SyncStatus.ENABLE)
    confirm(state, device, DeviceEvent.RESET_FETCHED, now_ms)
    return messages.encode(messages.SyncResult(status=status))


def _versions_update(state: State, device: Device, data: JsonBytes, now_ms: int) -> None:
    versions = messages.parse_versions(messages.decode(data, messages.VersionsUpdate).versions)
    for version in versions:
        if version.ota_channel == _MAIN_CHANNEL:
            after = state.devices.note_software(device, version.soft_ver)
            if device.software and after.software != device.software:
                detail = f"{device.software} to {after.software}"
                state.device_log.add(device.uuid, DeviceEvent.UPGRADED, now_ms, detail)
                state.journal.effects.append(push.upgraded(after, _MAIN_CHANNEL, _UPGRADED))
            device = after


def _reset(state: State, device: Device, _data: JsonBytes, now_ms: int) -> None:
    reset_locally(state, device, now_ms)


def _upgrade(state: State, device: Device, _data: JsonBytes, now_ms: int) -> bytes:
    # Firmware asks once per boot (src/tuya_iot.c), which is how a restart shows.
    state.device_log.add(device.uuid, DeviceEvent.RESTARTED, now_ms)
    return b"null"


def _upgrade_status(state: State, device: Device, data: JsonBytes, _now_ms: int) -> None:
    told = messages.decode(data, messages.UpgradeStatusUpdate)
    state.journal.effects.append(push.upgraded(device, told.type, told.upgrade_status))


def _dynamic_config(_state: State, _device: Device, _data: JsonBytes, now_ms: int) -> bytes:
    return encode_json(DynamicConfig(_CONFIG_VALID_S, now_ms // 1000, {}))


def _dp_get(state: State, device: Device, data: JsonBytes, _now_ms: int) -> bytes:
    # An array of JSON texts, one point each (log in the documentation of TuyaOS, "low power DP").
    wanted = messages.decode(data, messages.DpGet).dps
    known = state.data_points.get(device.dev_id)
    texts = [encode_json({name: known[name]}) for name in map(str, wanted) if name in known]
    return encode_json([text.decode() for text in texts])


_CALLS: Mapping[str, Callable[[State, Device, JsonBytes, int], bytes | None]] = {
    messages.INFO_SYNC.name: _info_sync,
    messages.VERSIONS_UPDATE.name: _versions_update,
    messages.RESET.name: _reset,
    messages.UPGRADE_SILENT_GET.name: _upgrade,
    messages.UPGRADE_STATUS_UPDATE.name: _upgrade_status,
    messages.DYNAMIC_CONFIG_GET.name: _dynamic_config,
    messages.DP_GET.name: _dp_get,
}
