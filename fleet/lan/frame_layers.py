"""The frames of the LAN as Scapy layers, field by field; `layers` binds them to their ports.

A second description of the formats: it shares the cryptographic primitives with
`firmware_sim.wire` and nothing else, so that each can be tested by the other. Whatever is None
(length, crc, hmac, tag) is computed when a frame is built; whatever is given stays, right or wrong.
Sources: jasonacox/tinytuya, PROTOCOL.md and tinytuya/core/message_helper.py; tuya/TuyaOpen,
src/tuya_cloud_service/protocol/tuya_protocol.c.
"""

import struct
from base64 import b64decode, b64encode
from typing import Any, ClassVar
from zlib import crc32

from scapy.fields import (
    ByteField,
    Field,
    IntEnumField,
    IntField,
    StrField,
    StrFixedLenField,
    XIntField,
)
from scapy.layers.inet import TCP
from scapy.packet import Packet
from scapy.volatile import RandBin

from firmware_sim.errors import PeerError
from firmware_sim.wire.ciphers import (
    ecb_decrypt,
    ecb_encrypt,
    gcm_decrypt,
    gcm_encrypt,
    hmac_sha256,
    md5_hex,
)

PREFIX_55AA, SUFFIX_55AA = b"\x00\x00\x55\xaa", b"\x00\x00\xaa\x55"
PREFIX_6699, SUFFIX_6699 = b"\x00\x00\x66\x99", b"\x00\x00\x99\x66"
CONTROL_PORT = 6668

KINDS = {
    0x00: "UDP_PLAIN",
    0x03: "SESSION_START",
    0x04: "SESSION_RESPONSE",
    0x05: "SESSION_FINISH",
    0x07: "CONTROL",
    0x08: "STATUS",
    0x09: "HEART_BEAT",
    0x0A: "DP_QUERY",
    0x0C: "TOKEN_BIND",
    0x0D: "CONTROL_NEW",
    0x10: "DP_QUERY_NEW",
    0x12: "DP_REFRESH",
    0x13: "UDP_ENCRYPTED",
    0x1D: "LAN_RESET",
    0x23: "UDP_ENCRYPTED_34",
    0x25: "SOLICITATION",
    0x40: "EXT_STREAM",
    0xE3: "GATEWAY_UNBOUND",
    0xF9: "GATEWAY_RESET",
}

_WORD = struct.Struct(">I")
_HEADER_SIZE = 15  # version, CRC, sequence, source
_CLEAR_HEADERS = (b"3.2", b"3.3")
_TEXT_31_AT = 19  # behind "3.1" and its digest


# --- fields -------------------------------------------------------------------------------------


class _ReturnCode(IntField):
    """A return code; None when there is none, as in every frame of a client."""

    def addfield(self, pkt: Any, s: bytes, val: int | None) -> bytes:
        return s if val is None else super().addfield(pkt, s, val)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        return super().getfield(pkt, s) if pkt.has_code(s) else (s, None)


class _Body(StrField):
    """A body that is plain here and, if the frame has a key, encrypted on the wire."""

    def i2m(self, pkt: Any, x: Any) -> bytes:
        return bytes(pkt.conceal(super().i2m(pkt, x)))

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bytes]:
        size = pkt.body_size()
        return s[size:], pkt.reveal(s[:size])


def fields_55aa(
    kind: int = 0, code: int | None = None, check: Field[Any, Any] | None = None
) -> list[Any]:
    """Return the fields of a frame 55AA with these defaults; `check` replaces the CRC."""
    return [
        StrFixedLenField("prefix", PREFIX_55AA, 4),
        IntField("sequence", 0),
        IntEnumField("kind", kind, KINDS),
        IntField("length", None),
        _ReturnCode("return_code", code),
        _Body("body", b""),
        check or XIntField("crc", None),
        StrFixedLenField("suffix", SUFFIX_55AA, 4),
    ]


