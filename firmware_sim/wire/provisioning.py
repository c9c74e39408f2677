"""How a token reaches a device: as a QR text before its lens, or in a frame over the LAN.

A token has 14 characters: region (2), the part that the activation request carries (8), and the
name of the environment (4). Sources: tuya/tuya-iotos-embeded-multimedia-demo,
demo_for_ipc/demo_src/tuya_ipc_qrcode_demo.c (QR keys s, p, t); tuya/TuyaOpen, src/
tuya_cloud_service/netmgr/netconn_wifi.c (token parts) and lan/tuya_lan.h (frame 0x0C).
"""

from enum import Enum
from typing import ClassVar

import msgspec

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import lan_frame, lan_frame_gcm
from firmware_sim.wire.ciphers import AP_KEY, KEY_3, UDP_KEY, ecb_encrypt
from firmware_sim.wire.lan_frame import Command, Frame, RawFrame
from firmware_sim.wire.lan_message import reveal
from firmware_sim.wire.lan_version import LanVersion
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


class TokenForm(Enum):
    """How a frame 0x0C is protected, while a device has no key of its own.

    Which of these an app uses with which device is known for the first two only, so a device takes
    them all and answers in the form in which it was asked.
    """

    PLAIN = "plain"
    ECB = "ecb"
    ECB_HMAC = "ecb_hmac"
    GCM = "gcm"
    GCM_KEY3 = "gcm_key3"
    GCM_AP = "gcm_ap"

    @property
    def sealed(self) -> bool:
        """Say whether its frames are of the family 6699, so that each needs a nonce."""
        return self in _GCM_KEYS


_GCM_KEYS = {TokenForm.GCM: UDP_KEY, TokenForm.GCM_KEY3: KEY_3, TokenForm.GCM_AP: AP_KEY}


class TokenBind(Secretive, frozen=True, gc=False):
    """A token that came over the LAN, and the form of its frame."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str
    form: TokenForm


class _TokenBody(msgspec.Struct, frozen=True, gc=False):
    token: str


def encode_token_bind(
    token_text: str, sequence: int, form: TokenForm = TokenForm.ECB, nonce: bytes = b""
) -> bytes:
    """Return the app's frame 0x0C: plain for devices that announce a LAN version below 3.3.

    `nonce` has 12 bytes and is needed in the GCM forms. Raises UsageError when it is not there, or
    when `token_text` is not a token.
    """
    try:
        parse_token(token_text)
    except Malformed as error:
        raise UsageError(str(error)) from error
    body = encode_json(_TokenBody(token_text))
    if form in (TokenForm.ECB, TokenForm.ECB_HMAC):
        body = ecb_encrypt(UDP_KEY, body)
    return _encode(Frame(sequence, Command.TOKEN_BIND, body), form, nonce)


def decode_token_bind(raw: RawFrame) -> TokenBind:
    """Return the token in a frame 0x0C, in whichever form it came; raise a PeerError."""
    form, body = _open(raw)
    token = decode_json(_TokenBody, body.rstrip(b"\x00")).token
    return TokenBind(parse_token(token).text, form)


def token_form(raw: RawFrame) -> TokenForm:
    """Return in which form a frame 0x0C came, also when its body is none of a token.

    Raises a PeerError when none fits: another command, or a check value under another key.
    """
    return _open(raw)[0]


def encode_token_bind_reply(
    sequence: int, return_code: int, form: TokenForm = TokenForm.ECB, nonce: bytes = b""
) -> bytes:
    """Return the device's answer to frame 0x0C: 0 taken, 1 refused; it has no body.

    `form` is that of the question, and `nonce` as in `encode_token_bind`.
    """
    return _encode(Frame(sequence, Command.TOKEN_BIND, b"", return_code), form, nonce)


def decode_token_bind_reply(raw: RawFrame, form: TokenForm) -> int:
    """Return the return code of an answer to a frame 0x0C in `form`; raise a PeerError."""
    _check_command(raw)
    if form in _GCM_KEYS:
        frame = lan_frame_gcm.decode(raw, _GCM_KEYS[form], from_device=True)
    else:
        frame = lan_frame.decode(raw, from_device=True, key=_hmac_key(form))
    return frame.return_code or 0


def _encode(frame: Frame, form: TokenForm, nonce: bytes) -> bytes:
    if form in _GCM_KEYS:
        return lan_frame_gcm.encode(frame, _GCM_KEYS[form], nonce)
    return lan_frame.encode(frame, _hmac_key(form))


def _hmac_key(form: TokenForm) -> bytes | None:
    return UDP_KEY if form is TokenForm.ECB_HMAC else None


def _check_command(raw: RawFrame) -> None:
    if raw.command != Command.TOKEN_BIND:
        raise Malformed(f"frame command {raw.command:#x} where {Command.TOKEN_BIND:#x} belongs")


def _open(raw: RawFrame) -> tuple[TokenForm, bytes]:
    """Return the form of a frame 0x0C that came from an app, and its body."""
    _check_command(raw)
    if raw.sealed:
        return _open_gcm(raw)
    try:
        frame = lan_frame.decode(raw, from_device=False)
    except BadChecksum:
        frame = lan_frame.decode(raw, from_device=False, key=UDP_KEY)
        return TokenForm.ECB_HMAC, _deciphered(frame, LanVersion.V34) or frame.payload
    try:  # no ciphertext is JSON by chance, but one may well begin with a brace
        decode_json(_TokenBody, frame.payload)
    except Malformed:
        body = _deciphered(frame, LanVersion.V33)
        return (TokenForm.PLAIN, frame.payload) if body is None else (TokenForm.ECB, body)
    return TokenForm.PLAIN, frame.payload


def _deciphered(frame: Frame, version: LanVersion) -> bytes | None:
    """Return what is under the common key as `version` has it, or None when nothing is."""
    try:
        return reveal(frame, version, UDP_KEY)
    except PeerError:
        return None


def _open_gcm(raw: RawFrame) -> tuple[TokenForm, bytes]:
    for form, key in _GCM_KEYS.items():
        try:
            frame = lan_frame_gcm.decode(raw, key, from_device=False)
        except BadChecksum:
            continue
        return form, reveal(frame, LanVersion.V35, key)
    raise BadChecksum("a token frame 6699 is under none of the common keys")
