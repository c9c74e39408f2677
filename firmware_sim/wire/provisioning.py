"""How a token reaches a device: as a QR text before its lens, or in a frame over the LAN.

A token has 14 characters: region (2), the part that the activation request carries (8), and the
name of the environment (4). Sources: tuya/tuya-iotos-embeded-multimedia-demo,
demo_for_ipc/demo_src/tuya_ipc_qrcode_demo.c (QR keys s, p, t); tuya/TuyaOpen, src/
tuya_cloud_service/netmgr/netconn_wifi.c (token parts) and lan/tuya_lan.h (frame 0x0C).
"""

from typing import ClassVar

import msgspec

from firmware_sim.errors import Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import lan_frame
from firmware_sim.wire.ciphers import UDP_KEY, ecb_decrypt, ecb_encrypt
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.structs import Secretive, decode_json, encode_json

REGION_SIZE, INNER_SIZE, SECRET_SIZE = 2, 8, 4
TOKEN_SIZE = REGION_SIZE + INNER_SIZE + SECRET_SIZE
SSID_BYTES_MAX = 32
PASSWORD_BYTES_MAX = 64
QR_BYTES_MAX = 1024
"""More than the longest legal text needs, even with every character escaped."""


class TokenParts(Secretive, frozen=True, gc=False):
    """The three parts of a token; `token` is what the activation request carries."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token", "secret"})

    region: str
    token: str
    secret: str

    @property
    def text(self) -> str:
        """Return the 14 characters that travel in a QR code or a LAN frame."""
        return self.region + self.token + self.secret


def parse_token(text: str) -> TokenParts:
    """Cut a token text into its parts; raise Malformed unless it has 14 printable characters."""
    if len(text) != TOKEN_SIZE or not text.isascii() or not text.isprintable() or " " in text:
        raise Malformed(f"a token has {TOKEN_SIZE} printable ASCII characters")
    inner = REGION_SIZE + INNER_SIZE
    return TokenParts(text[:REGION_SIZE], text[REGION_SIZE:inner], text[inner:])


class QrText(Secretive, frozen=True, gc=False):
    """What the app's QR code tells a camera: the Wi-Fi network and the token."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"password", "token"})

    ssid: str = msgspec.field(name="s")
    password: str = msgspec.field(name="p")
    token: str = msgspec.field(name="t")


def encode_qr(qr: QrText) -> bytes:
    """Return the UTF-8 JSON to draw; raise UsageError when no firmware could read it back."""
    try:
        _check_qr(qr)
    except Malformed as error:
        raise UsageError(f"QR text: {error}") from error
    return encode_json(qr)


def decode_qr(data: bytes) -> QrText:
    """Return what a lens has read; the order of keys is free and further keys are ignored.

    Raises TooLarge or Malformed: not UTF-8, not this JSON, a name, password or token out of bounds.
    """
    if len(data) > QR_BYTES_MAX:
        raise TooLarge(f"a QR text of {len(data)} bytes; the limit is {QR_BYTES_MAX}")
    qr = decode_json(QrText, data)
    _check_qr(qr)
    return qr


def _check_qr(qr: QrText) -> None:
    parse_token(qr.token)
    if len(qr.ssid.encode()) > SSID_BYTES_MAX:
        raise Malformed(f"a network name has at most {SSID_BYTES_MAX} bytes")
    if len(qr.password.encode()) > PASSWORD_BYTES_MAX:
        raise Malformed(f"a Wi-Fi password has at most {PASSWORD_BYTES_MAX} bytes")


class TokenBind(Secretive, frozen=True, gc=False):
    """A token that came over the LAN, and whether its frame was encrypted."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str
    encrypted: bool


class _TokenBody(msgspec.Struct, frozen=True, gc=False):
    token: str


def encode_token_bind(token_text: str, sequence: int, *, encrypted: bool = True) -> bytes:
    """Return the app's frame 0x0C; encrypted for devices that announce LAN version 3.3 or later.

    Raises UsageError when `token_text` is not a token.
    """
    try:
        parse_token(token_text)
    except Malformed as error:
        raise UsageError(str(error)) from error
    payload = encode_json(_TokenBody(token_text))
    if encrypted:
        payload = ecb_encrypt(UDP_KEY, payload)
    return lan_frame.encode(Frame(sequence, Command.TOKEN_BIND, payload))


def decode_token_bind(payload: bytes) -> TokenBind:
    """Return the token in the payload of a frame 0x0C, plain or encrypted; raise a PeerError."""
    try:
        body, encrypted = decode_json(_TokenBody, payload), False
    except PeerError:  # no ciphertext is JSON by chance, but one may well begin with a brace
        body, encrypted = decode_json(_TokenBody, ecb_decrypt(UDP_KEY, payload)), True
    return TokenBind(parse_token(body.token).text, encrypted)


def encode_token_bind_reply(sequence: int, return_code: int) -> bytes:
    """Return the device's answer to frame 0x0C: 0 taken, 1 refused; it has no body."""
    return lan_frame.encode(Frame(sequence, Command.TOKEN_BIND, b"", return_code))