def fields_6699(kind: int = 0, code: int | None = None) -> list[Any]:
    """Return the fields of a frame 6699 with these defaults."""
    random: Any = RandBin(12)  # another one for each frame that is built
    return [
        StrFixedLenField("prefix", PREFIX_6699, 4),
        ByteField("version", 0),
        ByteField("reserved", 0),
        IntField("sequence", 0),
        IntEnumField("kind", kind, KINDS),
        IntField("length", None),
        StrFixedLenField("nonce", random, 12),
        _ReturnCode("return_code", code),
        _Body("body", b""),
        StrFixedLenField("tag", None, 16),
        StrFixedLenField("suffix", SUFFIX_6699, 4),
    ]


# --- layers -------------------------------------------------------------------------------------


class LanFrame(Packet):
    """What all frames share: a key, and further frames behind them in one segment.

    `key` (16 bytes) is the key under which `body` was opened and is encrypted when built. It is
    None when none was given or the one given did not fit: `body` is then as on the wire.
    """

    __slots__ = ("key",)
    KEY: ClassVar[bytes | None] = None
    HEAD: ClassVar[int] = 16
    """Bytes before return code and body."""
    TAIL: ClassVar[int] = 8
    """Bytes behind them."""
    LENGTH_AT: ClassVar[int] = 12
    COUNTED: ClassVar[int] = 8
    """Bytes besides them that the length counts."""

    def __init__(self, *args: Any, key: bytes | None = None, **fields: Any) -> None:
        self.key = key or self.KEY
        super().__init__(*args, **fields)

    def copy(self) -> Any:
        """Return a copy with the same key."""
        clone = super().copy()
        clone.key = self.key
        return clone

    def clone_with(self, payload: Any = None, **kargs: Any) -> Any:
        """Return a copy with other fields and the same key."""
        clone = super().clone_with(payload, **kargs)
        clone.key = self.key
        return clone

    def post_dissect(self, s: bytes) -> bytes:
        """Have an opened frame built from its fields again."""
        if self.key is not None:
            self.raw_packet_cache = None  # what was opened is not what was on the wire
        return s

    def mysummary(self) -> str:
        """Return one line that shows no body: it may hold a token."""
        kind = KINDS.get(self.kind, hex(self.kind))
        code = "" if self.return_code is None else f" ret {self.return_code}"
        return f"{self.name} {kind} seq {self.sequence}{code}"

    def room(self) -> int:
        """Return how many bytes of a frame being dissected are return code and body."""
        return max(0, int(self.length) - self.COUNTED)

    def body_size(self) -> int:
        """Return how many of them are the body."""
        return self.room() - (0 if self.return_code is None else _WORD.size)

    def has_code(self, rest: bytes) -> bool:
        """Say whether `rest`, in which a return code has its place, begins with one.

        The ports tell; without them it is a word that no body begins with.
        """
        if self.room() < _WORD.size:
            return False
        below = self.underlayer
        while isinstance(below, LanFrame):
            below = below.underlayer
        if isinstance(below, TCP):
            return bool(below.sport == CONTROL_PORT)
        return rest.startswith(b"\0\0\0")

    def conceal(self, plain: bytes) -> bytes:
        """Return what the field of the body holds on the wire."""
        return plain

    def reveal(self, wire: bytes) -> bytes:
        """Return the body, or `wire` itself when the key does not fit."""
        return wire

    def measured(self, pkt: bytes) -> bytes:
        """Return the built frame `pkt` with its length computed, unless it was given."""
        if self.length is not None:
            return pkt
        length = len(pkt) - self.HEAD - self.TAIL + self.COUNTED
        return pkt[: self.LENGTH_AT] + _WORD.pack(length) + pkt[self.LENGTH_AT + _WORD.size :]


