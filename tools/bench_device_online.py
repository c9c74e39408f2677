"""What it costs a device to come online, in the clear and over TLS: `python tools/bench_device_online.py`.

Devices, bound and with the cloud's address in memory, run in one process, the whole cloud in
another. They are powered, make their connection, subscribe and report; the figures are those of
the devices' process: CPU from the first connection on, and memory from before there was a device.
The floor is a protocol that sends the same packets, prepared, and waits for the answers. Medians of
several runs in fresh processes; nothing is asserted: a figure without its machine means little.
"""

import argparse
import asyncio
import gc
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, cast

import uvloop

from firmware_sim.device.cloud_calls import Servers, versions
from firmware_sim.device.device import Device, Identity
from firmware_sim.device.flash import read_image
from firmware_sim.effects import Noted, StateShown
from firmware_sim.events import PowerApplied
from firmware_sim.runtime.access_point import AccessPoint
from firmware_sim.runtime.attachment import LINK_MS
from firmware_sim.runtime.live.trust import anchor_cache
from firmware_sim.runtime.live.world import LiveWorld
from firmware_sim.wire import mqtt, mqtt_payload
from fleet.cloud.edge.listen import raise_files_limit
from fleet.cloud.edge.process import ServerConfig, run
from fleet.cloud.edge.server import Ready
from fleet.run import seeding
from fleet.run.messages import DeviceSpec
from fleet.run.population import populate
from fleet.run.scenario import Operator, Product, Scenario, Warehouse
from hw_profiles import catalog
from tools.figures import Run, machine, pin, process_cpu_ns, rss_kib, show

SPAWN = multiprocessing.get_context("spawn")
MODEL = "base-station"  # with nothing behind it, which would be bound as well
CONNECTING_MAX = 100
SETTLE_S = 0.3
CONNACK_SIZE, SUBACK_SIZE = 4, 5
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}


class Row(NamedTuple):
    """One way to come online."""

    title: str
    loop: str
    tls: bool
    floor: bool = False


ROWS = (
    Row("floor", "uvloop", tls=False, floor=True),
    Row("device", "uvloop", tls=False),
    Row("device, asyncio", "asyncio", tls=False),
    Row("floor, TLS", "uvloop", tls=True, floor=True),
    Row("device, TLS", "uvloop", tls=True),
    Row("device, TLS, aio", "asyncio", tls=True),
)


class Job(NamedTuple):
    """What the process of the devices is told."""

    row: Row
    ready: Ready
    cloud_pid: int
    specs: tuple[DeviceSpec, ...]


# --- the process of the devices -----------------------------------------------------------------


def devices(job: Job, pipe: Connection) -> None:
    """Bring all devices online and send the figures."""
    raise_files_limit()
    pin(0)
    gc.disable()
    with asyncio.Runner(loop_factory=LOOPS[job.row.loop]) as runner:
        pipe.send(runner.run(_floor(job) if job.row.floor else _live(job)))


async def _live(job: Job) -> dict[str, float]:
    profile, ready, count = catalog.load(MODEL), job.ready, len(job.specs)
    servers = Servers((ready.host, ready.http_port), (ready.host, ready.mqtt_port), ready.anchor)
    online: set[int] = set()
    all_online = asyncio.Event()

    def observe(index: int, what: StateShown | Noted, _now_ms: int) -> None:
        if isinstance(what, StateShown) and what.session == "UP":
            online.add(index)
            if len(online) == count:
                all_online.set()

    meter = Meter(job)
    world = LiveWorld(sites={"bench": AccessPoint({}, 0)}, observer=observe)
    for spec in job.specs:
        identity = Identity(spec.uuid, spec.auth_key, spec.product_id)
        device = Device(profile, identity, spec.seed, servers.https, spec.flash)
        device.endpoints = servers
        device.flash.versions = versions(device)
        world.tell(world.add(device, ip=spec.ip, site="bench"), PowerApplied())
    await asyncio.sleep((profile.timings.boot_ms - LINK_MS) / 1000)
    meter.start_cpu()
    await all_online.wait()
    await asyncio.sleep(SETTLE_S)
    figures = meter.figures()
    await world.close()
    return figures


