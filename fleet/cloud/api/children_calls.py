"""What a gateway or a recorder calls about its sub-devices: name of the call -> what to do.

Names and contents: `firmware_sim.wire.atop_children`. The oldest firmware's calls of this kind name
no product, in any form that is public, so they are left to the answer for unknown calls.
"""

from collections.abc import Callable, Mapping

import msgspec

from firmware_sim.wire import atop_children as wire
from firmware_sim.wire import atop_messages as messages
from fleet.cloud import children, upgrading
from fleet.cloud.devices import MAIN_CHANNEL, Device, ResetKind
from fleet.cloud.removal import give_up
from fleet.cloud.state import State

JsonBytes = bytes | msgspec.Raw


def _bind(state: State, gateway: Device, data: JsonBytes, now_ms: int) -> bytes:
    told = messages.decode(data, wire.SubBind)
    asked = children.Asked(told.cid, told.product_key, told.soft_ver, told.online)
    child = children.bind(state, gateway, asked, now_ms)
    product = state.products.get(child.product_id)
    assert product is not None, "binding checks the product"
    return messages.encode(
        wire.SubBindResult(
            dev_id=child.dev_id,
            schema_id=product.schema_id,
            schema=product.schema,
            reset_factory=child.wipe,
        )
    )


def without_schema(result: bytes) -> bytes:
    """Return the result of a binding without the schema, for firmware that has no room for it."""
    whole = messages.decode(result, wire.SubBindResult)
    return messages.encode(
        wire.SubBindResult(
            dev_id=whole.dev_id,
            schema_id=whole.schema_id,
            schema="",
            reset_factory=whole.reset_factory,
        )
    )


def _unbind(state: State, gateway: Device, data: JsonBytes, now_ms: int) -> None:
    cid = messages.decode(data, wire.SubUnbind).cid
    give_up(state, gateway, cid, ResetKind.RESET, now_ms)


def _reset(state: State, gateway: Device, data: JsonBytes, now_ms: int) -> None:
    cid = messages.decode(data, wire.SubUnbind).cid
    give_up(state, gateway, cid, ResetKind.RESET_FACTORY, now_ms)


def _list(state: State, gateway: Device, _data: JsonBytes, _now_ms: int) -> bytes:
    entries = (
        wire.SubEntry(cid=child.node_id, dev_id=child.dev_id, product_key=child.product_id)
        for child in children.all_bound(state, gateway)
    )
    return messages.encode(wire.SubListResult(children=tuple(entries)))


def _online(state: State, gateway: Device, data: JsonBytes, now_ms: int) -> None:
    cids = messages.decode(data, wire.SubPresence).cids
    children.take_presence(state, gateway, cids, now_ms, online=True)


def _offline(state: State, gateway: Device, data: JsonBytes, now_ms: int) -> None:
    cids = messages.decode(data, wire.SubPresence).cids
    children.take_presence(state, gateway, cids, now_ms, online=False)


def _update(state: State, gateway: Device, data: JsonBytes, now_ms: int) -> None:
    told = messages.decode(data, wire.SubUpdate)
    child = children.bound(state, gateway, told.cid)
    upgrading.take_version(state, child, MAIN_CHANNEL, told.soft_ver, now_ms)


CALLS: Mapping[str, Callable[[State, Device, JsonBytes, int], bytes | None]] = {
    wire.SUB_BIND.name: _bind,
    wire.SUB_UNBIND.name: _unbind,
    wire.SUB_RESET.name: _reset,
    wire.SUB_LIST.name: _list,
    wire.SUB_ONLINE.name: _online,
    wire.SUB_OFFLINE.name: _offline,
    wire.SUB_UPDATE.name: _update,
}
