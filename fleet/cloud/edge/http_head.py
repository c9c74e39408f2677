"""The head of a request: which target and host it names, and which of its headers the cloud is told.

Also the head lines of a response. Bytes in, texts out; nothing here knows a connection. HTTP is
RFC 9110 and RFC 9112.
"""

import re
from collections.abc import Iterable

import httptools

Header = tuple[bytes, bytes]

# The headers that the cloud reads; others only if they are signed, so a secret in one goes nowhere.
_READ = frozenset(
    {
        b"access_token",
        b"authorization",
        b"client_id",
        b"content-type",
        b"cookie",
        b"host",
        b"nonce",
        b"origin",
        b"sign",
        b"sign_method",
        b"signature-headers",
        b"t",
    }
)
_AUTHORITY_END = re.compile(rb"[/?#]")
_NO_CONTROLS = bytes(max(byte, ord(" ")) for byte in range(256))  # they would end a header


def target_of(url: bytes) -> tuple[str, str]:
    """Return path and query of what was asked for, "" for what is not ours to serve.

    Also the host that it names, which counts instead of the header (RFC 9112, section 3.2.2), or "".
    """
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return "", ""
    path, query, authority = parsed.path or b"/", parsed.query, b""
    if parsed.host:
        authority = _AUTHORITY_END.split(url.partition(b"//")[2], maxsplit=1)[0]
    if not path.isascii():
        return "", ""
    return (path + b"?" + query if query else path).decode("latin-1"), authority.decode("latin-1")


def told_of(headers: Iterable[Header]) -> dict[str, str]:
    """Return the headers that the node is told; of several with one name the last."""
    told = {name: value for name, value in headers if name in _READ}
    if b"signature-headers" in told:
        signed = set(told[b"signature-headers"].lower().split(b":"))
        told |= {name: value for name, value in headers if name in signed}
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in told.items()}


def lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Return headers of a response as they stand in its head; none can hold another one."""
    fields = (f"{name}: {text}".encode("ascii", "replace") for name, text in headers)
    return b"".join(field.translate(_NO_CONTROLS) + b"\r\n" for field in fields)
