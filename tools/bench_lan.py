"""What LAN clients get from a fleet, next to what is possible: `python tools/bench_lan.py`.

Devices and clients are two processes, on a core each where there are two. As root they are in two
network namespaces, as far apart as on a real LAN; otherwise all is on loopback. The devices are
bound and have no cloud, so that nothing but the LAN costs anything. A floor (prepared datagrams)
or a peer (tinytuya, one device after the other) is measured in the same run. Figures are medians;
nothing is asserted: a figure without its machine means little.
"""

import argparse
import asyncio
import math
import os
import select
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager, suppress
from itertools import islice
from typing import NamedTuple

import tinytuya
import uvloop

from firmware_sim.errors import UsageError
from firmware_sim.rng import Rng
from firmware_sim.wire import lan_body, lan_message
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.discovery import (
    PORT_ENCRYPTED,
    PORT_PLAIN,
    PORT_SOLICITED,
    Solicitation,
    encode_solicitation,
)
from firmware_sim.wire.lan_frame import Command, Frame, cut
from firmware_sim.wire.lan_version import LanVersion
from fleet.app.lan_device import LanDevice
from fleet.app.lan_pool import visit
from fleet.cloud.edge.listen import raise_files_limit
from fleet.lan import control, namespace
from fleet.lan.addresses import AddressBlock
from fleet.lan.arrangement import Arrangement, Kind
from hw_profiles import catalog
from tools.bench_lan_devices import (
    MODEL,
    Order,
    child,
    names,
    run_devices,
    run_floor,
    shared,
)
from tools.figures import machine, pin, rss_kib

SWITCH = 101
ANNOUNCE_MS = 5000
MIXTURE = (LanVersion.V33, LanVersion.V33, LanVersion.V34, LanVersion.V35)
FLOOD_PAUSE_S = 1.1  # a world takes questions that follow at once for a flood
NAP_S = 0.0002
PATIENCE_S = 3.0
ASK_EVERY_S = 0.1
CALLS = 2000


class Figure(NamedTuple):
    """One line of the table."""

    what: str
    ours: str
    beside: str
    ratio: str = ""


Measure = Callable[[Arrangement, argparse.Namespace], Iterator[Figure]]


# --- being found --------------------------------------------------------------------------------


def solicitation(lan: Arrangement, arguments: argparse.Namespace) -> Iterator[Figure]:
    """Measure the time from one question until everybody has answered, each from its address."""
    order = Order(lan, arguments.devices, (LanVersion.V35,), ANNOUNCE_MS)
    with child(run_floor, order):
        floor_ms = statistics.median(answers_ms(order, arguments.repeats))
    with child(run_devices, order):
        ours_ms = statistics.median(answers_ms(order, arguments.repeats))
    yield Figure(
        f"{order.devices} devices answer one solicitation",
        f"{ours_ms:.1f} ms",
        f"{floor_ms:.1f} ms for prepared datagrams from as many addresses",
        f"{ours_ms / floor_ms:.1f}",
    )


def answers_ms(order: Order, repeats: int) -> list[float]:
    """Ask everybody; return for each time how long it took until all had answered."""
    lan, taken = order.lan, []
    ip = namespace.host_ip(lan) if lan.kind is Kind.VETH else "127.0.0.1"
    with closing(shared(ip, PORT_SOLICITED)) as one:
        for _ in range(repeats + 1):
            time.sleep(FLOOD_PAUSE_S)
            drain(one)  # what came too late
            question = encode_solicitation(Solicitation(ip, "app"), os.urandom(12))
            begin = time.perf_counter()
            one.sendto(question, (lan.broadcast_ip, PORT_SOLICITED))
            if wait_for_answers(one, order.devices):
                taken.append(1000 * (time.perf_counter() - begin))
    return taken[1:] or [math.nan]  # the first time, each device makes its datagram


def wait_for_answers(one: socket.socket, count: int) -> bool:
    """Receive until `count` addresses have been heard, looking now and then, as loops do.

    Return False when they do not come: a machine that is busy loses datagrams.
    """
    heard: set[str] = set()
    end_s = time.perf_counter() + PATIENCE_S
    while len(heard) < count and time.perf_counter() < end_s:
        try:
            heard.add(one.recvfrom(4096, socket.MSG_DONTWAIT)[1][0])
        except BlockingIOError:
            time.sleep(NAP_S)
    return len(heard) == count


def drain(one: socket.socket) -> int:
    """Return how many datagrams are waiting; they are gone afterwards."""
    count = 0
    with suppress(BlockingIOError):
        while one.recv(4096, socket.MSG_DONTWAIT):
            count += 1
    return count


