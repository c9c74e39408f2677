"""Homes: making, changing and removing them, their members, their devices.

"Home Management" (developer.tuya.com); codes of refusals from the legacy Java SDK (tuya/tuya-
cloud-sdk-java, ErrorCode.java). A project acts for the owners of homes who are users of its apps; a
token of a user acts as that user, with what the role in the home allows. That an administrator adds
plain members only and does not remove the home is published ("Home Member Management"); that the
home's devices are then unbound is ours.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from fleet.cloud import push, rights
from fleet.cloud.api.shapes import Id, Name
from fleet.cloud.devices import Device, ResetKind
from fleet.cloud.homes import Home, Member, Place, Role, Room
from fleet.cloud.open import device_acts, device_view
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.device_view import SmartHomeDevice
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.open.users import app_of, known_user, user_of
from fleet.cloud.rights import Action
from fleet.cloud.users import User

# Old clients send degrees as text.
Number = Annotated[float, Meta(ge=-180, le=180)]
Degrees = Number | Annotated[str, Meta(max_length=32)]


# --- what is asked ------------------------------------------------------------------------------


class PlaceForm(msgspec.Struct, frozen=True):
    """What a home is called and where it is; what is left out of a change stays."""

    name: Annotated[str, Meta(max_length=64)] = ""
    geo_name: Annotated[str, Meta(max_length=255)] | None = None
    lon: Degrees | None = None
    lat: Degrees | None = None


class HomeForm(msgspec.Struct, frozen=True):
    """A new home of a user, and the names of its rooms."""

    uid: Id
    home: PlaceForm
    rooms: list[Name] = []


class NewMember(msgspec.Struct, frozen=True):
    """A user who is to live in a home."""

    country_code: str
    member_account: Name
    admin: bool
    name: Name


class MemberForm(msgspec.Struct, frozen=True):
    """The same with the app whose user it is."""

    app_schema: Name
    member: NewMember


class RoleForm(msgspec.Struct, frozen=True):
    """Whether a member is an administrator."""

    admin: bool


# --- what is answered ---------------------------------------------------------------------------


class HomeView(msgspec.Struct, frozen=True):
    """A home; degrees."""

    home_id: int
    name: str
    geo_name: str
    lon: float
    lat: float


class MemberView(msgspec.Struct, frozen=True):
    """Somebody who lives in a home; the owner is an administrator, too."""

    uid: str
    name: str
    member_account: str
    country_code: str
    admin: bool
    owner: bool
    avatar: str


# --- homes --------------------------------------------------------------------------------------


def make_home(call: OpenCall) -> int:
    """Make a home of a user."""
    form = call.body_as(HomeForm)
    place = _place(form.home, Place(""))
    owner = known_user(call, form.uid)
    home = call.state.homes.make(owner.uid, place, call.now_ms, form.rooms)
    _tell_home(call, "homeCreate", home)
    for room in home.rooms:
        tell_room(call, "roomCreate", home, room)
    return int(home.home_id)


def see_homes(call: OpenCall) -> list[HomeView]:
    """Show the homes in which a user lives."""
    return [view_of(home) for home in call.state.homes.of_user(user_of(call).uid)]


def see_home(call: OpenCall) -> HomeView:
    """Show a home."""
    return view_of(home_of(call, Action.SEE_HOME))


def change_home(call: OpenCall) -> bool:
    """Give a home another name or place."""
    form = call.body_as(PlaceForm)
    home = home_of(call, Action.EDIT_HOME)
    before = Place(home.name, home.geo_name, home.lon, home.lat)
    after = call.state.homes.change(home, _place(form, before))
    _tell_home(call, "homeUpdate", after)
    return True


def remove_home(call: OpenCall) -> bool:
    """Remove a home; its devices are unbound. OpenRefused: 1106 unless the caller may do that."""
    home = home_of(call, Action.DELETE_HOME)
    kind = ResetKind(call.state.settings.open_delete_reset_kind)
    account = call.caller.project.owner
    devices = [rights.check(call, Action.DELETE, device) for device in _all_in(call, home)]
    device_acts.delete_all(call.state, call.link, account, devices, kind, call.now_ms)
    call.state.homes.remove(home)
    _tell_home(call, "homeDelete", home)
    return True


def see_devices(call: OpenCall) -> list[SmartHomeDevice]:
    """Show the devices in a home."""
    return shown(call, devices_in(call, home_of(call, Action.SEE_HOME)))


# --- members ------------------------------------------------------------------------------------


def see_members(call: OpenCall) -> list[MemberView]:
    """Show who lives in a home, the owner first."""
    home = home_of(call, Action.SEE_HOME)
    users = call.state.users
    found = [(uid, user) for uid in home.uids if (user := users.get(uid)) is not None]
    return [_member_view(home, uid, user) for uid, user in found]


def add_member(call: OpenCall) -> bool:
    """Let a user of an app live in a home."""
    form = call.body_as(MemberForm)
    action = Action.ADD_ADMIN if form.member.admin else Action.ADD_MEMBER
    home = home_of(call, action, Code.MEMBER_NOT_ADMIN)
    user = call.state.users.find(app_of(call, form.app_schema), form.member.member_account)
    if user is None:
        raise OpenRefused(Code.MEMBER_NOT_REGISTERED)
    if user.country_code not in ("", form.member.country_code):
        raise OpenRefused(Code.USER_IN_OTHER_COUNTRY)
    if home.role(user.uid):
        raise OpenRefused(Code.MEMBER_IN_FAMILY)
    role = _role(admin=form.member.admin)
    call.state.homes.put_member(home, Member(user.uid, role, form.member.name))
    return True


def change_member(call: OpenCall) -> bool:
    """Make a member an administrator or a plain one; only the owner can."""
    role = _role(admin=call.body_as(RoleForm).admin)
    home = home_of(call, Action.ADD_ADMIN, Code.MEMBER_NOT_ADMIN)
    member = _member(call, home)
    call.state.homes.put_member(home, Member(member.uid, role, member.name))
    return True


def remove_member(call: OpenCall) -> bool:
    """Let a member leave; others than themselves go by whoever could add them."""
    home = home_of(call, Action.SEE_HOME)
    member = _member(call, home)
    if member.uid != call.caller.uid:
        action = Action.ADD_ADMIN if member.role == Role.ADMIN else Action.ADD_MEMBER
        home_of(call, action, Code.MEMBER_NOT_ADMIN)
    call.state.homes.drop_member(home, member.uid)
    return True


# --- what a call is about -----------------------------------------------------------------------


def home_of(call: OpenCall, action: Action, otherwise: Code = Code.PERMISSION_DENY) -> Home:
    """Return the home that the path names.

    OpenRefused: 2501 for one that does not exist, `otherwise` when the caller's user lives there but
    may not do `action`, 1106 when it is none of the caller's business.
    """
    home_id = call.path["home_id"]
    if call.state.homes.get(home_id) is None:
        raise OpenRefused(Code.HOME_NOT_EXIST)
    try:
        return rights.check_home(call, action, home_id)
    except OpenRefused:
        lives_there = call.state.homes.role(call.caller.uid, home_id)
        raise OpenRefused(otherwise if lives_there else Code.PERMISSION_DENY) from None


def devices_in(call: OpenCall, home: Home) -> list[Device]:
    """Return the devices in a home that the caller may see, of the owner's first."""
    return [
        device
        for device in _all_in(call, home)
        if rights.decide(call.state, call.caller, Action.SEE, device).allowed
    ]


