"""ATOP, the HTTP API that devices call: signed query, encrypted body, encrypted reply (et=1).

A call is `POST /d.json?<params>&sign=<sign>`. The key is the device's authKey while it has only a
uuid, and its secKey once it has a device id. Sources: tuya/tuya-connect-kit-for-mqtt-embedded-c,
src/atop_base.c; ct-Open-Source/tuya-convert, scripts/fake-registration-server.py (signed replies).
What the calls carry is in `atop_messages`.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hmac import compare_digest

import msgspec

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire.ciphers import aes_key, ecb_decrypt, ecb_encrypt, md5_hex, short_md5
from firmware_sim.wire.structs import decode_json, encode_json

PATH = "/d.json"
ET_ECB = 1
TARGET_SIZE_MAX = 1024
BODY_SIZE_MAX = 65536

_BODY_PREFIX = b"data="
_DECIMAL_DIGITS_MAX = 15


class Query(msgspec.Struct, frozen=True, gc=False):
    """The query of a call: API name, its version, encryption type, seconds, signature, identity.

    Exactly one of `uuid` and `dev_id` is set. `v` is empty where a call has no version. `signed`
    is the text that the signature covers, key excluded.
    """

    a: str
    v: str
    et: int
    t: int
    sign: str
    uuid: str | None
    dev_id: str | None
    signed: str


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
) -> tuple[str, bytes]:
    """Return request target and body of a call with the JSON `data` at `t_s` (Unix seconds).

    Give `uuid` with the authKey, or `dev_id` with the secKey; UsageError for none or both.
    """
    if (uuid is None) == (dev_id is None):
        raise UsageError("an ATOP call names either its uuid or its device id")
    fields = {"a": api, "devId": dev_id, "et": str(ET_ECB), "t": str(t_s), "uuid": uuid}
    params = {name: value for name, value in fields.items() if value is not None}
    if version:
        params["v"] = version
    query = "&".join(f"{name}={value}" for name, value in params.items())
    body = _BODY_PREFIX + ecb_encrypt(aes_key(key), data).hex().upper().encode()
    return f"{PATH}?{query}&sign={sign(params, key)}", body


def decode_query(target: str) -> Query:
    """Return the query in a request target; raise TooLarge or Malformed.

    Values are taken as they stand: firmware signs and sends them without percent-encoding.
    """
    if len(target) > TARGET_SIZE_MAX:
        raise TooLarge(f"a request target of {len(target)} characters")
    if not target.isascii():
        raise Malformed("a request target is ASCII")
    path, _, text = target.partition("?")
    if path != PATH:
        raise Malformed(f"an ATOP call goes to {PATH}")
    params: dict[str, str] = {}
    for pair in text.split("&"):
        name, separator, value = pair.partition("=")
        if not separator or name in params:
            raise Malformed("a query parameter has no value or comes twice")
        params[name] = value
    uuid, dev_id = params.get("uuid"), params.get("devId")
    if not params.get("a") or not params.get("sign") or bool(uuid) == bool(dev_id):
        raise Malformed("an ATOP query needs a, sign and either uuid or devId")
    return Query(
        a=params["a"],
        v=params.get("v", ""),
        et=_decimal(params.get("et", "")),
        t=_decimal(params.get("t", "")),
        sign=params["sign"],
        uuid=uuid or None,
        dev_id=dev_id or None,
        signed=_signed_text(params),
    )


def check_sign(query: str | Query, key: str) -> None:
    """Raise BadChecksum unless a query, or the request target it comes from, was signed by `key`."""
    if isinstance(query, str):
        query = decode_query(query)
    if not compare_digest(query.sign.encode(), md5_hex(query.signed + key).encode()):
        raise BadChecksum("the signature of the ATOP query does not fit")


def decode_request_body(body: bytes, key: str) -> bytes:
    """Return the JSON in a request body, without the trailing NUL that some calls carry.

    Raises TooLarge, Malformed, or BadChecksum for a wrong key.
    """
    if len(body) > BODY_SIZE_MAX:
        raise TooLarge(f"an ATOP body of {len(body)} bytes; the limit is {BODY_SIZE_MAX}")
    if not body.startswith(_BODY_PREFIX):
        raise Malformed("an ATOP body begins with data=")
    try:
        data = binascii.unhexlify(body[len(_BODY_PREFIX) :])
    except ValueError:
        raise Malformed("an ATOP body is hexadecimal") from None
    return ecb_decrypt(aes_key(key), data).rstrip(b"\x00")


# --- reply --------------------------------------------------------------------------------------


def encode_reply(inner: bytes, t_s: int, key: str) -> bytes:
    """Return the reply body that carries the JSON `inner`, encrypted and signed."""
    result = b64encode(ecb_encrypt(aes_key(key), inner)).decode()
    return encode_json(_Outer(result, t_s, _reply_sign(result, t_s, key)))


def decode_reply(body: bytes, key: str, *, verify: bool = False) -> bytes:
    """Return the inner JSON of a reply body.

    Like firmware, take a body that cannot be decrypted for the inner JSON itself when it has the
    form of one, and do not look at the signature. `verify` does neither: it insists on encryption
    and on a good signature. Raises TooLarge, Malformed or BadChecksum.
    """
    if len(body) > BODY_SIZE_MAX:
        raise TooLarge(f"an ATOP reply of {len(body)} bytes; the limit is {BODY_SIZE_MAX}")
    try:
        return _decrypt_reply(body, key, verify=verify)
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


def _decrypt_reply(body: bytes, key: str, *, verify: bool) -> bytes:
    outer = decode_json(_Outer, body)
    if verify and not compare_digest(
        (outer.sign or "").encode(), _reply_sign(outer.result, outer.t, key).encode()
    ):
        raise BadChecksum("the signature of the ATOP reply does not fit")
    try:
        data = b64decode(outer.result, validate=True)
    except ValueError:
        raise Malformed("the result of an ATOP reply is not base64") from None
    return ecb_decrypt(aes_key(key), data)


def _reply_sign(result: str, t_s: int, key: str) -> str:
    return short_md5(f"result={result}||t={t_s}||{key}")


def _signed_text(params: Mapping[str, str]) -> str:
    return "".join(f"{name}={params[name]}||" for name in sorted(params) if name != "sign")


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DECIMAL_DIGITS_MAX):
        raise Malformed("et and t of an ATOP query are decimal numbers")
    return int(text)
