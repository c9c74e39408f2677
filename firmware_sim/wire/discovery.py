"""What a device tells its LAN about itself, every few seconds, by UDP broadcast.

Versions 3.1 (plain, port 6666) and 3.3 (encrypted under a key that every client knows, port 6667).
Sources: jasonacox/tinytuya, tinytuya/scanner.py; ct-Open-Source/tuya-convert,
scripts/tuya-discovery.py; tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c.
"""

import msgspec

from firmware_sim.errors import Malformed, TooLarge, UsageError
from firmware_sim.wire import lan_frame
from firmware_sim.wire.ciphers import UDP_KEY, ecb_decrypt, ecb_encrypt
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.structs import decode_json, encode_json

PORT_PLAIN = 6666
PORT_ENCRYPTED = 6667
PORT_CONTROL = 6668

ACTIVE_NO = 0
ACTIVE_YES = 2


class Announcement(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """One announcement. `gw_id` is the uuid while unactivated, the device id afterwards.

    `active` is 0 or 2; `token` tells that the device takes a token over the LAN, i.e. that it can
    be paired by wire. The spelling of `ablilty` is the real one.
    """

    ip: str
    gw_id: str
    active: int
    ablilty: int
    encrypt: bool
    product_key: str
    version: str
    token: bool | None = None
    wf_cfg: bool | None = msgspec.field(default=None, name="wf_cfg")
    uuid: str | None = None

    @property
    def awaits_token(self) -> bool:
        """Say whether an app offers this device for wired pairing."""
        return bool(self.token) and self.active == ACTIVE_NO


def encode_announcement(announcement: Announcement) -> bytes:
    """Return the datagram for `announcement` in the form of its `version` ("3.1" or "3.3")."""
    text = encode_json(announcement)
    if announcement.version == "3.1":
        return lan_frame.encode(Frame(0, Command.UDP_PLAIN, text, 0))
    if announcement.version == "3.3":
        payload = ecb_encrypt(UDP_KEY, text)
        return lan_frame.encode(Frame(0, Command.UDP_ENCRYPTED, payload, 0))
    raise UsageError(f"LAN version {announcement.version!r}: announcements exist for 3.1 and 3.3")


def decode_announcement(datagram: bytes) -> Announcement:
    """Return what `datagram` announces: framed plain, framed encrypted, or a bare ciphertext.

    Raises a PeerError for anything else.
    """
    if len(datagram) > lan_frame.SIZE_MAX:
        raise TooLarge(f"a datagram of {len(datagram)} bytes; the limit is {lan_frame.SIZE_MAX}")
    return decode_json(Announcement, _text(datagram).rstrip(b"\x00"))


def _text(datagram: bytes) -> bytes:
    if not datagram.startswith(lan_frame.PREFIX):
        return ecb_decrypt(UDP_KEY, datagram)
    frame = lan_frame.decode(datagram, from_device=True)
    if frame.command == Command.UDP_PLAIN:
        return frame.payload
    if frame.command in (Command.UDP_ENCRYPTED, Command.UDP_ENCRYPTED_34):
        return ecb_decrypt(UDP_KEY, frame.payload)
    raise Malformed(f"frame command {frame.command:#x} is not an announcement")
