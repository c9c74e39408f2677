"""The LAN side of a device: announcements, solicitations, the port and who may come in.

A device announces itself by UDP broadcast, one of LAN version 3.5 also answers solicitations. Apps
list those with `token` true and `active` 0 for wired pairing, open TCP 6668 and send frame 0x0C
(vendor page "Device Binding over LAN"; ports, interval, client limit and idle time as in
tuya/TuyaOpen, src/tuya_cloud_service/lan/tuya_lan.c). Once bound, the same port takes status
queries and settings under the local key. It is open while the application runs and has an address.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from firmware_sim.device import lan_control, lan_link
from firmware_sim.device.lan_link import DONE, REFUSED, Client
from firmware_sim.device.signals import Solicited, TokenOffered
from firmware_sim.device.timers import Timer
from firmware_sim.effects import Broadcast, CloseLan, LanClose, LanSend, OpenLan, SendDatagram
from firmware_sim.errors import PeerError
from firmware_sim.events import DatagramReceived, Event, LanOpened, LanReceived, LinkUp
from firmware_sim.wire import discovery, lan_frame, provisioning
from firmware_sim.wire.ciphers import NONCE_SIZE
from firmware_sim.wire.lan_frame import Command, RawFrame
from firmware_sim.wire.lan_version import LanVersion

if TYPE_CHECKING:
    from firmware_sim.device.device import Device

FIRST_ANNOUNCEMENT_MS = 1000


class Card(NamedTuple):
    """A datagram that says who we are, and what it was made from; it stays true as long as that."""

    ip: str
    gw_id: str
    token: bool
    data: bytes


# --- announcements ------------------------------------------------------------------------------


def announce_soon(device: "Device") -> None:
    """Announce within a second: the exact moment differs from device to device."""
    if device.ip:
        device.arm(Timer.ANNOUNCE, 1 + device.rng.below(FIRST_ANNOUNCEMENT_MS))


def announce(device: "Device", _: Event | None = None) -> None:
    """Broadcast who we are, and arm the next time.

    Not by devices that only answer, and not while no more clients are taken.
    """
    if not device.ip:
        return
    device.arm(Timer.ANNOUNCE, _until_next_turn_ms(device))
    silenced = _is_full(device) and not device.profile.firmware.announce_when_full
    if _speaks_unasked(device) and not silenced:
        _broadcast(device)


def _until_next_turn_ms(device: "Device") -> int:
    """Return the time to the device's own place in the interval: a fleet spreads evenly over it."""
    interval_ms = device.profile.timings.announce_ms
    turn_ms = crc32(device.identity.uuid.encode()) % interval_ms
    return interval_ms - (device.now_ms - turn_ms) % interval_ms


def _speaks_unasked(device: "Device") -> bool:
    """Say whether we announce ourselves at all: older versions know no solicitations."""
    return device.profile.firmware.announce_unasked or _shown_version(device) < LanVersion.V35


def _broadcast(device: "Device") -> None:
    version = _shown_version(device)
    sealed = version is LanVersion.V35  # anew each time
    data = _datagram(device, version) if sealed else _kept_datagram(device, version)
    device.emit(Broadcast(discovery.announcement_port(version), data))


def _kept_datagram(device: "Device", version: LanVersion) -> bytes:
    card, gw_id, token = device.lan_card, _shown_id(device), _takes_token(device)
    if card is None or card[:3] != (device.ip, gw_id, token):
        data = _datagram(device, version)
        card = device.lan_card = Card(device.ip, gw_id, token, data)
    return card.data


def _datagram(device: "Device", version: LanVersion) -> bytes:
    nonce = device.rng.bytes(NONCE_SIZE) if version is LanVersion.V35 else b""
    return discovery.encode_announcement(_announcement(device, version), nonce)


def _is_bound(device: "Device") -> bool:
    """Say whether we hold a binding that is not being erased."""
    return device.flash.activated and device.flash.resetting is None


def _shown_version(device: "Device") -> LanVersion:
    """Return the LAN version that we announce: apps pair old ones only, see the profile."""
    if _is_bound(device):
        return device.lan_version
    return min(device.lan_version, device.profile.firmware.pairing_lan_version_max)


def _shown_id(device: "Device") -> str:
    """Return the name that we announce: the device id belongs to the binding."""
    return device.flash.dev_id if _is_bound(device) else device.identity.uuid


def _takes_token(device: "Device") -> bool:
    """Say whether an app may bring us a token."""
    return not (device.flash.activated or device.flash.resetting is not None)


def _announcement(device: "Device", version: LanVersion) -> discovery.Announcement:
    newest = version is LanVersion.V35
    return discovery.Announcement(
        ip=device.ip,
        gw_id=_shown_id(device),
        active=discovery.ACTIVE_YES if _is_bound(device) else discovery.ACTIVE_NO,
        ablilty=0,
        encrypt=True,
        product_key=device.identity.product_id,
        version=version,
        token=_takes_token(device),
        wf_cfg=None if newest else False,
        uuid=device.identity.uuid if newest else None,
        sl=discovery.SECURITY_LEVEL if newest else None,
    )


def say_farewell(device: "Device") -> None:
    """Say at once that we are nobody's, or will be, and close the port: the key is void."""
    if device.ip and device.flash.activated and _speaks_unasked(device):
        _broadcast(device)
    shut(device)


