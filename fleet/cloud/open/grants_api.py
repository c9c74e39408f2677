"""The calls that hand out tokens: simple mode, authorization codes, refresh.

Sources: "Get a Token" and "OAuth 2.0 Authorization Flow" (developer.tuya.com), which says that a
code is of use in the user's data centre only; the fields of the result also in
tuya/tuya-connector-python (`tuya_connector/openapi.py`).
"""

from typing import ClassVar

import msgspec

from firmware_sim.wire.structs import Secretive
from fleet.cloud import rights
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Family, OpenCall, Route
from fleet.cloud.open_tokens import OpenToken


class TokenQuery(msgspec.Struct, frozen=True):
    """What is asked for; fields that a grant type does not know are ignored, as they are there."""

    grant_type: str = ""
    code: str = ""
    associate_id: str = ""


class TokenPair(Secretive, frozen=True):
    """A pair of tokens; `expire_time` in seconds from now."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token"})

    access_token: str
    expire_time: int
    refresh_token: str
    uid: str


def get_token(call: OpenCall) -> TokenPair:
    """Hand out the project's own pair (`grant_type=1`) or that of a consent (`2`)."""
    query = call.query_as(TokenQuery)
    access_id, region = call.caller.project.access_id, call.caller.region
    if query.grant_type == "1":
        return pair_of(call, call.state.open_tokens.simple(access_id, region, call.now_ms))
    if query.grant_type != "2":
        raise OpenRefused(Code.GRANT_TYPE_INVALID)
    return _redeem(call, query.code)


def get_authorized_token(call: OpenCall) -> TokenPair:
    """Hand out the pair of a consent, the older way (`grant_type=3`).

    `associate_id` is the uid of somebody whose consent was redeemed and lasts.
    """
    query = call.query_as(TokenQuery)
    if query.grant_type != "3":
        raise OpenRefused(Code.GRANT_TYPE_INVALID)
    if query.code or not query.associate_id:
        return _redeem(call, query.code)
    access_id, region = call.caller.project.access_id, call.caller.region
    uid, tokens = query.associate_id, call.state.open_tokens
    return pair_of(call, tokens.associated(access_id, region, uid, call.now_ms))


def refresh_token(call: OpenCall) -> TokenPair:
    """Hand out a new pair for an old one."""
    access_id, region = call.caller.project.access_id, call.caller.region
    old, tokens = call.path["refresh_token"], call.state.open_tokens
    return pair_of(call, tokens.refresh(access_id, region, old, call.now_ms))


def _redeem(call: OpenCall, code: str) -> TokenPair:
    access_id, region = call.caller.project.access_id, call.caller.region
    tokens = call.state.open_tokens
    if not rights.is_in(call.state, tokens.consented(access_id, code, call.now_ms).uid, region):
        raise OpenRefused(Code.CODE_INVALID)
    return pair_of(call, tokens.redeem(access_id, region, code, call.now_ms))


def pair_of(call: OpenCall, token: OpenToken) -> TokenPair:
    """Return a pair as it is answered."""
    return TokenPair(
        access_token=token.access_token,
        expire_time=token.remaining_s(call.now_ms),
        refresh_token=token.refresh_token,
        uid=token.uid or call.caller.project.uid,
    )


ROUTES = (
    Route("GET", "/v1.0/token", get_token, Family.TOKEN, needs_token=False),
    Route("GET", "/v1.0/token/{refresh_token}", refresh_token, Family.TOKEN, needs_token=False),
    Route("GET", "/v1.0/authorize_token", get_authorized_token, Family.TOKEN, needs_token=False),
)
