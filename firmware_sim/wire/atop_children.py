"""Calls by which a gateway or a recorder manages its children: names, requests and results.

The names are the vendor's (tuya/tuya-connect-kit-for-mqtt-embedded-c, include/atop_service.h, first
version); so is which facts a bind carries and that its result has schema and schema id (comments in
the vendor's iot_httpc.h; for recorders tuya/tuya-iotos-embeded-multimedia-demo, demo_for_xvr_2.0.x/
demo_src/tuya_xvr_dev_demo.c). How the fields are called is our convention, explained in README.md.
"""

from typing import Annotated

import msgspec

from firmware_sim.wire.atop_messages import (
    CHILDREN_MAX,
    Api,
    Id25,
    Message,
    NodeId,
    NodeIds,
    Octet,
    Text16,
)

SUB_BIND = Api("tuya.device.sub.bind", "4.4")
SUB_UNBIND = Api("tuya.device.sub.unbind", "4.1")
SUB_RESET = Api("tuya.device.sub.reset", "1.0")
SUB_LIST = Api("tuya.device.sub.list", "3.0")
SUB_ONLINE = Api("tuya.device.sub.online", "4.0")
SUB_OFFLINE = Api("tuya.device.sub.offline", "4.0")
SUB_UPDATE = Api("tuya.device.sub.update", "4.0")

CHANNEL_UDDD = 0x2 << 24
"""What the vendor's recorder demo has as `uddd` of each channel."""


class SubBind(Message, frozen=True, kw_only=True):
    """A gateway adds a child: `cid` is its address there, `type` the kind of its radio.

    A recorder binds its channels with `type` 0 or 10 and `uddd` `CHANNEL_UDDD`.
    """

    cid: NodeId
    product_key: Text16
    soft_ver: str
    online: bool = True
    type: Octet = 0
    uddd: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)] = 0
    t: int


class SubBindResult(Message, frozen=True, kw_only=True):
    """What the cloud calls the child; `reset_factory` orders the gateway to wipe its data."""

    dev_id: Id25
    schema_id: Text16
    schema: str
    reset_factory: bool = False


class SubUnbind(Message, frozen=True, kw_only=True):
    """A gateway gives a child up; `SUB_RESET` carries the same, and the child's data go too."""

    cid: NodeId
    t: int


class SubPresence(Message, frozen=True, kw_only=True):
    """A gateway says which children came into reach (`SUB_ONLINE`) or left it (`SUB_OFFLINE`)."""

    cids: NodeIds
    t: int


class SubUpdate(Message, frozen=True, kw_only=True):
    """A gateway reports which firmware a child runs."""

    cid: NodeId
    soft_ver: str
    t: int


class SubEntry(Message, frozen=True, kw_only=True):
    """A child as the cloud knows it."""

    cid: NodeId
    dev_id: Id25
    product_key: Text16


class SubListResult(Message, frozen=True, kw_only=True):
    """Answer to `SUB_LIST`, whose request carries nothing but its time."""

    children: Annotated[tuple[SubEntry, ...], msgspec.Meta(max_length=CHILDREN_MAX)]
