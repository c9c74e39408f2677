"""LANs of the tests: with names that nobody else has, removed whatever happens, and people in them."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from firmware_sim.device.device import Device
from firmware_sim.effects import Broadcast, Effect, OpenLan, SendDatagram
from firmware_sim.events import DatagramReceived, DeadlineReached, Event, LanOpened, PowerApplied
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.world import LiveWorld
from firmware_sim.wire.discovery import decode_solicitation
from fleet.lan import control, iproute
from fleet.lan.arrangement import Arrangement
from fleet.lan.entry import do_inside
from fleet.lan.record import Records, namespace_number

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make network namespaces")
_numbers = count()


def new_name() -> str:
    """Return a name for a namespace; ours tell each other apart by the process and a number."""
    return f"t{os.getpid()}-{next(_numbers)}"


def network() -> str:
    """Return a private network that other tests of this machine hardly use."""
    return f"10.{100 + os.getpid() % 150}.{64 * (next(_numbers) % 4)}.0/18"


@contextmanager
def namespace() -> Iterator[str]:
    """Lend a network namespace."""
    name = new_name()
    iproute.run("netns", "add", name)
    try:
        yield name
    finally:
        iproute.run("netns", "del", name)


@contextmanager
def veth_lan(folder: Path, devices: int) -> Iterator[Arrangement]:
    """Lend a LAN inside this host."""
    name, records = new_name(), Records(folder)
    try:
        yield control.up_veth(name, devices, network(), records)
    finally:
        if namespace_number(name):
            control.down(name, records)


class Tenant:
    """A node that answers to every question, and says where it is as soon as it is switched on."""

    profile = SimpleNamespace(wired=True)

    def __init__(self, ip: str) -> None:
        self.name = ip.encode()
        self.deadline_ms: int | None = None
        self.clients = 0

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        if isinstance(event, DatagramReceived):
            return [SendDatagram(decode_solicitation(event.data).ip, 7000, self.name)]
        if isinstance(event, PowerApplied):
            self.deadline_ms = now_ms + 1
            return [OpenLan(6668)]
        if isinstance(event, DeadlineReached):
            self.deadline_ms = None
            return [Broadcast(6667, self.name)]
        self.clients += isinstance(event, LanOpened)
        return []

    def next_deadline_ms(self) -> int | None:
        return self.deadline_ms


@contextmanager
def tenants(lan: Arrangement) -> Iterator[list[Tenant]]:
    """Let every address of a LAN be lived at, by a world in a thread in its namespace."""
    nodes = [Tenant(lan.address(index)) for index in range(lan.devices_max)]
    moved_in = threading.Event()
    leaving: list[Callable[[], None]] = []

    async def live() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        leaving.append(lambda: loop.call_soon_threadsafe(over.set))  # type: ignore[arg-type]
        world = LiveWorld(
            sites={"hall": AccessPoint({})},
            observer=lambda *_: None,
            broadcast_ip=lan.broadcast_ip,
        )
        for node in nodes:
            world.add(cast("Device", node), ip=node.name.decode(), site="hall")
        for index in range(len(nodes)):
            world.tell(index, PowerApplied())
        moved_in.set()
        await over.wait()
        await world.close()

    thread = threading.Thread(target=do_inside, args=(lan.name, lambda: asyncio.run(live())))
    thread.start()
    try:
        assert moved_in.wait(20)
        yield nodes
    finally:
        for leave in leaving:
            leave()
        thread.join(20)
