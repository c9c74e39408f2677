"""What tinytuya sees of a device that is unbound while it is connected, for every LAN version."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import tinytuya

from firmware_sim.wire.discovery import PORT_ENCRYPTED, PORT_PLAIN
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan.addresses import AddressBlock
from tests.live.lan.home import Home, Unit, home_of, until
from tests.live.lan.phone import TIMEOUT_S, dps, phone

# So long that only what is announced because of the unbinding is heard.
HOUR_MS = 3_600_000
MODEL = "nvr"


@contextmanager
def ears() -> Iterator[list[socket.socket]]:
    """Hear what is broadcast on this machine; other programs may do the same."""
    with ExitStack() as stack:
        sockets = []
        for port in (PORT_PLAIN, PORT_ENCRYPTED):
            ear = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            ear.bind(("", port))
            ear.settimeout(TIMEOUT_S)
            sockets.append(ear)
        yield sockets


def announcement(ear: socket.socket, unit: Unit) -> dict[str, Any]:
    """Return the next announcement of a device."""
    while True:
        datagram, (ip, _) = ear.recvfrom(4096)
        if ip == unit.ip:
            said: dict[str, Any] = json.loads(tinytuya.decrypt_udp(datagram))
            return said


def by_the_cloud(home: Home, unit: Unit, _: tinytuya.Device) -> None:
    home.unbind(unit)


def by_the_button(home: Home, unit: Unit, _: tinytuya.Device) -> None:
    home.hold_button(unit, down=True)
    until(lambda: home.clients(unit) == 0)
    home.hold_button(unit, down=False)


def by_a_client(_: Home, unit: Unit, client: tinytuya.Device) -> None:
    client.send(tinytuya.MessagePayload(Command.GATEWAY_RESET, b"{}"))
    assert (client.receive(), client.raw_recv[-1].cmd) == ({}, Command.GATEWAY_UNBOUND)
    assert [(heard.cmd, heard.retcode) for heard in client.raw_recv[:1]] == [
        (Command.GATEWAY_RESET, 0)
    ]


Cause = Callable[[Home, Unit, tinytuya.Device], None]
CASES: list[tuple[Cause, LanVersion]] = [
    *((by_the_cloud, version) for version in LanVersion),
    *((by_the_button, version) for version in LanVersion),
    # 3.1 has no form that would prove a key, so it refuses.
    *((by_a_client, version) for version in LanVersion if version is not LanVersion.V31),
]


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    plan = [(MODEL, version) for _, version in CASES]
    with AddressBlock() as block, home_of(block, plan, announce_ms=HOUR_MS) as home:
        yield home


@pytest.mark.parametrize(
    "number",
    range(len(CASES)),
    ids=[f"{cause.__name__} {version}" for cause, version in CASES],
)
def test_its_connections_end_its_key_is_void_and_it_says_so(home: Home, number: int) -> None:
    unit = home[number]
    cause, version = CASES[number]
    with ears() as (plain, encrypted), phone(unit) as client, phone(unit) as other:
        ear = plain if version is LanVersion.V31 else encrypted
        assert dps(client.status()) == dps(other.status())
        cause(home, unit, client)

        farewell = announcement(ear, unit)
        assert (farewell["active"], farewell["gwId"]) == (0, unit.uuid)
        assert not farewell["token"]
        if cause is by_a_client:
            assert (other.receive(), other.raw_recv[-1].cmd) == ({}, Command.GATEWAY_UNBOUND)
        until(lambda: home.clients(unit) == 0)
        assert "Err" in client.status()
        waiting = announcement(ear, unit)
        assert (waiting["active"], waiting["gwId"], waiting["token"]) == (0, unit.uuid, True)
        assert waiting["version"] == min(version, LanVersion.V33)
        assert "Err" in client.status()
