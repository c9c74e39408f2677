"""What the Open API does to a device, the same for all families of calls.

Plain functions: whether the caller may has been decided. All refusals are `OpenRefused`.
"""

from collections.abc import Iterable

from firmware_sim.wire.datapoint import Value, encode_dps
from firmware_sim.wire.structs import encode_json
from fleet.cloud import children, push
from fleet.cloud.api.device_link import DeviceLink
from fleet.cloud.desired import Desired
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.open import standard
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.standard import Command
from fleet.cloud.removal import delete
from fleet.cloud.state import State

_NAME_SIZE = len('"255":,')


def rename(state: State, device: Device, name: str, now_ms: int) -> None:
    """Give the device another name."""
    state.journal.effects.append(push.renamed(state.devices.rename(device, name, now_ms)))


def name_points(state: State, device: Device, names: dict[str, str], now_ms: int) -> None:
    """Name data points by code; an empty name takes one away. Refused (2003) for unknown codes."""
    points = standard.set_of(state.products.get(device.product_id))
    if not names.keys() <= points.keys():
        raise OpenRefused(Code.FUNCTION_UNSUPPORTED)
    state.devices.name_points(device, names, now_ms)
    for code, name in names.items():
        told = push.dp_renamed(device, points[code].point.id, name)
        state.journal.effects.append(told)


def command(
    state: State, link: DeviceLink, device: Device, commands: Iterable[Command], now_ms: int
) -> None:
    """Send the device values. It reports what it makes of them; nobody waits for that.

    Refused: 2003 for a code that cannot be set, 2008 for a value that it does not take, 2027 for
    values that are too long together, 1103 when it or its gateway is frozen, 2001 when it is not
    there to hear it.
    """
    values = _values(state, device, commands)
    if not link.command(device, values, now_ms):
        raise OpenRefused(Code.DEVICE_OFFLINE)


def desire(
    state: State,
    link: DeviceLink,
    device: Device,
    commands: Iterable[Command],
    life_s: int,
    now_ms: int,
) -> None:
    """Wish for values, which are sent now or when the device comes online within `life_s`.

    Refused as `command`, but not when the device is offline; 1101 for a longer life than allowed,
    2027 when all that it has to be told of would be too long together.
    """
    values = _values(state, device, commands)
    if not 0 < life_s <= state.settings.open_desired_life_s_max:
        raise OpenRefused(Code.PARAM_RANGE)
    waiting = state.data_points.desired.of(device.dev_id, now_ms)
    rest = [one.value.encode() for one in waiting if one.dp_id not in values]
    rest_size = sum(len(value) + _NAME_SIZE for value in rest)
    _check_size(state, len(encode_dps(values)) + rest_size)
    for dp_id, value in values.items():
        json, expires_ms = encode_json(value).decode(), now_ms + life_s * 1000
        state.data_points.desired.put(Desired(device.dev_id, dp_id, json, now_ms, expires_ms))
    link.send_desired(device, now_ms)


def delete_all(
    state: State,
    link: DeviceLink,
    account: str,
    devices: Iterable[Device],
    kind: ResetKind,
    now_ms: int,
) -> None:
    """Take devices away from their owners, in the name of a developer's account.

    Those that are online are told to reset themselves, the others when they ask. Sub-devices come
    first, else they would only be kept for the return of their gateways.
    """
    for device in sorted(devices, key=lambda one: one.gateway == ""):
        reachable = link.reachable(device)
        removed = delete(state, account, device, kind, now_ms, reachable=reachable)
        if reachable:
            link.tell_reset(removed, now_ms)


def freeze(state: State, device: Device, now_ms: int, *, frozen: bool) -> None:
    """Let the device take no commands any more, or take them again."""
    after = state.devices.freeze(device, now_ms, frozen=frozen)
    if device.frozen != frozen:
        state.journal.effects.append(push.frozen(after, frozen=frozen))


def transfer(state: State, device: Device, space_id: str, now_ms: int) -> None:
    """Put the device into a space of a project ("": into none), and what is behind it."""
    for one in (device, *children.all_bound(state, device)):
        moved = state.devices.move(one, now_ms, space=space_id)
        state.journal.effects.append(push.transferred(moved))


def _values(state: State, device: Device, commands: Iterable[Command]) -> dict[int, Value]:
    values = standard.to_points(state.products.get(device.product_id), commands)
    _check_size(state, len(encode_dps(values)))
    if children.is_frozen(state, device) and not state.settings.open_frozen_commands:
        raise OpenRefused(Code.COMMANDS_ISSUE_ERROR)
    return values


def _check_size(state: State, size: int) -> None:
    if size > state.settings.dp_values_size_max:
        raise OpenRefused(Code.SIZE_TOO_LARGE)