def announcements(lan: Arrangement, arguments: argparse.Namespace) -> Iterator[Figure]:
    """Measure what a fleet costs that nobody talks to."""
    order = Order(lan, arguments.announcing, MIXTURE, ANNOUNCE_MS)
    with child(run_devices, order) as (pid, empty_kib), ExitStack() as stack:
        ears = [
            stack.enter_context(closing(shared(lan.broadcast_ip, port)))
            for port in (PORT_PLAIN, PORT_ENCRYPTED)
        ]
        heard_in(ears, ANNOUNCE_MS / 1000)  # until every device has found its turn
        cpu = cpu_s(pid)
        heard = heard_in(ears, arguments.seconds)
        share = (cpu_s(pid) - cpu) / arguments.seconds
        each_kib = (rss_kib(pid) - empty_kib) / order.devices
    due = order.devices * 1000 * arguments.seconds / ANNOUNCE_MS
    yield Figure(
        f"{order.devices} devices announce every {ANNOUNCE_MS // 1000} s, one process",
        f"{100 * share:.0f} % of a core",
        f"{heard} datagrams heard, {due:.0f} were due",
    )
    yield Figure("one device on the LAN", f"{each_kib:.1f} KiB", "resident memory")


def heard_in(ears: Sequence[socket.socket], seconds: float) -> int:
    """Return how many datagrams came in within some seconds."""
    end_s, count = time.perf_counter() + seconds, 0
    while (left_s := end_s - time.perf_counter()) > 0:
        count += sum(drain(ear) for ear in select.select(ears, [], [], left_s)[0])
        time.sleep(0.01)
    return count


# --- being controlled ---------------------------------------------------------------------------


def throughput(lan: Arrangement, arguments: argparse.Namespace) -> Iterator[Figure]:
    """Measure how many devices a second a pool of clients sees to, each on a new connection."""
    for version in (LanVersion.V33, LanVersion.V34, LanVersion.V35):
        order = Order(lan, arguments.devices, (version,), ANNOUNCE_MS)
        with child(run_devices, order) as (pid, _):
            rates, costs_us = [], []
            for _ in range(arguments.repeats):
                begin, cpu = time.perf_counter(), cpu_s(pid)
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(see_to(order))
                rates.append(order.devices / (time.perf_counter() - begin))
                costs_us.append(1e6 * (cpu_s(pid) - cpu) / order.devices)
            peer = peer_rate(order, min(arguments.peer, order.devices))
        rate, cost_us = statistics.median(rates), statistics.median(costs_us)
        steps = "connect, negotiate, status, set" if version.negotiates else "connect, status, set"
        yield Figure(
            f"{version}: {steps}",
            f"{rate:,.0f} devices/s",
            f"{peer:,.0f} with tinytuya; the device's part is {cost_us:.0f} us of CPU",
            f"{rate / peer:,.0f}",
        )


async def see_to(order: Order) -> None:
    """Visit every device of an order once."""

    async def work(device: LanDevice) -> None:
        status = await device.status()
        await device.set({SWITCH: not status.dps[SWITCH]})

    clients = (LanDevice(each.ip, each.dev_id, each.key, each.version) for each in names(order))
    for result in await visit(clients, work):
        if result is not None:
            raise result


def peer_rate(order: Order, count: int) -> float:
    """Return how many devices a second tinytuya sees to, one after the other."""
    begin = time.perf_counter()
    for each in islice(names(order), count):
        version = float(each.version)
        client = tinytuya.Device(each.dev_id, each.ip, each.key, version=version, persist=True)
        client.set_value(SWITCH, not client.status()["dps"][str(SWITCH)])
        client.close()
    return count / (time.perf_counter() - begin)


def round_trips(lan: Arrangement, arguments: argparse.Namespace) -> Iterator[Figure]:
    """Measure status queries of many clients that stay connected, paced and as fast as can be."""
    order = Order(lan, arguments.clients, (LanVersion.V34, LanVersion.V35), ANNOUNCE_MS)
    each_count = max(1, int(arguments.seconds / ASK_EVERY_S))
    with child(run_devices, order), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        paced_ms = runner.run(ask(order, each_count, ASK_EVERY_S))
        begin = time.perf_counter()
        rushed_ms = runner.run(ask(order, each_count, 0.0))
        rate = len(rushed_ms) / (time.perf_counter() - begin)
    for pace, taken_ms in ((f"{1 / ASK_EVERY_S:.0f} a second each", paced_ms), ("rush", rushed_ms)):
        p50, p99 = (percentile(taken_ms, share) for share in (0.50, 0.99))
        yield Figure(
            f"status at {order.devices} connected clients, {pace}",
            f"p99 {p99:.2f} ms",
            f"p50 {p50:.2f} ms" + (f", {rate:,.0f} queries/s" if pace == "rush" else ""),
        )


