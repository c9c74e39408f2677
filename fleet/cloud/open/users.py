"""Users of an app: registering, listing, looking at them, deleting them.

"User Management", "Sync User Account", "Get User List", "Get User Information", "Pre-delete the
user account" (developer.tuya.com); tuya/tuya-cloud-sdk-go (api/user), which sends the kind of a
user name as text. Kinds are checked, though nobody publishes how strictly.
"""

import re
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from firmware_sim.wire.structs import Secretive
from fleet.cloud import push, rights
from fleet.cloud.api.shapes import Name, Password
from fleet.cloud.open import asked, device_view
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.device_view import SmartHomeDevice
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.settings import DAY_MS
from fleet.cloud.users import App, Profile, User, UsernameType

WINDOW_DAYS = 30

_COUNTRY = re.compile(r"[0-9]{1,4}")
_PATTERNS = {
    UsernameType.MOBILE: (re.compile(r"[0-9]{1,4}-?[0-9]{3,15}"), Code.PHONE_ILLEGAL),
    UsernameType.EMAIL: (re.compile(r"[^@\s]+@[^@\s]+"), Code.EMAIL_ILLEGAL),
    UsernameType.OTHER: (re.compile(r".*"), Code.PARAM_ILLEGAL),
}

PageNo = Annotated[int, Meta(ge=1)]
PageSize = Annotated[int, Meta(ge=1, le=100)]
Seconds = Annotated[int, Meta(ge=0, le=9_999_999_999)]


# --- what is asked ------------------------------------------------------------------------------


class UserForm(Secretive, frozen=True):
    """A user of an app; the password is the MD5 of the user's."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    country_code: str
    username: Name
    password: Password
    username_type: Literal[1, 2, 3, "1", "2", "3", ""] = 3
    nick_name: Annotated[str, Meta(max_length=64)] = ""
    time_zone_id: Annotated[str, Meta(max_length=64)] = ""


class OldListQuery(msgspec.Struct, frozen=True):
    """Which page of the users of an app."""

    page_no: PageNo = 1
    page_size: PageSize = 20


class ListQuery(msgspec.Struct, frozen=True):
    """Which page of those users who registered in a time (seconds; the last 30 days)."""

    page_no: PageNo
    page_size: PageSize
    username: str = ""
    start_time: Seconds = 0
    end_time: Seconds = 0


# --- what is answered ---------------------------------------------------------------------------


class Uid(msgspec.Struct, frozen=True):
    """A user's id."""

    uid: str


class OldListed(msgspec.Struct, frozen=True, gc=False):
    """A user in a list of version 1.0."""

    uid: str
    username: str


class OldList(msgspec.Struct, frozen=True):
    """A page of users, version 1.0."""

    rows: list[OldListed] = msgspec.field(name="list")
    has_more: bool


class Listed(msgspec.Struct, frozen=True, gc=False):
    """A user in a list of version 2.0; times in seconds."""

    uid: str
    username: str
    country_code: str
    create_time: int
    update_time: int
    mobile: str | msgspec.UnsetType = msgspec.UNSET
    email: str | msgspec.UnsetType = msgspec.UNSET


class UserList(msgspec.Struct, frozen=True):
    """A page of users, version 2.0."""

    rows: list[Listed] = msgspec.field(name="list")
    has_more: bool
    total: int


class UserInfo(msgspec.Struct, frozen=True):
    """All that is known of a user; times in seconds, `temp_unit` 1 is Celsius."""

    uid: str
    username: str
    country_code: str
    mobile: str
    email: str
    nick_name: str
    avatar: str
    create_time: int
    update_time: int
    user_properties: list[str]
    time_zone_id: str
    temp_unit: int


# --- handlers -----------------------------------------------------------------------------------


def sync_user(call: OpenCall) -> Uid:
    """Register a user, or give the one of that name another password, nick name and time zone."""
    form = call.body_as(UserForm)
    app = app_of(call, call.path["schema"])
    known = call.state.users.find(app, form.username)
    user = _register(call, app, form) if known is None else _update(call, known, form)
    return Uid(user.uid)


def see_old_list(call: OpenCall) -> OldList:
    """Show the users of an app."""
    query = call.query_as(OldListQuery)
    app = app_of(call, call.path["schema"])
    uids = call.state.users.registered(app)
    shown, has_more = _page(call, uids, query.page_no, query.page_size)
    return OldList([OldListed(user.uid, user.name) for user in shown], has_more)


def see_list(call: OpenCall) -> UserList:
    """Show the users of an app who registered in a time of at most 30 days."""
    query = call.query_as(ListQuery)
    window = _window(query, call.now_ms)
    app = app_of(call, call.path["schema"])
    uids = call.state.users.registered(app, *window)
    if query.username:
        named = call.state.users.find(app, query.username)
        uids = [named.uid] if named is not None and named.uid in uids else []
    shown, has_more = _page(call, uids, query.page_no, query.page_size)
    return UserList([_listed(user) for user in shown], has_more, len(uids))


def see_user(call: OpenCall) -> UserInfo:
    """Show a user."""
    user = user_of(call)
    return UserInfo(
        uid=user.uid,
        username=user.name,
        country_code=user.country_code,
        mobile=_mobile(user),
        email=_email(user),
        nick_name=user.nick_name,
        avatar="",
        create_time=user.created_ms // 1000,
        update_time=user.updated_ms // 1000,
        user_properties=[],
        time_zone_id=user.time_zone,
        temp_unit=1,
    )


