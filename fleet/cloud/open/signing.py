"""Signatures of the Open API, version 2 and version 1, in every form that clients write them.

Version 2 covers method, body, chosen headers, path and query ("Sign Requests", developer.tuya.com);
version 1 only who calls and when ("Sign Requests (Old Version)"). Where clients differ, a server
has to try more than one text:

- tuya-connector-python sends an empty body as `{}` and signs it as nothing
  (tuya_connector/openapi.py); tuya-connector-nodejs does the opposite of nothing: it sends `{}`
  with every GET and signs those two bytes.
- The Java connector ends the block of signed headers without a newline (tuya/tuya-connector);
  everybody else, and the example on the vendor's page, with one.
- A form-encoded body is not signed at all.

Everything is bytes, so that no two requests that differ on the wire look the same when decoded.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

import msgspec

from fleet.cloud.keys import secret_fits
from fleet.cloud.projects import Signing

FORM = "application/x-www-form-urlencoded"
METHOD = "HMAC-SHA256"
SIGNED_HEADERS_MAX = 32

_EMPTY_OBJECT = b"{}"
_NO_BODY = hashlib.sha256(b"").hexdigest().encode()


class Signed(msgspec.Struct, frozen=True):
    """What a signature covers: `path` and `query` as on the wire, header names in lower case.

    `token` is "" for a call that needs none, whatever the header says.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    token: str

    def __repr__(self) -> str:
        """Show the path only: the rest may hold tokens."""
        return f"Signed({self.method} {self.path})"


def sign_fits(signed: Signed, secret: str, signing: str, *, joined_headers: bool = True) -> bool:
    """Tell whether the header `sign` is the signature of the request by `secret`.

    `signing` is a value of `Signing`; `joined_headers` allows the Java connector's form.
    """
    given = signed.headers.get("sign", "")
    if signed.headers.get("sign_method", "") != METHOD:
        return False
    texts: list[bytes] = []
    if signing != Signing.V1:
        texts += texts_v2(signed, joined_headers=joined_headers)
    if signing != Signing.V2:
        texts.append(text_v1(signed))
    # Every form is tried to the end: which one fits, or almost does, must not show in time.
    fits = [secret_fits(given, digest(secret, text)) for text in texts]
    return any(fits)


def digest(secret: str, text: bytes) -> str:
    """Return HMAC-SHA256 of `text` in 64 upper-case hex digits."""
    key = secret.encode("utf-8", "surrogatepass")
    return hmac.digest(key, text, "sha256").hex().upper()


def text_v1(signed: Signed) -> bytes:
    """Return the text that version 1 signs."""
    return wire_bytes(signed.headers["client_id"] + signed.token + signed.headers.get("t", ""))


def texts_v2(signed: Signed, *, joined_headers: bool = True) -> Iterator[bytes]:
    """Yield the texts that version 2 may have signed, the published form first."""
    headers = signed.headers
    begin = wire_bytes(
        headers["client_id"] + signed.token + headers.get("t", "") + headers.get("nonce", "")
    )
    urls = list(_urls(signed.path, signed.query))
    for body in _body_digests(signed):
        for block in _header_blocks(headers, joined=joined_headers):
            for url in urls:
                yield begin + b"\n".join((wire_bytes(signed.method), body, block, url))


def media_type(headers: Mapping[str, str]) -> str:
    """Return what a body is by its own account, without parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def wire_bytes(text: str) -> bytes:
    """Return the bytes that a header, method or target was on the wire (it was read as Latin-1)."""
    return text.encode("latin-1", "replace")


def _body_digests(signed: Signed) -> Iterator[bytes]:
    if media_type(signed.headers) == FORM:
        yield _NO_BODY
        return
    yield hashlib.sha256(signed.body).hexdigest().encode()
    if signed.body == _EMPTY_OBJECT:
        yield _NO_BODY


def _header_blocks(headers: Mapping[str, str], *, joined: bool) -> Iterator[bytes]:
    names = [name for name in headers.get("signature-headers", "").split(":") if name]
    lines = [f"{name}:{headers.get(name.lower(), '')}" for name in names[:SIGNED_HEADERS_MAX]]
    yield wire_bytes("".join(f"{line}\n" for line in lines))
    if lines and joined:
        yield wire_bytes("\n".join(lines))


def _urls(path: str, query: str) -> Iterator[bytes]:
    """Yield path and query with the keys in order of their bytes and everything decoded.

    A path is signed as the program has it, which may or may not be as the wire has it.
    """
    pairs = sorted(
        (tuple(map(_decoded, pair.partition("="))) for pair in query.split("&") if pair),
        key=lambda pair: pair[0],
    )
    tail = b"?" + b"&".join(map(b"".join, pairs)) if pairs else b""
    raw = wire_bytes(path)
    plain = unquote_to_bytes(raw)
    yield plain + tail
    if plain != raw:
        yield raw + tail


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(wire_bytes(text.replace("+", " ")))
