"""What devices and clients say to the whole LAN by UDP: announcements and solicitations.

A device announces itself every few seconds, to port 6666 (version 3.1, plain) or 6667 (under a key
that every client knows); one of version 3.5 also answers a client that asks on port 7000. Sources:
jasonacox/tinytuya, tinytuya/scanner.py; ct-Open-Source/tuya-convert, scripts/tuya-discovery.py;
tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c.
"""

from ipaddress import AddressValueError, IPv4Address

import msgspec

from firmware_sim.errors import Malformed, TooLarge, UsageError
from firmware_sim.wire import lan_frame, lan_frame_gcm
from firmware_sim.wire.ciphers import UDP_KEY, ecb_decrypt, ecb_encrypt
from firmware_sim.wire.lan_frame import CODE, FAMILY_55AA, FAMILY_6699, SIZE_MAX, Command, Frame
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.structs import decode_json, encode_json

PORT_PLAIN = 6666
PORT_ENCRYPTED = 6667
PORT_CONTROL = 6668
PORT_SOLICITED = 7000

ACTIVE_NO = 0
ACTIVE_YES = 2

SECURITY_LEVEL = 1
"""What a device of version 3.5 announces as `sl`."""


class Announcement(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True, gc=False
):
    """One announcement. `gw_id` is the uuid while unactivated, the device id afterwards.

    `active` is 0 or 2; `token` tells that the device takes a token over the LAN, i.e. that it can
    be paired by wire; `sl` is a security level that 3.5 names. The spelling of `ablilty` is the
    real one, but for a few builds that spell it properly. Further fields of real devices (`mode`,
    `ssid`, `dps` and more) are ignored.
    """

    ip: str
    gw_id: str
    uuid: str | None = None
    active: int
    ablilty: int = msgspec.field(default_factory=int)  # a factory's value is sent, a default is not
    encrypt: bool
    product_key: str
    version: str
    sl: int | None = None
    token: bool | None = None
    wf_cfg: bool | None = msgspec.field(default=None, name="wf_cfg")

    @property
    def awaits_token(self) -> bool:
        """Say whether an app offers this device for wired pairing."""
        return bool(self.token) and self.active == ACTIVE_NO


def announcement_port(version: LanVersion) -> int:
    """Return the UDP port to which a device of `version` announces itself unasked."""
    return PORT_PLAIN if version is LanVersion.V31 else PORT_ENCRYPTED


def encode_announcement(announcement: Announcement, nonce: bytes = b"") -> bytes:
    """Return the datagram for `announcement`, in the form of its `version`.

    `nonce` has 12 bytes, new for each datagram; only 3.5 needs one. Raises UsageError for another
    version.
    """
    text, version = encode_json(announcement), announcement.version
    if version == LanVersion.V35:
        return lan_frame_gcm.encode(Frame(0, Command.UDP_ENCRYPTED, text, 0), UDP_KEY, nonce)
    if version == LanVersion.V31:
        return lan_frame.encode(Frame(0, Command.UDP_PLAIN, text, 0))
    if version not in _ECB_COMMANDS:
        raise UsageError(f"LAN version {version!r}: announcements exist for 3.1 to 3.5")
    return lan_frame.encode(Frame(0, _ECB_COMMANDS[version], ecb_encrypt(UDP_KEY, text), 0))


_ECB_COMMANDS: dict[str, Command] = {
    LanVersion.V32: Command.UDP_ENCRYPTED,
    LanVersion.V33: Command.UDP_ENCRYPTED,
    LanVersion.V34: Command.UDP_ENCRYPTED_34,
}


def decode_announcement(datagram: bytes) -> Announcement:
    """Return what `datagram` announces: in a frame of either family, or as a bare ciphertext.

    Raises a PeerError for anything else.
    """
    if len(datagram) > SIZE_MAX:
        raise TooLarge(f"a datagram of {len(datagram)} bytes; the limit is {SIZE_MAX}")
    return decode_json(Announcement, _announced(datagram).rstrip(b"\x00"))


def _announced(datagram: bytes) -> bytes:
    if datagram.startswith(FAMILY_6699.magic):
        return _unsealed(datagram, Command.UDP_ENCRYPTED)
    if not datagram.startswith(FAMILY_55AA.magic):
        return ecb_decrypt(UDP_KEY, datagram)
    frame = lan_frame.decode(datagram, from_device=True)
    if frame.command == Command.UDP_PLAIN:
        return frame.payload
    if frame.command in (Command.UDP_ENCRYPTED, Command.UDP_ENCRYPTED_34):
        return ecb_decrypt(UDP_KEY, frame.payload)
    raise Malformed(f"frame command {frame.command:#x} is not an announcement")


def _unsealed(datagram: bytes, command: Command) -> bytes:
    """Return the JSON in a frame 6699; one can have a return code or not, whoever sends it."""
    frame = lan_frame_gcm.decode(datagram, UDP_KEY, from_device=False)
    if frame.command != command:
        raise Malformed(f"frame command {frame.command:#x} where {command:#x} belongs")
    text = frame.payload
    return text if text.startswith(b"{") else text[CODE.size :]


class Solicitation(msgspec.Struct, frozen=True, gc=False):
    """A client's question to all devices of version 3.5: tell `ip` who you are.

    `sender` says what kind of client asks; the known ones say "app".
    """

    ip: str
    sender: str = msgspec.field(name="from")


def encode_solicitation(solicitation: Solicitation, nonce: bytes) -> bytes:
    """Return the datagram to send to port 7000 of everybody; `nonce` has 12 bytes."""
    text = encode_json({"from": solicitation.sender, "ip": solicitation.ip})
    return lan_frame_gcm.encode(Frame(0, Command.SOLICITATION, text), UDP_KEY, nonce)


def decode_solicitation(datagram: bytes) -> Solicitation:
    """Return who asks and where to; raise a PeerError unless both are there.

    Where to is a dotted quad: a host name would be looked up when the answer is sent.
    """
    said = decode_json(Solicitation, _unsealed(datagram, Command.SOLICITATION).rstrip(b"\x00"))
    try:
        IPv4Address(said.ip)
    except AddressValueError:
        raise Malformed("a solicitation names no IPv4 address to answer to") from None
    return said
