"""One LAN client of a device: whose frames are taken, under which key, and how answers are sealed.

Versions 3.1 to 3.3 answer every frame whose checksum fits; 3.4 and 3.5 negotiate a session key
first. What is dropped, what is ignored and what closes the connection is the vendor's choice
(tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c), except where the public clients have seen
other firmware (jasonacox/tinytuya, tinytuya/scanner.py): a key exchange under a wrong key, or a
frame of an older version, has the connection closed at once.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware_sim.effects import LanClose, LanSend
from firmware_sim.errors import BadChecksum, PeerError
from firmware_sim.wire import lan_message, lan_session
from firmware_sim.wire.ciphers import NONCE_SIZE
from firmware_sim.wire.lan_frame import Command, Frame, FrameCutter, RawFrame
from firmware_sim.wire.lan_version import LanVersion

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

IGNORED_MAX = 3
"""Frames out of season that a client may send before its session key stands."""
DONE, REFUSED = 0, 1


class Client:
    """One connected client. `key` is the session key, `randoms` what it will be made of."""

    __slots__ = ("conn", "cutter", "heard_ms", "ignored", "key", "peer_sequence", "randoms", "sent")

    def __init__(self, conn: int, now_ms: int) -> None:
        """Start with an empty buffer and no key."""
        self.conn = conn
        self.cutter = FrameCutter()
        self.heard_ms = now_ms
        self.ignored = 0
        self.key: bytes | None = None
        self.randoms: tuple[bytes, bytes] | None = None
        self.peer_sequence = -1
        self.sent = 0


# --- in -----------------------------------------------------------------------------------------


def read(device: "Device", client: Client, raw: RawFrame) -> Frame | None:
    """Return the frame to act on, its payload as `lan_message.reveal` takes it; None if none."""
    secured = device.lan_version.negotiates
    key = client.key or device.local_key
    try:
        frame = lan_message.unframe(raw, device.lan_version, key, from_device=False)
    except PeerError as error:
        device.note("bad_lan", str(error))
        if secured and client.key is None:
            _bear_or_close(device, client, raw)
        return None
    if not secured:
        return frame
    if frame.sequence < _lowest_sequence(device, client):
        device.note("bad_lan", f"sequence {frame.sequence} after {client.peer_sequence}")
        close(device, client)
        return None
    client.peer_sequence = frame.sequence
    if client.key is None:
        _BEFORE_KEY.get(frame.command, _ignore)(device, client, frame)
        return None
    if frame.command in _BEFORE_KEY:
        device.note("bad_lan", "a key exchange on top of a key")
        close(device, client)
        return None
    return frame


def _lowest_sequence(device: "Device", client: Client) -> int:
    """Return what a frame must be numbered with at least: more than the one before.

    The last step of the 3.4 key exchange may have the number of the first: codetheweb/tuyapi sends
    it so, and finds devices that take it.
    """
    repeats = client.key is None and device.lan_version is LanVersion.V34
    return client.peer_sequence + (0 if repeats else 1)


def _bear_or_close(device: "Device", client: Client, raw: RawFrame) -> None:
    """Bear a client that offers the key exchange in both families; close on anything else."""
    if raw.command == Command.SESSION_START and raw.sealed != device.lan_version.sealed:
        _count_ignored(device, client)
    else:
        close(device, client)


def _ignore(device: "Device", client: Client, frame: Frame) -> None:
    device.note("lan_ignored", f"command 0x{frame.command:02x} before a session key")
    _count_ignored(device, client)


def _count_ignored(device: "Device", client: Client) -> None:
    client.ignored += 1
    if client.ignored > IGNORED_MAX:
        close(device, client)


def _start(device: "Device", client: Client, frame: Frame) -> None:
    """Answer the client's random number with ours, and prove that we know the local key."""
    try:
        theirs = lan_session.start_random(_body(device, client, frame))
    except PeerError as error:
        _fail(device, client, error)
        return
    ours = device.rng.bytes(lan_session.RANDOM_SIZE)
    client.randoms = theirs, ours
    client.sent = 1 + device.rng.below(0xFFFF)
    body = lan_session.response(device.local_key, theirs, ours)
    reply(device, client, frame, DONE, body, command=Command.SESSION_RESPONSE)


def _finish(device: "Device", client: Client, frame: Frame) -> None:
    """Check the client's proof; from here on the session key holds."""
    if client.randoms is None:
        _ignore(device, client, frame)
        return
    try:
        lan_session.check_finish(_body(device, client, frame), device.local_key, client.randoms[1])
    except PeerError as error:
        _fail(device, client, error)
        return
    client.key = lan_session.session_key(device.lan_version, device.local_key, *client.randoms)
    client.randoms = None


def _fail(device: "Device", client: Client, error: PeerError) -> None:
    """Close a client that does not know the key; a step that is too short counts for nothing."""
    device.note("bad_lan", str(error))
    if isinstance(error, BadChecksum):
        close(device, client)
    else:
        _count_ignored(device, client)


def _body(device: "Device", client: Client, frame: Frame) -> bytes:
    return lan_message.reveal(frame, device.lan_version, client.key or device.local_key)


_BEFORE_KEY: dict[int, Callable[["Device", Client, Frame], None]] = {
    Command.SESSION_START: _start,
    Command.SESSION_RESPONSE: _ignore,
    Command.SESSION_FINISH: _finish,
}


def reveal(device: "Device", client: Client, frame: Frame) -> bytes:
    """Return the body of a frame that was read; raises PeerError when it cannot be decrypted."""
    return _body(device, client, frame)


# --- out ----------------------------------------------------------------------------------------


def reply(
    device: "Device",
    client: Client,
    request: Frame,
    code: int,
    body: bytes = b"",
    *,
    command: int | None = None,
) -> None:
    """Answer a frame, under its own command and sequence number unless the version counts alone."""
    _send(device, client, Frame(request.sequence, command or request.command, body, code))


def push(device: "Device", command: int, body: bytes) -> None:
    """Tell every client that may hear it."""
    for client in (device.clients or {}).values():
        if client.key is not None or not device.lan_version.negotiates:
            _send(device, client, Frame(0, command, body, DONE))


def _send(device: "Device", client: Client, frame: Frame) -> None:
    version, nonce = device.lan_version, b""
    if version is LanVersion.V35:
        nonce = device.rng.bytes(NONCE_SIZE)
        frame = Frame(client.sent, frame.command, frame.payload, frame.return_code)
        client.sent += 1
    data = lan_message.seal(
        frame,
        version,
        client.key or device.local_key,
        nonce=nonce,
        header_sequence=device.next_sequence() if frame.command == Command.STATUS else 0,
    )
    device.emit(LanSend(client.conn, data))


def close(device: "Device", client: Client) -> None:
    """Close a client."""
    forget(device, client.conn)
    device.emit(LanClose(client.conn))


def forget(device: "Device", conn: int) -> None:
    """Forget a client that is gone."""
    if device.clients and conn in device.clients:
        device.clients = {c: each for c, each in device.clients.items() if c != conn} or None
