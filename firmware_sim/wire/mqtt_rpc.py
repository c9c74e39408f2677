"""ATOP calls over the MQTT session: JSON on the topics rpc/req and rpc/rsp, files on rpc/file.

Nothing is encrypted beyond the connection itself. Source: tuya/tuya-connect-kit-for-mqtt-embedded-
c, src/matop_service.c; it reads `success` and `result`, and `t` only of a success.
"""

from typing import Annotated

import msgspec

from firmware_sim.errors import TooLarge, Truncated, UsageError
from firmware_sim.wire.atop import Inner, encode_error, encode_success
from firmware_sim.wire.structs import decode_json, encode_json

SIZE_MAX = 65536

_PIECE_HEAD_SIZE = 4
_PIECE_ID_MAX = 0xFFFFFFFF

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


class FilePiece(msgspec.Struct, frozen=True, gc=False):
    """Bytes of a file: the success of the call `id`, which gets no other answer."""

    id: int
    data: bytes


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


def encode_file_piece(call_id: int, data: bytes) -> bytes:
    """Return the message on the file topic that answers the call `call_id` with bytes.

    Raises UsageError for a number that has no place in four bytes.
    """
    if not 0 <= call_id <= _PIECE_ID_MAX:
        raise UsageError(f"the number of a call has 32 bits, {call_id} does not fit")
    return call_id.to_bytes(_PIECE_HEAD_SIZE, "big") + data


def decode_file_piece(payload: bytes) -> FilePiece:
    """Return the bytes in a message on the file topic; raise Truncated or TooLarge."""
    _check_size(payload)
    if len(payload) < _PIECE_HEAD_SIZE:
        raise Truncated(f"a piece of a file begins with {_PIECE_HEAD_SIZE} bytes for its call")
    number = int.from_bytes(payload[:_PIECE_HEAD_SIZE], "big")
    return FilePiece(number, payload[_PIECE_HEAD_SIZE:])


def _response(call_id: int, t_s: int, inner: bytes) -> bytes:
    return b'{"id":%d,"data":{"t":%d,"result":%b}}' % (call_id, t_s, inner)


def _check_size(payload: bytes) -> None:
    if len(payload) > SIZE_MAX:
        raise TooLarge(f"an rpc message of {len(payload)} bytes; the limit is {SIZE_MAX}")
