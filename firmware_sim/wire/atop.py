"""ATOP, the HTTP API that devices call: signed query, encrypted body, encrypted reply.

A call is `POST /d.json?<params>&sign=<sign>`, or `/gw.json` from firmware of the oldest generation.
The key is the device's authKey while it has only a uuid, and its secKey once it has a device id.
Sources: tuya/tuya-connect-kit-for-mqtt-embedded-c, src/atop_base.c (et=1); tuya/TuyaOpen,
src/tuya_cloud_service/cloud/atop_base.c (et=3); ct-Open-Source/tuya-convert, scripts/
fake-registration-server.py (signed replies, `/gw.json`). What calls carry is in `atop_messages`.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import ClassVar, NamedTuple

import msgspec

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire.ciphers import (
    NONCE_SIZE,
    aes_key,
    ecb_decrypt,
    ecb_encrypt,
    gcm_decrypt,
    gcm_encrypt,
    md5_hex,
    short_md5,
)
from firmware_sim.wire.structs import Secretive, decode_json, encode_json

PATH = "/d.json"
OLD_PATH = "/gw.json"
ET_NONE = 0
"""No `et` in the query, as in the oldest firmware: the body is as with `ET_ECB`, replies are plain."""
ET_ECB = 1
ET_GCM = 3
TARGET_SIZE_MAX = 1024
BODY_SIZE_MAX = 65536

_BODY_PREFIX = b"data="
_DECIMAL_DIGITS_MAX = 15
_OLD_BY_UUID = ("s.gw.token.", ".active")
"""Parts of the names of calls that old firmware makes before it is activated."""


class Query(Secretive, frozen=True, gc=False):
    """The query of a call: API name, its version, encryption type, seconds, signature, identity.

    Exactly one of `uuid` and `dev_id` is set. `v` is empty where a call has no version. `signed`
    is the text that the signature covers, key excluded. `old` says that the call went to
    `OLD_PATH`, and `other` is the JSON text that such a call may have in its query: it carries the
    token of an activation.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"sign", "signed", "other"})

    a: str
    v: str
    et: int
    t: int
    sign: str
    uuid: str | None
    dev_id: str | None
    signed: str
    old: bool = False
    other: str = ""


class Inner(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True, gc=False
):
    """The decrypted reply: a result, or the code and text of a refusal. `t` is in seconds."""

    success: bool
    t: int = 0
    result: msgspec.Raw = msgspec.Raw(b"")
    error_code: str = ""
    error_msg: str = ""


class _Outer(msgspec.Struct, frozen=True, gc=False):
    result: str
    t: int
    sign: str | None = None


# --- request ------------------------------------------------------------------------------------


def sign(params: Mapping[str, str], key: str) -> str:
    """Return the signature of query parameters; one named "sign" does not count."""
    return md5_hex(_signed_text(params) + key)


def encode_request(
    api: str,
    version: str,
    t_s: int,
    key: str,
    data: bytes,
    *,
    uuid: str | None = None,
    dev_id: str | None = None,
    et: int = ET_ECB,
    nonce: bytes = b"",
    old: bool = False,
    other: str = "",
) -> tuple[str, bytes]:
    """Return request target and body of a call with the JSON `data` at `t_s` (Unix seconds).

    Give `uuid` with the authKey, or `dev_id` with the secKey. `nonce` has 12 bytes, never the same
    twice under one key, and is needed with `ET_GCM` only. `old` makes a call to `OLD_PATH`, where
    either id travels as `gwId`, `other` is further JSON text, and empty `data` has no body. Raises
    UsageError for no identity or two, for an unknown `et`, for `ET_NONE` unless `old`, and for a
    nonce of another size.
    """
    if (uuid is None) == (dev_id is None):
        raise UsageError("an ATOP call names either its uuid or its device id")
    if et == ET_NONE and not old:
        raise UsageError(f"a call to {PATH} names its encryption")
    ids = {"gwId": dev_id or uuid} if old else {"devId": dev_id, "uuid": uuid}
    fields = {"a": api, **ids, "et": et, "other": other, "t": str(t_s), "v": version}
    params = {name: str(fields[name]) for name in sorted(fields) if fields[name]}
    query = "&".join(f"{name}={value}" for name, value in params.items())
    sealed = _cipher(et, UsageError).seal(aes_key(key), data, nonce) if data or not old else b""
    body = _BODY_PREFIX + sealed.hex().upper().encode() if sealed else b""
    return f"{OLD_PATH if old else PATH}?{query}&sign={sign(params, key)}", body


