"""The table of all calls: what each carries, which key signs it, how long its answer may be.

Sizes are the buffers of tuya/tuya-connect-kit-for-mqtt-embedded-c (src/atop_base.c, src/tuya_iot.c,
src/atop_service.c): an answer that does not fit, head included, fails the call although the cloud
has carried it out. A call without classes is known by its name only.
"""

from typing import NamedTuple

from firmware_sim.wire import atop_children as children
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import atop_old as old
from firmware_sim.wire import atop_upgrade as upgrade
from firmware_sim.wire.atop_messages import Api, Message, StampRequest

REPLY_SIZE_MAX = 1024
ACTIVATION_REPLY_SIZE_MAX = 8192
UPGRADE_REPLY_SIZE_MAX = 2048


class Call(NamedTuple):
    """One call; sizes in bytes of the HTTP answer as a whole.

    `by_uuid` calls are signed with the authKey, by a device that is not activated; all others with
    the secKey.
    """

    api: Api
    request: type[Message] | None = None
    result: type[Message] | None = None
    by_uuid: bool = False
    reply_size_max: int = REPLY_SIZE_MAX


def _activation(api: Api, result: type[Message] = messages.ActivationResult) -> Call:
    return Call(
        api,
        messages.ActivationRequest,
        result,
        by_uuid=True,
        reply_size_max=ACTIVATION_REPLY_SIZE_MAX,
    )


def _named(name: str, version: str) -> Call:
    return Call(Api(name, version))


_CALLS = (
    _activation(messages.ACTIVE),
    _activation(messages.OPENSDK_ACTIVE),
    Call(messages.CONFIG_GET, messages.ConfigGet, messages.ConfigResult, by_uuid=True),
    Call(messages.RESET, StampRequest),
    Call(messages.INFO_SYNC, StampRequest, messages.SyncResult),
    Call(messages.EXIST, StampRequest, messages.ExistResult),
    Call(messages.DELETE_STATUS_GET, StampRequest, messages.SyncResult),
    Call(messages.VERSIONS_UPDATE, messages.VersionsUpdate),
    Call(messages.META_SAVE, messages.MetaSave),
    Call(messages.DEBUG_LOG, messages.DebugLog),
    Call(messages.NODE_ENABLE, StampRequest),
    Call(messages.NODE_DISABLE, StampRequest),
    Call(messages.DYNAMIC_CONFIG_GET, messages.DynamicConfigGet, messages.DynamicConfig),
    Call(messages.DYNAMIC_CONFIG_ACK, messages.DynamicConfigAck),
    Call(messages.TIME_GET, StampRequest),
    Call(messages.TIMER_COUNT, messages.TimerCount, messages.TimerCountResult),
    Call(messages.TIMER_GET, messages.TimerGet, messages.TimerResult),
    Call(messages.DP_GET, messages.DpGet),
    Call(messages.DP_REPORT, messages.DpReported),
    # New firmware
    Call(
        messages.UPGRADE_SILENT_GET,
        messages.UpgradeSilentGet,
        upgrade.UpgradeOffer,
        reply_size_max=UPGRADE_REPLY_SIZE_MAX,
    ),
    Call(
        upgrade.UPGRADE_GET,
        upgrade.UpgradeGet,
        upgrade.UpgradeOffer,
        reply_size_max=UPGRADE_REPLY_SIZE_MAX,
    ),
    Call(messages.UPGRADE_STATUS_UPDATE, messages.UpgradeStatusUpdate),
    Call(upgrade.FILE_DOWNLOAD, upgrade.FileDownload),
    # Children
    Call(children.SUB_BIND, children.SubBind, children.SubBindResult),
    Call(children.SUB_UNBIND, children.SubUnbind),
    Call(children.SUB_RESET, children.SubUnbind),
    Call(children.SUB_LIST, StampRequest, children.SubListResult),
    Call(children.SUB_ONLINE, children.SubPresence),
    Call(children.SUB_OFFLINE, children.SubPresence),
    Call(children.SUB_UPDATE, children.SubUpdate),
    # The oldest generation
    Call(old.TOKEN_GET, None, old.TokenResult, by_uuid=True),
    _activation(old.ACTIVE, old.OldActivationResult),
    Call(old.RESET),
    Call(old.EXIST),
    Call(old.UPDATE, old.Update),
    Call(old.DEVICE_UPDATE, old.DeviceUpdate),
    Call(old.UPGRADE_STATUS, old.UpgradeStatusUpdate),
    Call(old.TIMER_COUNT, None, messages.TimerCountResult),
    Call(old.CHILD_BIND, old.ChildBind),
    Call(old.CHILD_UNBIND, old.ChildUnbind),
    Call(old.CHILD_PRESENCE, old.ChildPresence),
    # Known by name only
    _named("tuya.device.register", ""),
    _named("tuya.device.token.create", "1.0"),
    _named("tuya.device.region.config.get", "1.1"),
    _named("tuya.device.uuid.pskkey.get", ""),
    _named("tuya.device.domain.certificate.get", ""),
    _named("tuya.device.sub.detail.get", ""),
    _named("tuya.device.sub.upgrade.get", ""),
    _named("tuya.device.ipc.storage.secret.get", ""),
    _named("tuya.device.storage.config.get", ""),
    _named("tuya.device.common.file.upload.complete", ""),
    _named("tuya.device.skill.update", "1.0"),
    _named("tuya.device.linkage.rule.query", "1.0"),
    _named("tuya.device.custom.config.get", "1.0"),
    _named("tuya.device.location.info.get", ""),
    _named("tuya.device.property.save", ""),
)

CALLS = {call.api.name: call for call in _CALLS}
"""All calls by name."""


def reply_size_max(name: str) -> int:
    """Return how long the HTTP answer to a call may be, head included, in bytes."""
    call = CALLS.get(name)
    return REPLY_SIZE_MAX if call is None else call.reply_size_max
