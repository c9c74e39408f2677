"""What frames say, as far as the keys at hand tell: one connection or one datagram at a time.

Follows the negotiation of a session key in 3.4 and 3.5 as the two ends do, and says of each frame
that stays closed why. Sources as in `firmware_sim.wire.lan_message` and `lan_session`.
"""

from typing import NamedTuple
from zlib import crc32

from firmware_sim.errors import BadChecksum, PeerError
from firmware_sim.wire import lan_frame, lan_frame_gcm, lan_session
from firmware_sim.wire.ciphers import AP_KEY, KEY_3, UDP_KEY, ecb_decrypt
from firmware_sim.wire.lan_frame import CODE, FAMILY_55AA, Command, Frame, RawFrame
from firmware_sim.wire.lan_message import reveal, unframe
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan.known_devices import DeviceBook

_COMMON_KEYS = (UDP_KEY, KEY_3, AP_KEY)
_NEGOTIATION = (Command.SESSION_START, Command.SESSION_RESPONSE, Command.SESSION_FINISH)
_OLD = {version.value.encode(): version for version in LanVersion if not version.negotiates}
_HMAC_SIZE_MIN = 52


class Said(NamedTuple):
    """What a frame says: version ("" if it cannot be told), return code, body, and a note.

    The note says what is remarkable, or why there is no body; it quotes nothing.
    """

    version: str
    return_code: int | None
    body: bytes = b""
    note: str = ""


class Conversation:
    """One connection to the device at an address, which `book` may know."""

    __slots__ = ("_book", "_ip", "_key", "_rand_a", "_rand_b", "_session")

    def __init__(self, book: DeviceBook, ip: str) -> None:
        """Begin. The book is asked for each frame: it learns while a recording is read."""
        self._book = book
        self._ip = ip
        self._key = self._rand_a = self._rand_b = self._session = b""

    def read(self, raw: RawFrame, *, from_device: bool) -> Said:
        """Return what the next frame says."""
        device = self._book.device_at(self._ip)
        self._key = device.key if device is not None else b""
        if raw.sealed:
            return self._negotiated(raw, LanVersion.V35, from_device=from_device)
        if _crc_fits(raw):
            return self._old(raw, from_device=from_device)
        if len(raw.data) < _HMAC_SIZE_MIN:
            return Said("", _clear_code(raw, from_device=from_device), note="the CRC does not fit")
        return self._negotiated(raw, LanVersion.V34, from_device=from_device)

    def _old(self, raw: RawFrame, *, from_device: bool) -> Said:
        """Read a frame with a CRC: 3.1 to 3.3, which the body may tell apart."""
        try:
            frame = lan_frame.decode(raw, from_device=from_device)
        except PeerError as error:
            return Said("", None, note=str(error))
        code, payload = frame.return_code, frame.payload
        version = _OLD.get(payload[:3])
        spoken = self._book.version_at(self._ip)
        if spoken is not None and spoken.negotiates:
            spoken = None  # of old, perhaps; this frame is older
        if version is None and _is_text(payload):
            return Said(spoken or "", code, payload)
        if spoken is LanVersion.V31:
            spoken = None  # which is text throughout
        version = version or spoken or LanVersion.V33
        for key in self._keys(raw.command, version):
            try:
                return Said(version, code, reveal(frame, version, key))
            except PeerError:
                continue
        return Said(version, code, note=self._why_closed(version))

    def _negotiated(self, raw: RawFrame, version: LanVersion, *, from_device: bool) -> Said:
        for key in self._keys(raw.command, version):
            try:
                frame = unframe(raw, version, key, from_device=from_device)
                body = reveal(frame, version, key)
            except PeerError:
                continue
            if raw.command in _NEGOTIATION:
                return Said(version, frame.return_code, note=self._negotiate(frame, body, version))
            return Said(version, frame.return_code, body)
        code = _clear_code(raw, from_device=from_device)
        return Said(version, code, note=self._why_closed(version))

    def _keys(self, command: int, version: LanVersion) -> list[bytes]:
        """Return the keys that may open a frame, likely ones first."""
        own = self._key
        if version.negotiates and command not in _NEGOTIATION:
            own = self._session
        common = _COMMON_KEYS if command == Command.TOKEN_BIND else ()
        return [key for key in (own, *common) if key]

    def _why_closed(self, version: LanVersion) -> str:
        if not self._key:
            return "no key for this device"
        if version.negotiates and not self._session and not self._rand_a:
            return "no session key: its negotiation was not recorded"
        return "no key fits, or the frame is damaged"

    def _negotiate(self, frame: Frame, body: bytes, version: LanVersion) -> str:
        """Take a step of the negotiation; return a note about it."""
        try:
            if frame.command == Command.SESSION_START:
                self._rand_a = lan_session.start_random(body)
                self._rand_b = self._session = b""
                return "begins a session"
            if frame.command == Command.SESSION_RESPONSE:
                if not self._rand_a:
                    return "answers a beginning that was not recorded"
                self._rand_b = lan_session.check_response(body, self._key, self._rand_a)
                self._session = lan_session.session_key(
                    version, self._key, self._rand_a, self._rand_b
                )
                return "proves the local key"
            if not self._rand_b:
                return "ends a negotiation that was not recorded"
            lan_session.check_finish(body, self._key, self._rand_b)
        except BadChecksum:
            return "its proof of the local key is wrong"
        except PeerError as error:
            return str(error)
        return "proves the local key"


def read_datagram(data: bytes) -> tuple[RawFrame | None, Said]:
    """Return the frame in a datagram of discovery, if there is one, and what it says."""
    try:
        raw = lan_frame.cut(data)
    except PeerError:
        return None, _bare(data)
    try:
        return raw, (_sealed(raw) if raw.sealed else _announced(raw))
    except PeerError as error:
        return raw, Said("", None, note=str(error))


def _bare(data: bytes) -> Said:
    """Read a ciphertext without a frame, which some clients accept for an announcement."""
    try:
        return Said("", None, ecb_decrypt(UDP_KEY, data), "without a frame")
    except PeerError:
        return Said("", None, note=f"no frame: {len(data)} bytes")


def _sealed(raw: RawFrame) -> Said:
    for key in (UDP_KEY, AP_KEY):
        try:
            plain = lan_frame_gcm.decode(raw, key, from_device=False).payload
        except BadChecksum:
            continue
        if plain.startswith(b"\0\0\0"):  # clients take both, so both are sent
            return Said(LanVersion.V35, CODE.unpack_from(plain)[0], plain[CODE.size :])
        return Said(LanVersion.V35, None, plain)
    return Said(LanVersion.V35, None, note="no common key fits, or the frame is damaged")


def _announced(raw: RawFrame) -> Said:
    frame = lan_frame.decode(raw, from_device=True)
    if raw.command == Command.UDP_PLAIN or _is_text(frame.payload):
        return Said("", frame.return_code, frame.payload)
    return Said("", frame.return_code, ecb_decrypt(UDP_KEY, frame.payload))


def _crc_fits(raw: RawFrame) -> bool:
    return int.from_bytes(raw.data[-8:-4], "big") == crc32(raw.data[:-8])


def _clear_code(raw: RawFrame, *, from_device: bool) -> int | None:
    """Return the return code of a frame whose body is closed, if it is outside."""
    if raw.sealed or not from_device:
        return None
    return int(CODE.unpack_from(raw.data, FAMILY_55AA.head.size)[0])


def _is_text(payload: bytes) -> bool:
    try:
        return payload.decode().isprintable()
    except UnicodeDecodeError:
        return False