def decode_query(target: str) -> Query:
    """Return the query in a request target; raise TooLarge or Malformed.

    Values are taken as they stand: firmware signs and sends them without percent-encoding.
    """
    if len(target) > TARGET_SIZE_MAX:
        raise TooLarge(f"a request target of {len(target)} characters")
    if not target.isascii():
        raise Malformed("a request target is ASCII")
    path, _, text = target.partition("?")
    if path not in (PATH, OLD_PATH):
        raise Malformed(f"an ATOP call goes to {PATH} or {OLD_PATH}")
    params: dict[str, str] = {}
    for pair in text.split("&"):
        name, separator, value = pair.partition("=")
        if not separator or name in params:
            raise Malformed("a query parameter has no value or comes twice")
        params[name] = value
    uuid, dev_id = _identity(params, old=path == OLD_PATH)
    if not params.get("a") or not params.get("sign") or bool(uuid) == bool(dev_id):
        raise Malformed("an ATOP query needs a, sign and one identity: uuid, devId or gwId")
    return Query(
        a=params["a"],
        v=params.get("v", ""),
        et=_decimal(params.get("et", "0" if path == OLD_PATH else "")),
        t=_decimal(params.get("t", "")),
        sign=params["sign"],
        uuid=uuid or None,
        dev_id=dev_id or None,
        signed=_signed_text(params),
        old=path == OLD_PATH,
        other=params.get("other", ""),
    )


def check_sign(query: str | Query, key: str) -> None:
    """Raise BadChecksum unless a query, or the request target it comes from, was signed by `key`."""
    if isinstance(query, str):
        query = decode_query(query)
    if not compare_digest(query.sign.encode(), md5_hex(query.signed + key).encode()):
        raise BadChecksum("the signature of the ATOP query does not fit")


def decode_request_body(body: bytes, key: str, et: int = ET_ECB) -> bytes:
    """Return the JSON in a request body, without the trailing NUL that some calls carry.

    `et` is that of the query. Raises TooLarge, Malformed (also for an unknown `et`), or BadChecksum
    for a wrong key.
    """
    cipher = _cipher(et, Malformed)
    if len(body) > BODY_SIZE_MAX:
        raise TooLarge(f"an ATOP body of {len(body)} bytes; the limit is {BODY_SIZE_MAX}")
    if not body.startswith(_BODY_PREFIX):
        raise Malformed("an ATOP body begins with data=")
    try:
        data = binascii.unhexlify(body[len(_BODY_PREFIX) :])
    except ValueError:
        raise Malformed("an ATOP body is hexadecimal") from None
    return cipher.open(aes_key(key), data).rstrip(b"\x00")


def decode_data(query: Query, body: bytes, key: str) -> bytes:
    """Return the JSON that the call `query` carries; an old call without a body carries `{}`.

    Raises as `decode_request_body` does.
    """
    return decode_request_body(body, key, query.et) if body or not query.old else b"{}"


# --- reply --------------------------------------------------------------------------------------


def encode_reply(inner: bytes, t_s: int, key: str, et: int = ET_ECB, nonce: bytes = b"") -> bytes:
    """Return the reply body that carries the JSON `inner`, encrypted and signed.

    `et` is that of the call, `nonce` as in `encode_request`. Raises UsageError for a bad one.
    """
    if et == ET_NONE:
        return inner
    result = b64encode(_cipher(et, UsageError).seal(aes_key(key), inner, nonce)).decode()
    return encode_json(_Outer(result, t_s, _reply_sign(result, t_s, key)))


