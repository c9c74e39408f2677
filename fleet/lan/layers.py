"""Scapy layers for what the LAN speaks, bound to its ports; import this to have them.

    Ether(data)                                     UDP 6666, 6667, 7000 and TCP 6668, by magic
    Lan6699(data, key=key).body                     opened, when the key fits
    bytes(Lan55AAHmac(sequence=3, kind=0x10, body=b"{}", key=key))
    fuzz(Lan55AA(prefix=PREFIX_55AA, suffix=SUFFIX_55AA))

Bytes that are no whole frame stay Raw. Announcements and solicitations are opened at once: their
key is public. Source: jasonacox/tinytuya, tinytuya/scanner.py.

This imports Scapy, which looks at every address of the host: that takes seconds where there are
thousands, so nothing that serves or records devices imports it.
"""

import struct
from typing import Any
from zlib import crc32

from scapy.layers.inet import TCP, UDP
from scapy.packet import Packet, Raw, bind_bottom_up, bind_top_down

from firmware_sim.wire.ciphers import UDP_KEY
from fleet.lan.frame_layers import (
    CONTROL_PORT,
    PREFIX_55AA,
    PREFIX_6699,
    SUFFIX_55AA,
    SUFFIX_6699,
    Lan55AA,
    Lan55AAHmac,
    Lan6699,
    fields_55aa,
    fields_6699,
)

__all__ = [
    "CONTROL_PORT",
    "DISCOVERY_PORTS",
    "PREFIX_55AA",
    "PREFIX_6699",
    "SUFFIX_55AA",
    "SUFFIX_6699",
    "Discovery",
    "Discovery55AA",
    "Discovery6699",
    "Lan",
    "Lan55AA",
    "Lan55AAHmac",
    "Lan6699",
]

DISCOVERY_PORTS = (6666, 6667, 7000)

_WORD = struct.Struct(">I")
_HMAC_SIZE_MIN = 52


class Discovery55AA(Lan55AA):
    """An announcement of 3.1 (kind 0, plain) or of 3.2 to 3.4; `body` is JSON."""

    name = "55AA discovery"
    fields_desc = fields_55aa(kind=0x13, code=0)
    KEY = UDP_KEY


class Discovery6699(Lan6699):
    """An announcement of 3.5, or a solicitation (kind 0x25, no return code); `body` is JSON."""

    name = "6699 discovery"
    fields_desc = fields_6699(kind=0x13, code=0)
    KEY = UDP_KEY


# --- by magic -----------------------------------------------------------------------------------


def _size(data: bytes) -> int:
    """Return the size of the whole frame with which `data` begins; 0 when there is none."""
    for layer, prefix in ((Lan55AA, PREFIX_55AA), (Lan6699, PREFIX_6699)):
        if data.startswith(prefix) and len(data) >= layer.HEAD:
            room = _WORD.unpack_from(data, layer.LENGTH_AT)[0] - layer.COUNTED
            size = layer.HEAD + room + layer.TAIL
            return size if room >= 0 and size <= len(data) else 0
    return 0


class Lan(Packet):
    """What is bound to the control port: becomes a frame of either family, or Raw."""

    name = "LAN"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *_args: Any, **_options: Any) -> type[Packet]:
        """Choose the layer for `_pkt` by its first frame."""
        size = _size(_pkt)
        if not size:
            return Raw
        if _pkt.startswith(PREFIX_6699):
            return Lan6699
        crc = _WORD.pack(crc32(_pkt[: size - 8]))
        fits = _pkt[size - 8 : size - 4] == crc
        return Lan55AA if fits or size < _HMAC_SIZE_MIN else Lan55AAHmac


class Discovery(Packet):
    """What is bound to the discovery ports: becomes a datagram of either family, or Raw."""

    name = "LAN discovery"

    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *_args: Any, **_options: Any) -> type[Packet]:
        """Choose the layer for `_pkt` by its magic."""
        if not _size(_pkt):
            return Raw
        return Discovery6699 if _pkt.startswith(PREFIX_6699) else Discovery55AA


def _bind() -> None:
    for frame in (Lan55AA, Lan55AAHmac, Lan6699, Discovery55AA, Discovery6699):
        bind_bottom_up(frame, Lan)  # the next one in the same segment
    for port in DISCOVERY_PORTS:
        bind_bottom_up(UDP, Discovery, dport=port)
    bind_bottom_up(TCP, Lan, dport=CONTROL_PORT)
    bind_bottom_up(TCP, Lan, sport=CONTROL_PORT)
    for frame in (Lan55AA, Lan55AAHmac, Lan6699):
        bind_top_down(TCP, frame, dport=CONTROL_PORT)
    bind_top_down(UDP, Discovery55AA, dport=6667)
    bind_top_down(UDP, Discovery6699, dport=7000)


_bind()
