"""The JSON of a push message before encryption, in each family that a project may subscribe to.

"Message Types" (developer.tuya.com): an older event holds device, product, bizCode and bizData, an
older report (protocol 4) has no bizCode; IoT Core messages hold bizCode and bizData only. `ts` is
when the message was raised, in milliseconds. What a device was commanded stands beside the bizCode:
tuya/tuya-connector, `DeviceDpCommandMessage`, looks for it there.
"""

from typing import NamedTuple

import msgspec

from firmware_sim.wire.structs import encode_json
from fleet.cloud.messages import PushRaised

LEGACY = "legacy"
IOT_CORE = "iot_core"
BOTH = "both"

_BESIDE = frozenset({"deviceDpCommand"})
"""Events whose fields are not in a bizData of their own."""


class Told(NamedTuple):
    """One message: its protocol number and its JSON."""

    protocol: int
    text: str


class _Event(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    biz_code: str
    biz_data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    dev_id: str = ""
    product_key: str = ""
    ts: int = 0


def told(raised: PushRaised, families: str, now_ms: int) -> list[Told]:
    """Return the messages that tell of a happening: at most one of each family wanted.

    `families` is `LEGACY`, `IOT_CORE` or `BOTH`.
    """
    messages: list[Told] = []
    if families != IOT_CORE and raised.data:
        messages.append(_legacy(raised, now_ms))
    if families != LEGACY and raised.core is not None:
        core = raised.core
        event = _Event(core.biz_code, msgspec.Raw(core.data), ts=now_ms)
        messages.append(Told(core.protocol, encode_json(event).decode()))
    return messages


def _legacy(raised: PushRaised, now_ms: int) -> Told:
    if not raised.biz_code:
        return Told(raised.protocol, raised.data.decode())
    beside = raised.biz_code in _BESIDE
    data = msgspec.UNSET if beside else msgspec.Raw(raised.data)
    event = encode_json(_Event(raised.biz_code, data, raised.dev_id, raised.product_id, now_ms))
    if beside:
        event = event.removesuffix(b"}") + b"," + raised.data.removeprefix(b"{")
    return Told(raised.protocol, event.decode())
