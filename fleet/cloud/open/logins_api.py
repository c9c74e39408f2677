"""People who log in through a project: users of apps, and asset users with their registration.

An app user has to be *linked* with the project: a user of one of its apps, or one whose consent
lasts. What they log in with is the digest that a client makes of the password (`users`). Sources:
"Associated user authorized login", "Log in to the Client", "Register User" (developer.tuya.com),
which differ in the name of a field; tuya/tuya-iot-python-sdk (`tuya_iot/openapi.py`), which also
refreshes; answers to wrong centres, passwords and unlinked accounts: tuya/tuya-home-assistant
(`docs/error_code.md`). That a second login gives the same pair is ours, as in simple mode.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from firmware_sim.wire.structs import Secretive
from fleet.cloud import rights
from fleet.cloud.api.shapes import Name, Password
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.grants_api import TokenPair, pair_of, refresh_token
from fleet.cloud.open.regions import CODES
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.open.users import check_country
from fleet.cloud.open_tokens import OpenToken
from fleet.cloud.reasons import Refused
from fleet.cloud.users import App, Profile, User

Digits = Annotated[str, Meta(max_length=8)] | Annotated[int, Meta(ge=0, le=9_999)]


# --- what is asked, what is answered ------------------------------------------------------------


class AppLogin(Secretive, frozen=True):
    """An app user; the password is its MD5, the country a calling code."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    username: Name
    password: Password
    schema: Name
    country_code: Digits = ""


class AssetLogin(Secretive, frozen=True):
    """An asset user; the password is its SHA-256."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    username: Name
    password: Password


class AssetUserForm(Secretive, frozen=True):
    """A new asset user; the password is its SHA-256."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password"})

    username: Name
    password: Password
    country_code: str
    creator: str = ""
    user_nick_name: Annotated[str, Meta(max_length=64)] = ""


class AssetPair(Secretive, frozen=True):
    """A pair of tokens as asset users are given it; `expire` in seconds from now."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token"})

    access_token: str
    refresh_token: str
    uid: str
    expire: int


class UserId(msgspec.Struct, frozen=True):
    """A user's id."""

    user_id: str


# --- handlers -----------------------------------------------------------------------------------


def log_in_app_user(call: OpenCall) -> TokenPair:
    """Let the project act for a user of an app.

    OpenRefused: 2406 for an app that nobody has, or a user of another data centre; a wrong name or
    password by `open_login_wrong_code`; 1106 for another country, or one who is not linked.
    """
    form = call.body_as(AppLogin)
    country = str(form.country_code)
    user = _proved(call, form, country)
    linked = rights.lets_act(call.state, call.caller.project, user.uid, call.now_ms)
    if not linked or user.country_code not in ("", country):
        raise OpenRefused(Code.PERMISSION_DENY)
    return pair_of(call, _token_of(call, user))


def log_in_asset_user(call: OpenCall) -> AssetPair:
    """Let an asset user of the project in. OpenRefused: 2401 for a wrong name or password."""
    form = call.body_as(AssetLogin)
    users = call.state.users
    user = users.log_in(form.username, form.password, _asset_app(call), digested=True)
    return _asset_pair(pair_of(call, _token_of(call, user)))


def refresh_asset_token(call: OpenCall) -> AssetPair:
    """Hand out a new pair for an old one."""
    return _asset_pair(refresh_token(call))


def register_asset_user(call: OpenCall) -> UserId:
    """Register an asset user of the project. OpenRefused: 2023 when the name is taken."""
    form = call.body_as(AssetUserForm)
    check_country(call, form.country_code)
    user = call.state.users.register(
        form.username,
        form.password,
        now_ms=call.now_ms,
        app=_asset_app(call),
        profile=Profile(form.country_code, nick_name=form.user_nick_name),
        digested=True,
    )
    return UserId(user.uid)


# --- details ------------------------------------------------------------------------------------


def _proved(call: OpenCall, form: AppLogin, country: str) -> User:
    """Return the user whose name and password are given; numbers are written in two ways."""
    users, app = call.state.users, App(call.caller.region, form.schema)
    if not _is_app(call, form.schema):
        raise OpenRefused(Code.SKILL_ID_INVALID)
    names = [form.username, f"{country}-{form.username}"]
    name = next((one for one in names if users.find(app, one) is not None), "")
    if not name and _is_elsewhere(call, form.schema, names):
        raise OpenRefused(Code.SKILL_ID_INVALID)
    try:
        return users.log_in(name, form.password, app, digested=True)
    except Refused:
        raise OpenRefused(Code(call.state.settings.open_login_wrong_code)) from None


def _is_app(call: OpenCall, schema: str) -> bool:
    return schema == call.state.settings.app_schema or bool(call.state.projects.of_schema(schema))


def _is_elsewhere(call: OpenCall, schema: str, names: list[str]) -> bool:
    users = call.state.users
    return any(users.find(App(code, schema), name) is not None for code in CODES for name in names)


def _token_of(call: OpenCall, user: User) -> OpenToken:
    access_id, region = call.caller.project.access_id, call.caller.region
    return call.state.open_tokens.log_in(access_id, region, user.uid, call.now_ms)


def _asset_app(call: OpenCall) -> App:
    return App(call.caller.region, call.caller.project.asset_app)


def _asset_pair(pair: TokenPair) -> AssetPair:
    return AssetPair(pair.access_token, pair.refresh_token, pair.uid, pair.expire_time)


ROUTES = (
    Route(
        "POST",
        "/v1.0/iot-01/associated-users/actions/authorized-login",
        log_in_app_user,
        Family.TOKEN,
        needs_token=False,
    ),
    Route("POST", "/v1.0/iot-03/users/login", log_in_asset_user, Family.TOKEN, needs_token=False),
    Route(
        "POST",
        "/v1.0/iot-03/users/token/{refresh_token}",
        refresh_asset_token,
        Family.TOKEN,
        needs_token=False,
    ),
    Route("POST", "/v1.0/iot-02/users", register_asset_user, Family.USERS),
)