class Lan55AA(LanFrame):
    """The frame of versions 3.1 to 3.3, and of the announcements of 3.1 to 3.4: with a CRC.

    Under a key, `body` says by its beginning which version is to encrypt it: "3.1" and JSON; "3.2"
    or "3.3", twelve more bytes of header and JSON; or JSON alone.
    """

    name = "55AA"
    fields_desc = fields_55aa()

    def conceal(self, plain: bytes) -> bytes:
        """Return `plain` as its version encrypts it."""
        if self.key is None or self.kind == 0:  # plain announcements
            return plain
        if plain.startswith(b"3.1"):
            text = b64encode(ecb_encrypt(self.key, plain[3:]))
            digest = md5_hex(b"data=" + text + b"||lpv=3.1||" + self.key)
            return b"3.1" + digest[8:24].encode() + text
        clear = _HEADER_SIZE if plain.startswith(_CLEAR_HEADERS) else 0
        return plain[:clear] + ecb_encrypt(self.key, plain[clear:])

    def reveal(self, wire: bytes) -> bytes:
        """Return the body; `key` becomes None when `wire` was not made with it."""
        if self.key is not None:
            try:
                plain = self.decrypt(self.key, wire)
                if self.conceal(plain) == wire:
                    return plain
            except (PeerError, ValueError):
                pass
        self.key = None
        return wire

    def decrypt(self, key: bytes, wire: bytes) -> bytes:
        """Return the plain body; raises PeerError or ValueError when `wire` has another form."""
        if wire.startswith(b"3.1"):
            return b"3.1" + ecb_decrypt(key, b64decode(wire[_TEXT_31_AT:], validate=True))
        clear = _HEADER_SIZE if wire.startswith(_CLEAR_HEADERS) else 0
        return wire[:clear] + ecb_decrypt(key, wire[clear:])

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Compute length and check value."""
        return self.checked(self.measured(pkt)) + pay

    def checked(self, pkt: bytes) -> bytes:
        """Return the built frame `pkt` with its CRC computed, unless it was given."""
        if self.crc is not None:
            return pkt
        return pkt[:-8] + _WORD.pack(crc32(pkt[:-8])) + pkt[-4:]


class Lan55AAHmac(Lan55AA):
    """The frame of version 3.4: with an HMAC, which takes a key; all of `body` is encrypted."""

    name = "55AA-HMAC"
    fields_desc = fields_55aa(check=StrFixedLenField("hmac", None, 32))
    TAIL = COUNTED = 36

    def conceal(self, plain: bytes) -> bytes:
        """Return `plain` encrypted."""
        return plain if self.key is None else ecb_encrypt(self.key, plain)

    def decrypt(self, key: bytes, wire: bytes) -> bytes:
        """Return `wire` decrypted; raises PeerError when it is no ciphertext."""
        return ecb_decrypt(key, wire)

    def checked(self, pkt: bytes) -> bytes:
        """Return the built frame `pkt` with its HMAC computed, unless it was given."""
        if self.hmac is not None or self.key is None:
            return pkt
        return pkt[:-36] + hmac_sha256(self.key, pkt[:-36]) + pkt[-4:]


class Lan6699(LanFrame):
    """The frame of version 3.5; unopened, `body` is ciphertext, return code included."""

    name = "6699"
    fields_desc = fields_6699()
    HEAD, TAIL, LENGTH_AT, COUNTED = 30, 20, 14, 28

    def has_code(self, rest: bytes) -> bool:
        """Say whether a return code is seen, which takes a frame that is open."""
        return self.key is not None and super().has_code(rest)

    def pre_dissect(self, s: bytes) -> bytes:
        """Open the frame with which `s` begins."""
        if self.key is None:
            return s
        end = self.HEAD - self.COUNTED + _WORD.unpack_from(s, self.LENGTH_AT)[0]
        try:
            plain = gcm_decrypt(self.key, s[18:30], s[30 : end + 16], s[4:18])
        except PeerError:
            self.key = None
            return s
        return s[: self.HEAD] + plain + s[end:]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Compute length and tag, and encrypt."""
        pkt = self.measured(pkt)
        if self.key is None:
            return pkt + pay
        sealed = gcm_encrypt(self.key, pkt[18:30], pkt[30:-20], pkt[4:18])
        if self.tag is not None:
            sealed = sealed[:-16] + pkt[-20:-4]
        return pkt[:30] + sealed + pkt[-4:] + pay