def see_devices(call: OpenCall) -> list[SmartHomeDevice]:
    """Show a user's devices."""
    found = asked.of_user(call, user_of(call).uid)
    return [device_view.smart_home(call.state, call.link, device) for device in found]


def prepare_delete(call: OpenCall) -> bool:
    """Let a user be deleted in some days."""
    call.state.users.prepare_delete(user_of(call), call.now_ms)
    return True


def cancel_delete(call: OpenCall) -> bool:
    """Let the user stay; false when nobody wanted anything else."""
    user = user_of(call)
    call.state.users.cancel_delete(user)
    return user.delete_at_ms != 0


# --- whom a call is about -----------------------------------------------------------------------


def app_of(call: OpenCall, schema: str) -> App:
    """Return an app in the call's data centre.

    OpenRefused: 2017 for an app that does not exist, 1106 for one that is not the caller's.
    """
    if not call.state.projects.of_schema(schema):
        raise OpenRefused(Code.SCHEMA_NOT_EXIST)
    if schema not in call.caller.project.schemas:
        raise OpenRefused(Code.PERMISSION_DENY)
    return App(call.caller.region, schema)


def user_of(call: OpenCall) -> User:
    """Return the user that the path names.

    OpenRefused: 1106 for one who is not the caller's, or not in the call's data centre.
    """
    return known_user(call, call.path["uid"])


def known_user(call: OpenCall, uid: str) -> User:
    """Return a user. OpenRefused as `user_of`."""
    rights.check_user(call, uid)
    user = call.state.users.get(uid)
    assert user is not None, "who was checked is there"
    return user


# --- details ------------------------------------------------------------------------------------


def _register(call: OpenCall, app: App, form: UserForm) -> User:
    username_type = UsernameType(int(form.username_type or UsernameType.OTHER))
    check_country(call, form.country_code)
    pattern, objection = _PATTERNS[username_type]
    if not pattern.fullmatch(form.username):
        raise OpenRefused(objection)
    user = call.state.users.register(
        form.username,
        form.password,
        now_ms=call.now_ms,
        app=app,
        profile=Profile(form.country_code, username_type.value, form.nick_name, form.time_zone_id),
        digested=True,
    )
    told = push.user_registered(user.uid, user.schema, call.now_ms)
    call.state.journal.effects.append(told)
    return user


def _update(call: OpenCall, user: User, form: UserForm) -> User:
    after = call.state.users.update(
        user, form.password, form.nick_name, form.time_zone_id, call.now_ms
    )
    told = push.user_updated(user.uid, user.schema, call.now_ms)
    call.state.journal.effects.append(told)
    return after


def check_country(call: OpenCall, country_code: str) -> None:
    """Raise OpenRefused for what is no calling code (2402) or is not served here (2403)."""
    if not _COUNTRY.fullmatch(country_code):
        raise OpenRefused(Code.COUNTRY_CODE_INVALID)
    lines = [line.split() for line in call.state.settings.open_app_countries]
    served = [country for region, country in lines if region == call.caller.region]
    if served and country_code not in served:
        raise OpenRefused(Code.COUNTRY_CODE_UNSUPPORTED)


def _window(query: ListQuery, now_ms: int) -> tuple[int, int]:
    """Return the time in ms, its end exclusive. OpenRefused: 1101 when it is too long."""
    end_ms = query.end_time * 1000 if query.end_time else now_ms
    start_ms = query.start_time * 1000 if query.start_time else end_ms - WINDOW_DAYS * DAY_MS
    if not 0 <= end_ms - start_ms <= WINDOW_DAYS * DAY_MS:
        raise OpenRefused(Code.PARAM_RANGE)
    return start_ms, end_ms + 1000


def _page(call: OpenCall, uids: list[str], page_no: int, page_size: int) -> tuple[list[User], bool]:
    end = page_no * page_size
    found = map(call.state.users.get, uids[end - page_size : end])
    return [user for user in found if user is not None], len(uids) > end


def _listed(user: User) -> Listed:
    return Listed(
        uid=user.uid,
        username=user.name,
        country_code=user.country_code,
        create_time=user.created_ms // 1000,
        update_time=user.updated_ms // 1000,
        mobile=_mobile(user) or msgspec.UNSET,
        email=_email(user) or msgspec.UNSET,
    )


def _mobile(user: User) -> str:
    """Return the number with its country code, as the service shows it; "" for none."""
    if user.username_type != UsernameType.MOBILE:
        return ""
    return user.name if "-" in user.name else f"{user.country_code}-{user.name}"


def _email(user: User) -> str:
    return user.name if user.username_type == UsernameType.EMAIL else ""


_USER = "/v1.0/users/{uid}"

ROUTES = tuple(
    Route(method, pattern, handler, Family.USERS)
    for method, pattern, handler in (
        ("POST", "/v1.0/apps/{schema}/user", sync_user),
        ("GET", "/v1.0/apps/{schema}/users", see_old_list),
        ("GET", "/v2.0/apps/{schema}/users", see_list),
        ("GET", f"{_USER}/infos", see_user),
        ("GET", f"{_USER}/devices", see_devices),
        ("POST", f"{_USER}/actions/pre-delete", prepare_delete),
        ("POST", f"{_USER}/actions/cancel-delete", cancel_delete),
    )
)
