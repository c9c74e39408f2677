"""Asking the LAN who is there: a datagram to everybody, and the socket that hears the answers.

A driver, for devices of LAN version 3.5 that announce themselves only when asked. The question
goes to UDP port 7000 of the broadcast addresses, at once and every 6 s, as the vendor's app does;
each device answers to port 7000 of the address that the question names (tuya/TuyaOpen,
src/tuya_cloud_service/lan/tuya_lan.c; BookCatKid/pypopur). Also the UDP sockets of `lan_client`.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import closing
from fcntl import ioctl
from ipaddress import IPv4Interface

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.wire.ciphers import NONCE_SIZE
from firmware_sim.wire.discovery import PORT_SOLICITED, Solicitation, encode_solicitation

LOOPBACK_BROADCAST = "127.255.255.255"
LIMITED_BROADCAST = "255.255.255.255"
ASK_EVERY_S = 6.0

# A burst of announcements overflows the usual 208 KiB at about 270 datagrams.
_RECEIVE_BUFFER_B = 4 << 20

# Linux: netdevice(7). A request is a name of 16 bytes and, in the answer, a socket address.
_SIOCGIFADDR, _SIOCGIFNETMASK = 0x8915, 0x891B
_IFREQ_SIZE, _IFREQ_ADDRESS = 40, slice(20, 24)

Take = Callable[[bytes, str], None]


class Asking(msgspec.Struct, frozen=True):
    """Whom to ask, how often, and where the answers go.

    By default they go to this machine's address towards each broadcast address. Two programs that
    ask on one machine need an address each, or the kernel divides the answers among them.
    """

    broadcasts: tuple[str, ...] = (LOOPBACK_BROADCAST,)
    answer_ip: str = ""
    port: int = PORT_SOLICITED
    every_s: float = ASK_EVERY_S


class LanCaller:
    """Asks again and again until it is closed, and passes on what is answered."""

    def __init__(self, take: Take, asking: Asking) -> None:
        """Ask as `asking` says; `take(datagram, source_ip)` gets the answers."""
        self._take = take
        self._asking = asking
        self._transports: dict[str, asyncio.DatagramTransport] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Open the sockets and ask; raises `UsageError` when an address cannot be used."""
        asking = self._asking
        targets = [(asking.answer_ip or own_address(ip), ip) for ip in asking.broadcasts]
        for answer_ip, _ in targets:
            if answer_ip not in self._transports:
                self._transports[answer_ip] = await listen(self._take, answer_ip, asking.port)
        self._ask(targets)

    def close(self) -> None:
        """Ask no more and hear no more."""
        if self._timer is not None:
            self._timer.cancel()
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()

    def _ask(self, targets: list[tuple[str, str]]) -> None:
        for answer_ip, broadcast in targets:
            question = encode_solicitation(Solicitation(answer_ip, "app"), os.urandom(NONCE_SIZE))
            self._transports[answer_ip].sendto(question, (broadcast, self._asking.port))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._asking.every_s, self._ask, targets)


def own_address(broadcast: str) -> str:
    """Return the address from which this machine speaks to a broadcast address; sends nothing.

    Raises `UsageError` when it has no way to get there.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            probe.connect((broadcast, PORT_SOLICITED))
        except OSError as error:
            raise UsageError(
                f"cannot ask the LAN at {broadcast} ({error.strerror}); "
                "name the broadcast address of a network that this machine is in"
            ) from None
        address: str = probe.getsockname()[0]
        return address


def own_broadcasts() -> tuple[str, ...]:
    """Return the broadcast addresses of the networks that this machine is in, loopback included.

    What no interface tells (they do on Linux only) is replaced by the one of all networks.
    """
    found = [ip for _, name in socket.if_nameindex() if (ip := _broadcast_of(name))]
    return tuple(dict.fromkeys(found)) or (LIMITED_BROADCAST,)


def _broadcast_of(interface: str) -> str:
    """Return the broadcast address of an interface, "" if it has none or does not tell."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asked:
        request = interface.encode().ljust(_IFREQ_SIZE, b"\0")
        try:
            ip, mask = (
                socket.inet_ntoa(ioctl(asked, what, request)[_IFREQ_ADDRESS])
                for what in (_SIOCGIFADDR, _SIOCGIFNETMASK)
            )
            broadcast = str(IPv4Interface(f"{ip}/{mask}").network.broadcast_address)
            return broadcast if broadcast != ip and own_address(broadcast) else ""
        except (OSError, UsageError):  # it has no address, or is down
            return ""


async def listen(take: Take, ip: str, port: int) -> asyncio.DatagramTransport:
    """Hear a UDP port that other programs may hear as well; `ip` is "" for all addresses.

    Raises `UsageError` if the address is not ours, or another program holds the port for itself.
    """
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Listener(take), sock=_shared_socket(ip, port)
    )
    return transport


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, take: Take) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take(data, addr[0])


def _shared_socket(ip: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_B)
        listener.bind((ip, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on UDP {ip or '*'}:{port} ({error.strerror}); "
            "is the address this machine's, and does another program hold the port for itself?"
        ) from None
    return listener
