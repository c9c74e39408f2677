"""Pairing tokens made by programs, and the routes of all that is about pairing.

A token begins with the data centre where it was made, and binds one device to a consumer. In the
industry family there is none: the device belongs to the project, in the space (asset) that is
named. Sources: tuya/tuya-cloud-sdk-go (api/device_dn and api/pairing), tuya/tuya-connector-nodejs
(`src/service/device/registration.ts`, which asks for results by POST), "Generate Pairing Token"
(developer.tuya.com). What came of a token is in `pairing_results`.
"""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from fleet.cloud import rights
from fleet.cloud.api.shapes import Id
from fleet.cloud.devices import Site
from fleet.cloud.homes import Role
from fleet.cloud.open import asked, pairing_results
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.tokens import PairToken

PAIRING_TYPES = frozenset({"AP", "EZ", "BLE", "BLUETOOTH"})

_SECRET_AT = 10

Zone = Annotated[str, Meta(min_length=1, max_length=64)]
Degrees = Annotated[str, Meta(max_length=32)] | float
HomeId = Annotated[int, Meta(ge=0, le=2**63 - 1)] | Annotated[str, Meta(max_length=32)]


# --- what is asked ------------------------------------------------------------------------------


class TokenForm(msgspec.Struct, frozen=True):
    """Whose device it will be, and where."""

    uid: Id
    time_zone_id: Zone = msgspec.field(name="timeZoneId")
    lon: Degrees = ""
    lat: Degrees = ""


class ParingForm(msgspec.Struct, frozen=True):
    """The same with a way of pairing, which the vendor's page misspells and its client does not."""

    uid: Id
    paring_type: str = ""
    pairing_type: str = ""
    time_zone_id: Annotated[str, Meta(max_length=64)] = ""
    home_id: HomeId = ""


class RegistrationForm(msgspec.Struct, frozen=True):
    """The same in the industry family; without `uid` the device will be the project's."""

    pairing_type: str
    time_zone_id: Zone
    asset_id: Id
    uid: str = ""
    lon: Degrees = ""
    lat: Degrees = ""


# --- what is answered ---------------------------------------------------------------------------


class PairingToken(msgspec.Struct, frozen=True):
    """The three parts of a token; a device joins them into one text."""

    region: str
    token: str
    secret: str


class TimedToken(msgspec.Struct, frozen=True):
    """The same with its life in seconds. `extension` is for Bluetooth, which has nothing here."""

    region: str
    token: str
    secret: str
    expire_time: int
    extension: dict[str, str]


# --- tokens -------------------------------------------------------------------------------------


def make_token(call: OpenCall) -> PairingToken:
    """Make a token for a consumer."""
    form = call.body_as(TokenForm)
    rights.check_user(call, form.uid)
    site = _site(call, form.time_zone_id, lon=form.lon, lat=form.lat)
    token = call.state.tokens.make_pair_token(form.uid, call.now_ms, site=site)
    return PairingToken(*_parts(token))


def make_paring_token(call: OpenCall) -> TimedToken:
    """Make a token for a consumer, and for a home of theirs."""
    form = call.body_as(ParingForm)
    _check_type(form.pairing_type or form.paring_type)
    rights.check_user(call, form.uid)
    site = _site(call, form.time_zone_id, home=_home(call, form.uid, str(form.home_id)))
    life_s = call.state.settings.pair_token_life_s
    token = call.state.tokens.make_pair_token(form.uid, call.now_ms, site=site)
    return TimedToken(*_parts(token), life_s, {})


def make_registration_token(call: OpenCall) -> TimedToken:
    """Make a token for a space of the project."""
    form = call.body_as(RegistrationForm)
    _check_type(form.pairing_type)
    uid = form.uid or call.caller.uid or call.caller.project.uid
    if form.uid:
        rights.check_user(call, form.uid)
    space = asked.space(call, form.asset_id).space_id
    site = _site(call, form.time_zone_id, space=space, lon=form.lon, lat=form.lat)
    life_s = call.state.settings.open_registration_life_s
    token = call.state.tokens.make_pair_token(uid, call.now_ms, site=site, life_s=life_s)
    return TimedToken(*_parts(token), life_s, {})


def _check_type(text: str) -> None:
    if not text:
        raise OpenRefused(Code.PARAM_EMPTY)
    if text.upper() not in PAIRING_TYPES:
        raise OpenRefused(Code.PARAM_ILLEGAL)


def _home(call: OpenCall, uid: str, home_id: str) -> str:
    """Return the id of the home that is named ("": none).

    OpenRefused: 2501 when there is none, 2505 or 2508 when the consumer may not put devices there.
    """
    if not home_id:
        return ""
    home = call.state.homes.get(home_id)
    if home is None:
        raise OpenRefused(Code.HOME_NOT_EXIST)
    role = home.role(uid)
    if not role:
        raise OpenRefused(Code.USER_RELATION_ERROR)
    if role == Role.MEMBER:
        raise OpenRefused(Code.MEMBER_NOT_ADMIN)
    return home_id


def _site(
    call: OpenCall,
    time_zone_id: str,
    *,
    home: str = "",
    space: str = "",
    lon: str | float = "",
    lat: str | float = "",
) -> Site:
    return Site(
        region=call.caller.region,
        home=home,
        space=space,
        time_zone=offset_of(time_zone_id, call.now_ms),
        lon=str(lon),
        lat=str(lat),
    )


def offset_of(time_zone_id: str, now_ms: int) -> str:
    """Return the offset of a zone now (`Europe/Berlin`: `+01:00`), or "" for one nobody knows."""
    try:
        there = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(time_zone_id))
    except (LookupError, OSError, ValueError):  # no such zone, or no list of zones on this machine
        return ""
    offset = there.strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"


def _parts(token: PairToken) -> tuple[str, str, str]:
    return token.text[:2], token.token, token.text[_SECRET_AT:]


_REGISTRATION = "iot-03/device-registration"

ROUTES = tuple(
    Route(method, pattern, handler, Family.PAIRING)
    for method, pattern, handler in (
        ("POST", "/v1.0/devices/token", make_token),
        ("GET", "/v1.0/devices/tokens/{token}", pairing_results.see_result),
        ("POST", "/v1.0/device/paring/token", make_paring_token),
        ("GET", "/v1.0/device/paring/tokens/{token}", pairing_results.see_paring_result),
        ("POST", f"/v1.0/{_REGISTRATION}/token", make_registration_token),
        (
            "GET",
            f"/v1.0/{_REGISTRATION}/tokens/{{token}}",
            pairing_results.see_old_registration_result,
        ),
        (
            "POST",
            f"/v1.0/{_REGISTRATION}/tokens/{{token}}",
            pairing_results.see_old_registration_result,
        ),
        ("GET", f"/v1.1/{_REGISTRATION}/tokens/{{token}}", pairing_results.see_registration_result),
        ("GET", "/v2.0/cloud/thing/active/token/{token}", pairing_results.see_result),
    )
)