def _all_in(call: OpenCall, home: Home) -> Iterator[Device]:
    """Go through the devices in a home, of the owner's first."""
    for uid in home.uids:
        for device in call.state.devices.owned_by(uid):
            if call.state.homes.of_device(device) == home:
                yield device


def _member(call: OpenCall, home: Home) -> Member:
    """Return the member that the path names. OpenRefused: 2505 for the owner, 2509 for others."""
    if call.path["uid"] == home.owner:
        raise OpenRefused(Code.USER_RELATION_ERROR)
    member = home.member(call.path["uid"])
    if member is None:
        raise OpenRefused(Code.MEMBER_NOT_EXIST)
    return member


# --- details ------------------------------------------------------------------------------------


def _role(*, admin: bool) -> str:
    return (Role.ADMIN if admin else Role.MEMBER).value


def _place(form: PlaceForm, before: Place) -> Place:
    """Return where a home is after a form. OpenRefused: 1100 without name, 1109 for no degrees."""
    name = form.name or before.name
    if not name:
        raise OpenRefused(Code.PARAM_EMPTY)
    return Place(
        name,
        before.geo_name if form.geo_name is None else form.geo_name,
        before.lon if form.lon is None else _degrees(form.lon),
        before.lat if form.lat is None else _degrees(form.lat),
    )


def _degrees(given: float | str) -> float:
    try:
        return msgspec.convert(given or 0.0, Number, strict=False)
    except msgspec.ValidationError:
        raise OpenRefused(Code.PARAM_ILLEGAL) from None


def view_of(home: Home) -> HomeView:
    """Return the shape of a home."""
    return HomeView(int(home.home_id), home.name, home.geo_name, home.lon, home.lat)


def _member_view(home: Home, uid: str, user: User) -> MemberView:
    member = home.member(uid)
    return MemberView(
        uid=uid,
        name=member.name if member is not None else user.nick_name or user.name,
        member_account=user.name,
        country_code=user.country_code,
        admin=home.role(uid) != Role.MEMBER,
        owner=uid == home.owner,
        avatar="",
    )


def shown(call: OpenCall, devices: list[Device]) -> list[SmartHomeDevice]:
    """Return the shapes of devices."""
    return [device_view.smart_home(call.state, call.link, device) for device in devices]


def _schema(call: OpenCall, home: Home) -> str:
    owner = call.state.users.get(home.owner)
    return owner.schema if owner is not None else ""


def _tell_home(call: OpenCall, biz_code: str, home: Home) -> None:
    schema = _schema(call, home)
    told = push.home_changed(biz_code, home.home_id, home.name, home.owner, schema, call.now_ms)
    call.state.journal.effects.append(told)


def tell_room(call: OpenCall, biz_code: str, home: Home, room: Room) -> None:
    """Raise a push message on a room."""
    schema = _schema(call, home)
    told = push.room_changed(biz_code, home.home_id, room.name, home.owner, schema, call.now_ms)
    call.state.journal.effects.append(told)


_HOME = "/v1.0/homes/{home_id}"

ROUTES = tuple(
    Route(method, pattern, handler, Family.HOMES)
    for method, pattern, handler in (
        ("POST", "/v1.0/home/create-home", make_home),
        ("GET", "/v1.0/users/{uid}/homes", see_homes),
        ("GET", _HOME, see_home),
        ("PUT", _HOME, change_home),
        ("DELETE", _HOME, remove_home),
        ("GET", f"{_HOME}/devices", see_devices),
        ("GET", f"{_HOME}/members", see_members),
        ("POST", f"{_HOME}/members", add_member),
        ("PUT", f"{_HOME}/members/{{uid}}", change_member),
        ("DELETE", f"{_HOME}/members/{{uid}}", remove_member),
    )
)
