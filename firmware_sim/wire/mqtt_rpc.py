"""ATOP calls over the MQTT session: plain JSON on the topics rpc/req and rpc/rsp.

Nothing is encrypted beyond the connection itself. Source: tuya/tuya-connect-kit-for-mqtt-embedded-
c, src/matop_service.c; it reads `success` and `result`, and `t` only of a success.
"""

from typing import Annotated

import msgspec

from firmware_sim.errors import TooLarge
from firmware_sim.wire.atop import Inner, encode_error, encode_success
from firmware_sim.wire.structs import decode_json, encode_json

SIZE_MAX = 65536

CallId = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]


class Request(msgspec.Struct, frozen=True, gc=False):
    """A call: `id` counts from 1 per connection, `a` and `v` are name and version, `t` seconds."""

    id: CallId
    a: str
    t: int
    data: msgspec.Raw
    v: str = ""


class Response(msgspec.Struct, frozen=True, gc=False):
    """The answer to the call `id`, given at `t` (seconds)."""

    id: CallId
    t: int
    inner: Inner


class _Data(msgspec.Struct, frozen=True):
    result: Inner
    t: int = 0


class _ResponseForm(msgspec.Struct, frozen=True):
    id: CallId
    data: _Data


def encode_request(call_id: int, api: str, version: str, t_s: int, data: bytes) -> bytes:
    """Return the JSON of a call; `data` is JSON."""
    return encode_json(Request(call_id, api, t_s, msgspec.Raw(data), version))


def decode_request(payload: bytes) -> Request:
    """Return the call in a message; raise Malformed or TooLarge."""
    _check_size(payload)
    return decode_json(Request, payload)


def encode_response(call_id: int, t_s: int, result: bytes | None) -> bytes:
    """Return the JSON that answers a call with success; `result` is JSON or absent."""
    return _response(call_id, t_s, encode_success(result, t_s))


def encode_error_response(call_id: int, t_s: int, code: str, msg: str) -> bytes:
    """Return the JSON that refuses a call."""
    return _response(call_id, t_s, encode_error(code, msg, t_s))


def decode_response(payload: bytes) -> Response:
    """Return the answer in a message; raise Malformed or TooLarge."""
    _check_size(payload)
    form = decode_json(_ResponseForm, payload)
    return Response(form.id, form.data.t, form.data.result)


def _response(call_id: int, t_s: int, inner: bytes) -> bytes:
    return b'{"id":%d,"data":{"t":%d,"result":%b}}' % (call_id, t_s, inner)


def _check_size(payload: bytes) -> None:
    if len(payload) > SIZE_MAX:
        raise TooLarge(f"an rpc message of {len(payload)} bytes; the limit is {SIZE_MAX}")