def decode_reply(body: bytes, key: str, et: int = ET_ECB, *, verify: bool = False) -> bytes:
    """Return the inner JSON of a reply body to a call of type `et`.

    Like firmware, take a body that cannot be decrypted for the inner JSON itself when it has the
    form of one, and do not look at the signature. `verify` does neither: it insists on encryption
    and on a good signature, so it is not for `ET_NONE`. Raises TooLarge, Malformed or BadChecksum.
    """
    if len(body) > BODY_SIZE_MAX:
        raise TooLarge(f"an ATOP reply of {len(body)} bytes; the limit is {BODY_SIZE_MAX}")
    try:
        return _decrypt_reply(body, key, et, verify=verify)
    except PeerError as reason:
        if verify:
            raise
        try:
            decode_inner(body)
        except PeerError:
            raise reason from None
        return body


def decode_inner(data: bytes) -> Inner:
    """Return the reply that an inner JSON text holds; raise Malformed."""
    return decode_json(Inner, data)


def encode_success(result: bytes | None, t_s: int) -> bytes:
    """Return the inner JSON of a success; `result` is JSON, None leaves the key out."""
    if result is None:
        return b'{"success":true,"t":%d}' % t_s
    return b'{"success":true,"t":%d,"result":%b}' % (t_s, result)


def encode_error(code: str, msg: str, t_s: int) -> bytes:
    """Return the inner JSON of a refusal."""
    return encode_json(Inner(success=False, t=t_s, error_code=code, error_msg=msg))


def _decrypt_reply(body: bytes, key: str, et: int, *, verify: bool) -> bytes:
    cipher = _cipher(et, Malformed)
    outer = decode_json(_Outer, body)
    if verify and not compare_digest(
        (outer.sign or "").encode(), _reply_sign(outer.result, outer.t, key).encode()
    ):
        raise BadChecksum("the signature of the ATOP reply does not fit")
    try:
        data = b64decode(outer.result, validate=True)
    except ValueError:
        raise Malformed("the result of an ATOP reply is not base64") from None
    return cipher.open(aes_key(key), data)


def _reply_sign(result: str, t_s: int, key: str) -> str:
    return short_md5(f"result={result}||t={t_s}||{key}")


def _identity(params: Mapping[str, str], *, old: bool) -> tuple[str | None, str | None]:
    """Return uuid and device id; the old `gwId` is both, and the name of the call tells which."""
    if not old:
        return params.get("uuid"), params.get("devId")
    api, gw_id = params.get("a", ""), params.get("gwId")
    by_uuid = any(part in api for part in _OLD_BY_UUID)
    return (gw_id, None) if by_uuid else (None, gw_id)


def _signed_text(params: Mapping[str, str]) -> str:
    return "".join(f"{name}={params[name]}||" for name in sorted(params) if name != "sign")


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DECIMAL_DIGITS_MAX):
        raise Malformed("et and t of an ATOP query are decimal numbers")
    return int(text)


# --- encryption ---------------------------------------------------------------------------------


class _Cipher(NamedTuple):
    seal: Callable[[bytes, bytes, bytes], bytes]
    open: Callable[[bytes, bytes], bytes]


def _seal_gcm(key: bytes, plain: bytes, nonce: bytes) -> bytes:
    return nonce + gcm_encrypt(key, nonce, plain, b"")


def _open_gcm(key: bytes, data: bytes) -> bytes:
    return gcm_decrypt(key, data[:NONCE_SIZE], data[NONCE_SIZE:], b"")


_ECB = _Cipher(lambda key, plain, _nonce: ecb_encrypt(key, plain), ecb_decrypt)
_CIPHERS = {ET_NONE: _ECB, ET_ECB: _ECB, ET_GCM: _Cipher(_seal_gcm, _open_gcm)}


def _cipher(et: int, blame: type[Malformed | UsageError]) -> _Cipher:
    """Return the cipher that a call names by `et`; raise `blame` when there is none."""
    if et not in _CIPHERS:
        raise blame(f"there is no encryption et={et}")
    return _CIPHERS[et]
