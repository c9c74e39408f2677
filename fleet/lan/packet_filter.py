"""The packet filter of a recording: a small program that the kernel runs for every packet.

Without it a recorder of a busy loopback would look at all of the fleet's MQTT and HTTP. Classic BPF,
for packets that begin with an Ethernet header; the kernel's Documentation/networking/filter.rst
describes the instructions.
"""

import ctypes
import socket
import struct
from ipaddress import IPv4Network
from typing import NamedTuple

from firmware_sim.wire.discovery import PORT_CONTROL, PORT_ENCRYPTED, PORT_PLAIN, PORT_SOLICITED

SNAP_BYTES = 65_600
"""What is kept of a packet: all of it, also of one that no network card has cut up yet."""

_SO_ATTACH_FILTER = 26  # asm-generic/socket.h
_INSTRUCTION = struct.Struct("HBBI")

_LD_WORD, _LD_HALF, _LD_BYTE = 0x20, 0x28, 0x30
_LD_HALF_BEHIND = 0x48  # relative to the index register
_LDX_HEADER_SIZE = 0xB1  # index register = size of the IPv4 header
_AND, _JUMP_IF_EQUAL, _JUMP_IF_SET, _RETURN = 0x54, 0x15, 0x45, 0x06

_PACKET_TYPE, _HARDWARE = 0xFFFFF004, 0xFFFFF01C  # ancillary data, linux/filter.h
_OUTGOING = 4
_ETHERNET, _LOOPBACK = 1, 772
_ETHERTYPE_AT, _FRAGMENT_AT, _PROTOCOL_AT, _SOURCE_AT, _TARGET_AT = 12, 20, 23, 26, 30
_IPV4, _TCP, _UDP = 0x0800, 6, 17
_SOURCE_PORT_AT, _TARGET_PORT_AT = 14, 16  # behind the IPv4 header
_BROADCASTS = (0xFFFFFFFF, 0x7FFFFFFF)  # of every network, and of the loopback network


class _Step(NamedTuple):
    """One instruction; jumps name the label of a step, or "" for the next one."""

    code: int
    value: int = 0
    then: str = ""
    otherwise: str = ""
    label: str = ""


def lan_filter(network: IPv4Network) -> bytes:
    """Return the program that lets the LAN of `network` through.

    That is what one of its addresses sends or receives on the ports of the LAN, and what anybody
    asks all networks on the port of solicitations. Of what goes over a loopback interface, which
    shows up twice, it keeps what arrives.
    """
    steps = [
        _Step(_LD_WORD, _PACKET_TYPE),
        _Step(_JUMP_IF_EQUAL, _OUTGOING, otherwise="hardware"),
        _Step(_LD_WORD, _HARDWARE),
        _Step(_JUMP_IF_EQUAL, _LOOPBACK, then="drop"),
        _Step(_LD_WORD, _HARDWARE, label="hardware"),
        _Step(_JUMP_IF_EQUAL, _LOOPBACK, then="ip"),
        _Step(_JUMP_IF_EQUAL, _ETHERNET, otherwise="drop"),
        _Step(_LD_HALF, _ETHERTYPE_AT, label="ip"),
        _Step(_JUMP_IF_EQUAL, _IPV4, otherwise="drop"),
        _Step(_LD_HALF, _FRAGMENT_AT),
        _Step(_JUMP_IF_SET, 0x1FFF, then="drop"),  # not the first fragment: has no ports
        _Step(_LDX_HEADER_SIZE, 14),
        _Step(_LD_BYTE, _PROTOCOL_AT),
        _Step(_JUMP_IF_EQUAL, _UDP, then="udp"),
        _Step(_JUMP_IF_EQUAL, _TCP, otherwise="drop"),
        *_has_port((PORT_CONTROL,)),
        *_has_port((PORT_PLAIN, PORT_ENCRYPTED, PORT_SOLICITED), label="udp"),
        *_is_within(network),
        _Step(_LD_HALF_BEHIND, _TARGET_PORT_AT),
        _Step(_JUMP_IF_EQUAL, PORT_SOLICITED, otherwise="drop"),
        _Step(_LD_WORD, _TARGET_AT),
        *(_Step(_JUMP_IF_EQUAL, address, then="keep") for address in _BROADCASTS),
        _Step(_RETURN, 0, label="drop"),
        _Step(_RETURN, SNAP_BYTES, label="keep"),
    ]
    return _assemble(steps)


def nothing() -> bytes:
    """Return the program that lets nothing through."""
    return _assemble([_Step(_RETURN, 0)])


def attach(endpoint: socket.socket, program: bytes) -> None:
    """Have the kernel run `program` for what `endpoint` receives from now on. Raises OSError."""
    code = ctypes.create_string_buffer(program, len(program))
    count = len(program) // _INSTRUCTION.size
    # A C structure: the number of instructions, and where they are.
    endpoint.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", count, ctypes.addressof(code))
    )


def _has_port(ports: tuple[int, ...], label: str = "") -> list[_Step]:
    """Go on at "network" if either port is one of `ports`, else drop."""
    found = [_Step(_JUMP_IF_EQUAL, port, then="network") for port in ports]
    return [
        _Step(_LD_HALF_BEHIND, _SOURCE_PORT_AT, label=label),
        *found,
        _Step(_LD_HALF_BEHIND, _TARGET_PORT_AT),
        *found[:-1],
        found[-1]._replace(otherwise="drop"),
    ]


def _is_within(network: IPv4Network) -> list[_Step]:
    """Keep if either address is in `network`, else go on."""
    steps = []
    for at, label in ((_SOURCE_AT, "network"), (_TARGET_AT, "")):
        steps += [
            _Step(_LD_WORD, at, label=label),
            _Step(_AND, int(network.netmask)),
            _Step(_JUMP_IF_EQUAL, int(network.network_address), then="keep"),
        ]
    return steps


def _assemble(steps: list[_Step]) -> bytes:
    places = {step.label: place for place, step in enumerate(steps) if step.label}

    def distance(label: str, place: int) -> int:
        return places[label] - place - 1 if label else 0

    return b"".join(
        _INSTRUCTION.pack(
            step.code, distance(step.then, place), distance(step.otherwise, place), step.value
        )
        for place, step in enumerate(steps)
    )