class Bare(asyncio.Protocol):
    """Sends prepared packets: CONNECT, three SUBSCRIBE, one report."""

    def __init__(self, spec: DeviceSpec) -> None:
        """Prepare them."""
        flash = read_image(spec.flash)
        key = flash.dev_id
        password = mqtt_payload.mqtt_password(flash.sec_key)
        topics = (
            mqtt_payload.topic_in(key),
            mqtt_payload.topic_rpc_response(key),
            mqtt_payload.topic_rpc_file(key),
        )
        self._hello = mqtt.encode(mqtt.Connect(key, key, password))
        self._topics = b"".join(
            mqtt.encode(mqtt.Subscribe(number, ((topic, 1),)))
            for number, topic in enumerate(topics, 1)
        )
        self._report = mqtt.encode(mqtt.Publish(mqtt_payload.topic_out(key), bytes(700)))
        self._left = CONNACK_SIZE + len(topics) * SUBACK_SIZE
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce the device."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        """Count what comes back."""
        self._left -= len(data)
        if data[0] == mqtt.Connack.HEAD:
            self.transport.write(self._topics)
        if self._left == 0:
            self.transport.write(self._report)
            self.done.set_result(None)


async def _floor(job: Job) -> dict[str, float]:
    loop, gate, ready = asyncio.get_running_loop(), asyncio.Semaphore(CONNECTING_MAX), job.ready
    tls: dict[str, Any] = {}
    if ready.anchor:
        tls = {"ssl": anchor_cache()(ready.anchor), "server_hostname": ready.host}
    meter = Meter(job)
    ends = [Bare(spec) for spec in job.specs]

    async def connect(end: Bare, ip: str) -> None:
        async with gate:
            await loop.create_connection(
                lambda: end, ready.host, ready.mqtt_port, local_addr=(ip, 0), **tls
            )
            await end.done

    meter.start_cpu()
    await asyncio.gather(
        *(connect(end, spec.ip) for end, spec in zip(ends, job.specs, strict=True))
    )
    await asyncio.sleep(SETTLE_S)
    figures = meter.figures()
    for end in ends:
        end.transport.abort()
    return figures


class Meter:
    """CPU and memory of this process, and CPU of the cloud."""

    def __init__(self, job: Job) -> None:
        """Remember how much memory there is without devices."""
        self._job = job
        gc.collect()
        self._before_kib = rss_kib()

    def start_cpu(self) -> None:
        """Count processor time from here on."""
        self._own_ns, self._cloud_ns = time.process_time_ns(), process_cpu_ns(self._job.cloud_pid)

    def figures(self) -> dict[str, float]:
        """Return what it has come to, for each device."""
        count = len(self._job.specs)
        own_ns = time.process_time_ns() - self._own_ns
        cloud_ns = process_cpu_ns(self._job.cloud_pid) - self._cloud_ns
        kib = rss_kib() - self._before_kib
        return {
            "CPU ms": own_ns / 1e6 / count,
            "RSS KiB": kib / count,
            "cloud CPU ms": cloud_ns / 1e6 / count,
        }


# --- rows ---------------------------------------------------------------------------------------


def measure(row: Row, count: int) -> dict[str, float]:
    """Run one row once, in fresh processes."""
    population = populate(_scenario(count), count, 1)
    specs = tuple(
        seeding.device_spec(population, unit, _address(unit.index), "bench", bound=True)
        for unit in population.units
    )
    config = ServerConfig(
        settings=seeding.settings(population, "", time.time_ns() // 1_000_000),
        seed=seeding.seed(population, bound=True),
        tls=row.tls,
    )
    with _child(_cloud, config) as (cloud_pid, cloud):
        job = Job(row, cloud.recv(), cloud_pid, specs)
        with _child(devices, job) as (_, pipe):
            figures: dict[str, float] = pipe.recv()
            return figures


@contextmanager
def _child(work: Callable[[Any, Connection], None], order: Any) -> Iterator[tuple[int, Connection]]:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=work, args=(order, theirs))
    process.start()
    theirs.close()
    assert process.pid is not None
    try:
        yield process.pid, ours
    finally:
        process.terminate()  # the cloud removes its authority then
        process.join()


def _cloud(config: ServerConfig, pipe: Connection) -> None:
    pin(1)
    run(config, pipe)


def _scenario(count: int) -> Scenario:
    return Scenario(
        name="online",
        title="Devices of one model",
        devices=count,
        products=(Product("device", MODEL, 1),),
        operators=(Operator("owner@maker", "owner", 1),),
        warehouse=Warehouse("Warehouse", "no-secret-at-all"),
    )


def _address(index: int) -> str:
    return f"127.77.{index // 250}.{1 + index % 250}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    raise_files_limit()
    print(
        f"{machine('uvloop', 'cryptography')}; {arguments.devices} devices, "
        f"median of {arguments.repeats}, for each device"
    )
    runs: list[Run] = [
        {row.title: measure(row, arguments.devices) for row in ROWS}
        for _ in range(arguments.repeats)
    ]
    show(runs, digits=3)


if __name__ == "__main__":
    main()