async def ask(order: Order, count: int, every_s: float) -> list[float]:
    """Let a client of each device ask `count` times; return how long each answer took, in ms."""
    taken_ms: list[float] = []
    chance = Rng(1)

    async def query(device: LanDevice, phase_s: float) -> None:
        await asyncio.sleep(phase_s)
        for _ in range(count):
            begin = time.perf_counter()
            await device.status()
            taken_s = time.perf_counter() - begin
            taken_ms.append(1000 * taken_s)
            await asyncio.sleep(max(0.0, every_s - taken_s))

    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(LanDevice(each.ip, each.dev_id, each.key, each.version))
            for each in names(order)
        ]
        async with asyncio.TaskGroup() as tasks:
            for client in clients:
                tasks.create_task(query(client, every_s * chance.below(1000) / 1000))
    return taken_ms


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of the values lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# --- one frame ----------------------------------------------------------------------------------


def codec(_: Arrangement, arguments: argparse.Namespace) -> Iterator[Figure]:
    """Measure what it takes to seal and to open a status report of a recorder."""
    dps: dict[int, Value] = {p.id: p.initial for p in catalog.load(MODEL).data_points}
    key, nonce = bytes(range(16)), bytes(12)
    for version in LanVersion:
        body = lan_body.encode_report(version, "bfbench", 1, dps)
        frame = Frame(1, Command.STATUS, body, 0)
        data = lan_message.seal(frame, version, key, nonce=nonce)

        def seal(version: LanVersion = version, frame: Frame = frame) -> None:
            lan_message.seal(frame, version, key, nonce=nonce)

        def unseal(version: LanVersion = version, data: bytes = data) -> None:
            opened = lan_message.unframe(cut(data), version, key, from_device=True)
            lan_message.reveal(opened, version, key)

        sealing, opening = (call_us(call, arguments.repeats) for call in (seal, unseal))
        what = f"{version}: seal a report of {len(body)} bytes"
        yield Figure(what, f"{sealing:.1f} us", f"{opening:.1f} us to open it")


def call_us(call: Callable[[], None], repeats: int) -> float:
    """Return what one call takes: the median of `repeats` rounds."""

    def round_s() -> float:
        begin = time.perf_counter()
        for _ in range(CALLS):
            call()
        return time.perf_counter() - begin

    return 1e6 * statistics.median(round_s() for _ in range(repeats)) / CALLS


# --- all of it ----------------------------------------------------------------------------------

MEASURES: tuple[Measure, ...] = (solicitation, announcements, throughput, round_trips, codec)


def cpu_s(pid: int) -> float:
    """Return the processor time of another process; its clock's number is made as Linux does."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def a_lan(devices: int, network: str, *, loopback: bool) -> Iterator[Arrangement]:
    """Yield a LAN of its own in a namespace if that can be had, else a part of loopback."""
    with ExitStack() as stack:
        lan = None
        if not loopback:
            name = f"b{os.getpid()}"
            try:
                lan = control.up_veth(name, devices, network)
                stack.callback(control.down, name)
            except UsageError as error:
                print(f"on loopback, because {error}")
        yield lan or stack.enter_context(AddressBlock()).lan


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--announcing", type=int, default=10_000, help="devices that only announce")
    parser.add_argument("--clients", type=int, default=100, help="that stay connected")
    parser.add_argument("--peer", type=int, default=20, help="devices for tinytuya")
    parser.add_argument("--seconds", type=float, default=10.0, help="for what goes on and on")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--network", default="10.203.0.0/16", help="for the namespace")
    parser.add_argument("--loopback", action="store_true", help="even as root")
    arguments = parser.parse_args(words)
    raise_files_limit()
    pin(0)
    most = max(arguments.devices, arguments.announcing, arguments.clients)
    with a_lan(most, arguments.network, loopback=arguments.loopback) as lan:
        print(f"{machine()}; {lan.kind}, medians of {arguments.repeats}\n")
        show(Figure("", "ours", "beside it", "ratio"))
        for measure in MEASURES:
            for figure in measure(lan, arguments):
                show(figure)


def show(figure: Figure) -> None:
    """Print one line of the table."""
    what, ours, beside, ratio = figure
    print(f"{what:53} {ours:>15} {ratio:>5}  {beside}", flush=True)


if __name__ == "__main__":
    main()
