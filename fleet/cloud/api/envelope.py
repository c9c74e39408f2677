"""Replies and refusals in wire form: the one place that knows codes.

A refusal has one reason everywhere (`fleet.cloud.reasons`); here it gets the error code that
devices see and the text that people see. Devices know one code, `GATEWAY_NOT_EXISTS`
(tuya/tuya-connect-kit-for-mqtt-embedded-c, src/atop_base.c); no other is public, so the others
are the reasons in upper case. The Open API answers an unknown path with code 1108.
"""

from collections.abc import Mapping

import msgspec

from firmware_sim.errors import PeerError, TooLarge
from firmware_sim.wire.structs import encode_json
from fleet.cloud.reasons import Reason, Refused

MESSAGES: Mapping[Reason, str] = {
    Reason.TOKEN_DEAD: "the token is unknown, expired, cancelled or spent",
    Reason.TOKEN_FULL: "the token has released all the devices it may",
    Reason.DEVICE_UNKNOWN: "no such device",
    Reason.NOT_BOUND: "the device is not bound",
    Reason.NO_PERMISSION: "the account may not do this with devices of this product",
    Reason.ACCOUNT_QUOTA: "the account has used its quota of today",
    Reason.PRODUCT_QUOTA: "the product has used its quota of today",
    Reason.ALREADY_BOUND: "the device is bound to another account, which must remove it first",
    Reason.PRODUCT_MISMATCH: "the device is not of the product it says",
    Reason.NOT_WAITING: "the device is not waiting for a token",
    Reason.BAD_SIGN: "the signature does not fit",
    Reason.STALE_TIME: "the time of the request is too far from ours",
    Reason.REPLAYED: "the device signed this before its last activation",
    Reason.GATEWAY_NOT_EXISTS: "the device is not activated",
    Reason.REPLY_TOO_LARGE: "the device has no room for the answer",
    Reason.BAD_REQUEST: "the request is not understood",
    Reason.TOO_LARGE: "the request is too large",
    Reason.BAD_LOGIN: "wrong name or password",
    Reason.NO_SESSION: "log in first",
    Reason.NAME_TAKEN: "the name is taken",
    Reason.NOT_FOUND: "not found",
    Reason.TOO_MANY: "too many of these exist",
}


class Success(msgspec.Struct, frozen=True):
    """What a person's program gets; `t` in ms."""

    success: bool
    result: object
    t: int


class Failure(msgspec.Struct, frozen=True):
    """What it gets instead; `code` is a reason, `t` in ms."""

    success: bool
    code: str
    msg: str
    t: int


class OpenApiFailure(msgspec.Struct, frozen=True):
    """How the vendor's Open API refuses; `t` in ms, `tid` names the request in 32 hex digits."""

    code: int
    msg: str
    success: bool
    t: int
    tid: str


def success(result: object, now_ms: int) -> bytes:
    """Return the reply that carries `result`."""
    return encode_json(Success(success=True, result=result, t=now_ms))


def failure(error: PeerError, now_ms: int) -> bytes:
    """Return the reply that refuses because of `error`."""
    reason = reason_of(error)
    return encode_json(Failure(success=False, code=reason.value, msg=text_of(error), t=now_ms))


def unknown_path(tid: str, now_ms: int) -> bytes:
    """Return the Open API's answer to a path that it does not know."""
    return encode_json(OpenApiFailure(1108, "uri path invalid", success=False, t=now_ms, tid=tid))


def reason_of(error: PeerError) -> Reason:
    """Return the reason that stands for `error`: its own, or that of a request without form."""
    if isinstance(error, Refused):
        return error.reason
    return Reason.TOO_LARGE if isinstance(error, TooLarge) else Reason.BAD_REQUEST


def text_of(error: PeerError) -> str:
    """Return the sentence that explains `error` to a person."""
    if isinstance(error, Refused):
        return error.detail or MESSAGES[error.reason]
    return str(error)


def device_code(error: PeerError) -> str:
    """Return the `errorCode` that a device is given for `error`."""
    return reason_of(error).value.upper()
