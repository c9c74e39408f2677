"""The JSON of a push message before encryption, in each family that a project may subscribe to.

"Message Types" (developer.tuya.com): an older event (protocol 20) holds device, product, bizCode
and bizData, an older report (protocol 4) has no bizCode; IoT Core messages hold bizCode and
bizData only. `ts` is when the message was raised, in milliseconds.
"""

from typing import NamedTuple

import msgspec

from firmware_sim.wire.structs import encode_json
from fleet.cloud.messages import PushRaised

LEGACY = "legacy"
IOT_CORE = "iot_core"
BOTH = "both"


class Told(NamedTuple):
    """One message: its protocol number and its JSON."""

    protocol: int
    text: str


class _Event(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    biz_code: str
    biz_data: msgspec.Raw
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
    event = _Event(
        raised.biz_code, msgspec.Raw(raised.data), raised.dev_id, raised.product_id, now_ms
    )
    return Told(raised.protocol, encode_json(event).decode())
