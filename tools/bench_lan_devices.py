"""The other side of `bench_lan.py`: a process full of bound devices, or one that pretends to be."""

import asyncio
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

import msgspec
import uvloop

from firmware_sim import effects as fx
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import Flash
from firmware_sim.device.states import Lifecycle
from firmware_sim.effects import Noted, StateShown
from firmware_sim.events import PowerApplied
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.live.datagrams import source
from firmware_sim.runtime.live.place import Place
from firmware_sim.runtime.live.world import LiveWorld
from firmware_sim.wire.discovery import (
    ACTIVE_YES,
    PORT_SOLICITED,
    SECURITY_LEVEL,
    Announcement,
    encode_announcement,
)
from firmware_sim.wire.lan_version import LanVersion
from fleet.cloud.edge.listen import raise_files_limit
from fleet.lan import entry
from fleet.lan.arrangement import Arrangement
from hw_profiles import catalog
from tools.figures import pin, rss_kib

MODEL = "nvr"
FLOOD_B = 8 << 20
SO_RCVBUFFORCE = 33  # asm-generic/socket.h: more than other programs may have
LOOK_S = 0.05


class Order(NamedTuple):
    """Which devices a process is to run, of what versions in turn, and how often they announce."""

    lan: Arrangement
    devices: int
    versions: tuple[LanVersion, ...]
    announce_ms: int


class Names(NamedTuple):
    """What a client has to know of a device."""

    ip: str
    dev_id: str
    key: str
    version: LanVersion


def names(order: Order) -> Iterator[Names]:
    """Yield the names of all devices of an order."""
    for number in range(order.devices):
        version = order.versions[number % len(order.versions)]
        ip = order.lan.address(number)
        yield Names(ip, f"bfbench{number:015d}", f"key{number:013d}", version)


@contextmanager
def child(run: Callable[[Order, Connection], None], order: Order) -> Iterator[tuple[int, float]]:
    """Run a process while the block lasts; yield its pid, and its memory without devices, in KiB.

    `run(order, end)` sends that memory, then None when it is ready, and ends when `end` closes.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(order, theirs))
    process.start()
    theirs.close()
    assert process.pid is not None
    try:
        empty_kib: float = ours.recv()
        ours.recv()
        yield process.pid, empty_kib
    finally:
        ours.close()
        process.join(10)
        process.kill()
        process.join()


# --- in the process -----------------------------------------------------------------------------


class Offline(LiveWorld):
    """A world without a cloud: whoever calls it waits for ever."""

    def _call(self, _: Place, __: fx.SendHttp) -> None:
        pass


def run_devices(order: Order, end: Connection) -> None:
    """Run real devices."""
    _settle(order)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_live(order, end))


async def _live(order: Order, end: Connection) -> None:
    def ignore(_: int, __: StateShown | Noted, ___: int) -> None:
        pass

    world = Offline(
        sites={"": AccessPoint({})}, observer=ignore, broadcast_ip=order.lan.broadcast_ip
    )
    end.send(rss_kib())
    for number, each in enumerate(names(order)):
        world.add(_device(order, number, each), ip=each.ip, site="")
        world.tell(number, PowerApplied())
    devices = [world.device(number) for number in range(order.devices)]
    while any(device.lifecycle is not Lifecycle.ONLINE for device in devices):
        await asyncio.sleep(LOOK_S)
    end.send(None)
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(end.fileno(), over.set)
    await over.wait()
    await world.close()


def _device(order: Order, number: int, each: Names) -> Device:
    """Return a device that was bound long ago."""
    profile = catalog.load(MODEL)
    timings = msgspec.structs.replace(profile.timings, boot_ms=1, announce_ms=order.announce_ms)
    profile = msgspec.structs.replace(profile, timings=timings)
    flash = Flash(dev_id=each.dev_id, sec_key="s" * 16, local_key=each.key, region="EU", env="pr_0")
    identity = Identity(f"bench{number:015d}", "a" * 32, "bench")
    return Device(
        profile, identity, number, ("nowhere", 80), flash.image(), lan_version=each.version
    )


def run_floor(order: Order, end: Connection) -> None:
    """Answer every datagram with what the devices would say, prepared beforehand, and no more."""
    _settle(order)
    end.send(rss_kib())
    prepared = [(source(each.ip), _announcement(each)) for each in names(order)]
    with closing(shared(order.lan.broadcast_ip, PORT_SOLICITED)) as one:
        end.send(None)
        one.settimeout(LOOK_S)
        while not end.poll():
            try:
                _, (ip, _) = one.recvfrom(4096)
            except TimeoutError:
                continue
            for info, datagram in prepared:
                one.sendmsg((datagram,), info, 0, (ip, PORT_SOLICITED))


def _announcement(each: Names) -> bytes:
    card = Announcement(
        ip=each.ip,
        gw_id=each.dev_id,
        uuid=each.dev_id,
        active=ACTIVE_YES,
        encrypt=True,
        product_key="bench",
        version=each.version,
        sl=SECURITY_LEVEL,
        token=False,
    )
    return encode_announcement(card, os.urandom(12))


def _settle(order: Order) -> None:
    raise_files_limit()
    pin(1)
    if order.lan.name:
        entry.enter(order.lan.name, order.devices)


# --- for both sides -----------------------------------------------------------------------------


def shared(ip: str, port: int) -> socket.socket:
    """Return a UDP socket on an address that others may listen to as well."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT, socket.SO_BROADCAST):
        one.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, FLOOD_B)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FLOOD_B)
    one.bind((ip, port))
    return one
