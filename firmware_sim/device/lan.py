"""The LAN side of a wired device: announcements, and the token that an app hands over.

An unactivated device with its link up announces itself by UDP broadcast; the app lists those with
`token` true and `active` 0, opens TCP 6668 and sends frame 0x0C (vendor page "Device Binding over
LAN"; port, interval and client limit as in tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c).
An activated device refuses the frame with return code 1. Everything else of LAN control answers
heartbeats only. The port is open while the application runs and the cable is in.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware_sim.device.signals import TokenOffered
from firmware_sim.device.timers import Timer
from firmware_sim.effects import Broadcast, CloseLan, LanClose, LanSend, OpenLan
from firmware_sim.errors import PeerError
from firmware_sim.events import Event, LanOpened, LanReceived, LinkUp
from firmware_sim.wire import discovery, lan_frame, provisioning

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

FRAME_SIZE_MAX = 512  # the receive buffer of the vendor's devices
ACTIVE_NO, ACTIVE_YES = 0, 2
FIRST_ANNOUNCEMENT_MS = 1000


class Client:
    """One connected LAN client."""

    __slots__ = ("decoder", "heard_ms")

    def __init__(self, now_ms: int) -> None:
        """Start with an empty buffer."""
        self.decoder = lan_frame.FrameDecoder(from_device=False, size_max=FRAME_SIZE_MAX)
        self.heard_ms = now_ms


# --- announcements ------------------------------------------------------------------------------


def announce_soon(device: "Device") -> None:
    """Announce within a second: the exact moment differs from device to device."""
    if device.profile.wired and device.ip:
        device.arm(Timer.ANNOUNCE, 1 + device.rng.below(FIRST_ANNOUNCEMENT_MS))


def announce(device: "Device", _: Event | None = None) -> None:
    """Broadcast who we are, unless no more clients are taken, and arm the next time."""
    if not (device.profile.wired and device.ip):
        return
    device.arm(Timer.ANNOUNCE, device.profile.timings.announce_ms)
    if not _is_full(device):
        data = discovery.encode_announcement(_card(device))
        device.emit(Broadcast(discovery.PORT_ENCRYPTED, data))


def _card(device: "Device") -> discovery.Announcement:
    activated = device.flash.activated
    return discovery.Announcement(
        ip=device.ip,
        gw_id=device.flash.dev_id if activated else device.identity.uuid,
        active=ACTIVE_YES if activated else ACTIVE_NO,
        ablilty=0,
        encrypt=True,
        product_key=device.identity.product_id,
        version=device.profile.firmware.lan_version,
        token=not activated,
        wf_cfg=False,
    )


# --- clients ------------------------------------------------------------------------------------


def serve(device: "Device", _: Event | None = None) -> None:
    """Accept LAN clients, if the cable is in."""
    if device.profile.wired and device.ip:
        device.emit(OpenLan(discovery.PORT_CONTROL))


def plugged(device: "Device", event: LinkUp) -> None:
    """Take the address that came with the cable, and accept LAN clients."""
    device.ip = event.ip
    serve(device)


def appear(device: "Device", event: LinkUp) -> None:
    """Do the same, and say at once that we are here."""
    plugged(device, event)
    announce(device)


def shut(device: "Device") -> None:
    """Forget all LAN clients and accept no more."""
    if device.profile.wired and device.ip:
        device.clients = None
        device.timers.disarm(Timer.LAN_IDLE)
        device.emit(CloseLan())


def opened(device: "Device", event: LanOpened) -> None:
    """Take a client, or close at once when the limit is reached, as the vendor's device does."""
    if _is_full(device):
        device.emit(LanClose(event.conn))
        return
    device.clients = {**(device.clients or {}), event.conn: Client(device.now_ms)}
    if not device.timers.armed(Timer.LAN_IDLE):
        device.arm(Timer.LAN_IDLE, device.profile.timings.lan_idle_ms)


def _is_full(device: "Device") -> bool:
    return len(device.clients or ()) >= device.profile.firmware.lan_clients_max


def closed(device: "Device", conn: int) -> None:
    """Forget a client that is gone."""
    if device.clients and conn in device.clients:
        device.clients = {c: client for c, client in device.clients.items() if c != conn} or None


def received(device: "Device", event: LanReceived) -> None:
    """Work off the frames of one client; a broken one is noted and dropped."""
    client = (device.clients or {}).get(event.conn)
    if client is None:
        return
    try:
        frames = client.decoder.feed(event.data)
    except PeerError as error:
        device.note("bad_lan", str(error))
        _drop(device, event.conn)
        return
    if frames:
        client.heard_ms = device.now_ms
    for frame in frames:
        handler = _HANDLERS.get(frame.command)
        if handler is None:
            device.note("lan_ignored", f"command 0x{frame.command:02x}")
        else:
            handler(device, event.conn, frame)


def idle(device: "Device", _: Event) -> None:
    """Close the clients that sent no frame for the idle time, and look again later."""
    limit_ms = device.now_ms - device.profile.timings.lan_idle_ms
    for conn, client in (device.clients or {}).items():
        if client.heard_ms <= limit_ms:
            _drop(device, conn)
    if device.clients:
        heard_ms = min(client.heard_ms for client in device.clients.values())
        device.arm(Timer.LAN_IDLE, heard_ms - limit_ms)


def _drop(device: "Device", conn: int) -> None:
    closed(device, conn)
    device.emit(LanClose(conn))


def _heartbeat(device: "Device", conn: int, frame: lan_frame.Frame) -> None:
    answer = lan_frame.Frame(frame.sequence, lan_frame.Command.HEART_BEAT, b"", return_code=0)
    device.emit(LanSend(conn, lan_frame.encode(answer)))


def _token_bind(device: "Device", conn: int, frame: lan_frame.Frame) -> None:
    try:
        token = provisioning.decode_token_bind(frame.payload).token
    except PeerError as error:
        device.note("bad_lan", str(error))
        _answer(device, conn, frame.sequence, 1)
    else:
        device.raise_signal(TokenOffered(conn, frame.sequence, token))


def accept(device: "Device", offer: TokenOffered) -> None:
    """Answer that the token was taken, now or before: an app repeats it until it is answered."""
    _answer(device, offer.conn, offer.sequence, 0)


def refuse(device: "Device", offer: TokenOffered) -> None:
    """Answer that we wait for no token."""
    _answer(device, offer.conn, offer.sequence, 1)


def _answer(device: "Device", conn: int, sequence: int, code: int) -> None:
    device.emit(LanSend(conn, provisioning.encode_token_bind_reply(sequence, code)))


_HANDLERS: dict[int, Callable[["Device", int, lan_frame.Frame], None]] = {
    lan_frame.Command.HEART_BEAT: _heartbeat,
    lan_frame.Command.TOKEN_BIND: _token_bind,
}