# --- solicitations ------------------------------------------------------------------------------


def solicited(device: "Device", event: DatagramReceived) -> None:
    """Take a datagram for the whole LAN; only LAN version 3.5 knows what it asks for."""
    if _shown_version(device) is LanVersion.V35:
        signal = _read_solicitation(event.data)
        if signal is not None:
            device.raise_signal(signal)


@lru_cache(maxsize=64)
def _read_solicitation(datagram: bytes) -> Solicited | None:
    """Read a datagram once for all devices that hear it; None when it asks nothing."""
    try:
        return Solicited(discovery.decode_solicitation(datagram).ip)
    except PeerError:
        return None


def answer_solicitation(device: "Device", event: Solicited) -> None:
    """Tell one client who we are, also while we take no more, as the vendor's device does."""
    if device.ip:
        data = _kept_datagram(device, _shown_version(device))
        device.emit(SendDatagram(event.ip, discovery.PORT_SOLICITED, data))


# --- the port -----------------------------------------------------------------------------------


def serve(device: "Device", _: Event | None = None) -> None:
    """Accept LAN clients, if there is a network."""
    if device.ip:
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
    device.lan_card = None
    if device.ip:
        device.clients = None
        device.timers.disarm(Timer.LAN_IDLE)
        device.emit(CloseLan())


def opened(device: "Device", event: LanOpened) -> None:
    """Take a client, or close at once when the limit is reached, as the vendor's device does."""
    if _is_full(device):
        device.emit(LanClose(event.conn))
        return
    client = Client(event.conn, device.now_ms)
    device.clients = {**(device.clients or {}), event.conn: client}
    if not device.timers.armed(Timer.LAN_IDLE):
        device.arm(Timer.LAN_IDLE, device.profile.timings.lan_idle_ms)


def _is_full(device: "Device") -> bool:
    return len(device.clients or ()) >= device.profile.firmware.lan_clients_max


def idle(device: "Device", _: Event) -> None:
    """Close the clients that sent no frame for the idle time, and look again later."""
    limit_ms = device.now_ms - device.profile.timings.lan_idle_ms
    for client in tuple((device.clients or {}).values()):
        if client.heard_ms <= limit_ms:
            lan_link.close(device, client)
    if device.clients:
        heard_ms = min(client.heard_ms for client in device.clients.values())
        device.arm(Timer.LAN_IDLE, heard_ms - limit_ms)


def received(device: "Device", event: LanReceived) -> None:
    """Work off the frames of one client; one that sends no frames is noted and closed."""
    client = (device.clients or {}).get(event.conn)
    if client is None:
        return
    try:
        frames = client.cutter.feed(event.data)
    except PeerError as error:
        device.note("bad_lan", str(error))
        lan_link.close(device, client)
        return
    if frames:
        client.heard_ms = device.now_ms
    for raw in frames:
        if client.conn not in (device.clients or ()):
            return  # closed by one of its own frames
        _take(device, client, raw)


def _take(device: "Device", client: Client, raw: RawFrame) -> None:
    if raw.command == Command.TOKEN_BIND and client.key is None and _offers(device, client, raw):
        return
    if not device.flash.activated:
        _meet_stranger(device, client, raw)
        return
    frame = lan_link.read(device, client, raw)
    if frame is not None:
        lan_control.act(device, client, frame)


# --- while unbound ------------------------------------------------------------------------------


def _meet_stranger(device: "Device", client: Client, raw: RawFrame) -> None:
    """Answer heartbeats; without a key there is nothing else to talk about, so close."""
    try:
        known = lan_frame.decode(raw, from_device=False).command == Command.HEART_BEAT
    except PeerError:
        known = False
    if known:
        answer = lan_frame.Frame(raw.sequence, raw.command, b"", DONE)
        device.emit(LanSend(client.conn, lan_frame.encode(answer)))
    else:
        device.note("lan_ignored", f"command 0x{raw.command:02x} while unbound")
        lan_link.close(device, client)


def _offers(device: "Device", client: Client, raw: RawFrame) -> bool:
    """Take a token in whatever form it comes; return whether the frame had one of them."""
    try:
        form = provisioning.token_form(raw)
    except PeerError:
        return False
    try:
        token = provisioning.decode_token_bind(raw).token
    except PeerError as error:
        device.note("bad_lan", str(error))
        _answer(device, client.conn, raw.sequence, form, REFUSED)
    else:
        device.raise_signal(TokenOffered(client.conn, raw.sequence, token, form))
    return True


def accept(device: "Device", offer: TokenOffered) -> None:
    """Answer that the token was taken, now or before: an app repeats it until it is answered."""
    _answer(device, offer.conn, offer.sequence, offer.form, DONE)


def refuse(device: "Device", offer: TokenOffered) -> None:
    """Answer that we wait for no token."""
    _answer(device, offer.conn, offer.sequence, offer.form, REFUSED)


def _answer(
    device: "Device", conn: int, sequence: int, form: provisioning.TokenForm, code: int
) -> None:
    nonce = device.rng.bytes(NONCE_SIZE) if form.sealed else b""
    data = provisioning.encode_token_bind_reply(sequence, code, form, nonce)
    device.emit(LanSend(conn, data))
