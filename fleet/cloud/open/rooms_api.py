"""Rooms of homes, and which devices are in which.

"Add Room", "Query Room List", "Add Device to Room" and their like (developer.tuya.com).
"""

import msgspec

from fleet.cloud.api.shapes import Id, Name
from fleet.cloud.homes import Home, Room
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.device_view import SmartHomeDevice
from fleet.cloud.open.homes_api import devices_in, home_of, shown, tell_room, view_of
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.rights import Action


class RoomForm(msgspec.Struct, frozen=True):
    """The name of a room."""

    name: Name


class DevicesForm(msgspec.Struct, frozen=True):
    """Devices of a home."""

    device_ids: list[Id]


class RoomView(msgspec.Struct, frozen=True):
    """A room."""

    room_id: int
    name: str


class RoomsView(msgspec.Struct, frozen=True):
    """A home with its rooms."""

    home_id: int
    name: str
    geo_name: str
    lon: float
    lat: float
    rooms: list[RoomView]


# --- handlers --------------------------------------------------------------------------------------


def see_rooms(call: OpenCall) -> RoomsView:
    """Show the rooms of a home."""
    home = home_of(call, Action.SEE_HOME)
    rooms = [RoomView(int(room.room_id), room.name) for room in home.rooms]
    return RoomsView(**msgspec.structs.asdict(view_of(home)), rooms=rooms)


def add_room(call: OpenCall) -> int:
    """Add a room."""
    name = call.body_as(RoomForm).name
    after = call.state.homes.add_room(home_of(call, Action.EDIT_HOME), name)
    tell_room(call, "roomCreate", after, after.rooms[-1])
    return int(after.rooms[-1].room_id)


def rename_room(call: OpenCall) -> bool:
    """Give a room another name."""
    name = call.body_as(RoomForm).name
    home, room = _home_and_room(call, Action.EDIT_HOME)
    room = msgspec.structs.replace(room, name=name)
    call.state.homes.put_room(home, room)
    tell_room(call, "roomNameUpdate", home, room)
    return True


def remove_room(call: OpenCall) -> bool:
    """Remove a room; its devices stay in the home."""
    home, room = _home_and_room(call, Action.EDIT_HOME)
    call.state.homes.drop_room(home, room.room_id)
    tell_room(call, "roomDelete", home, room)
    return True


def see_room_devices(call: OpenCall) -> list[SmartHomeDevice]:
    """Show the devices in a room."""
    home, room = _home_and_room(call, Action.SEE_HOME)
    return shown(call, [one for one in devices_in(call, home) if one.dev_id in room.devices])


def add_room_devices(call: OpenCall) -> bool:
    """Put more devices of the home into a room."""
    home, room, added = _listed(call)
    return _fill(call, home, room, tuple(dict.fromkeys((*room.devices, *added))))


def set_room_devices(call: OpenCall) -> bool:
    """Let exactly these devices of the home be in a room."""
    home, room, wanted = _listed(call)
    return _fill(call, home, room, tuple(wanted))


def remove_room_devices(call: OpenCall) -> bool:
    """Take devices out of a room."""
    home, room, gone = _listed(call)
    return _fill(call, home, room, tuple(one for one in room.devices if one not in gone))


# --- details --------------------------------------------------------------------------------------


def _home_and_room(call: OpenCall, action: Action) -> tuple[Home, Room]:
    home = home_of(call, action)
    room = home.room(call.path["room_id"])
    if room is None:
        raise OpenRefused(Code.ROOM_NOT_EXIST)
    return home, room


def _listed(call: OpenCall) -> tuple[Home, Room, list[str]]:
    """Return home and room of the path and the device ids of the body.

    OpenRefused: 1106 for a device that is not in the home.
    """
    given = list(dict.fromkeys(call.body_as(DevicesForm).device_ids))
    home, room = _home_and_room(call, Action.EDIT_HOME)
    known = {device.dev_id for device in devices_in(call, home)}
    if not known.issuperset(given):
        raise OpenRefused(Code.PERMISSION_DENY)
    return home, room, given


def _fill(call: OpenCall, home: Home, room: Room, dev_ids: tuple[str, ...]) -> bool:
    call.state.homes.put_room(home, msgspec.structs.replace(room, devices=dev_ids))
    return True


_HOME = "/v1.0/homes/{home_id}"
_ROOM = f"{_HOME}/rooms/{{room_id}}"

ROUTES = tuple(
    Route(method, pattern, handler, Family.HOMES)
    for method, pattern, handler in (
        ("GET", f"{_HOME}/rooms", see_rooms),
        ("POST", f"{_HOME}/room", add_room),
        ("PUT", _ROOM, rename_room),
        ("DELETE", _ROOM, remove_room),
        ("GET", f"{_ROOM}/devices", see_room_devices),
        ("POST", f"{_ROOM}/devices", add_room_devices),
        ("PUT", f"{_ROOM}/devices", set_room_devices),
        ("DELETE", f"{_ROOM}/devices", remove_room_devices),
    )
)
