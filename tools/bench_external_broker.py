"""What a cloud on a Mosquitto costs: `python tools/bench_external_broker.py --devices 1000`.

The cloud, Mosquitto with dynamic security and the devices' connections are a process each. Measured
are: making the devices known to a broker that knows nobody; starting again when it knows them all;
a storm of devices that connect and subscribe to their three topics at once; reports at QoS 0; a
start that calls the roll of connected devices; and what one change of one device costs. Times are wall time; the rest is processor time per device or
message. Nothing is asserted: a figure without its machine means little.
"""

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import cast

import httpx
import uvloop

from firmware_sim.wire import mqtt, mqtt_payload
from firmware_sim.wire.ciphers import aes_key
from fleet.cloud.edge.listen import raise_files_limit
from fleet.cloud.edge.process import ServerConfig, run
from fleet.cloud.edge.server import Ready
from fleet.cloud.seed import AccountSeed, DeviceSeed, ProductSeed, Seed, UserSeed
from fleet.cloud.settings import Settings
from tools.dynsec_mosquitto import LOOPBACK, DynsecMosquitto, dynsec_mosquitto
from tools.figures import machine, process_cpu_ns, rss_kib

SPAWN = multiprocessing.get_context("spawn")
SECRET = "bench"
CONNECTING_MAX = 100
REPORTS = 5  # of each device
START_S_MAX = 3_600.0
CONNACK_SIZE, SUBACK_SIZE = 4, 7
WAIT_S = 0.02
COMMANDS = 20
TITLE = 50  # columns


def seed(count: int) -> Seed:
    """Return so many devices of one product, all bound."""
    product = ProductSeed(product_id="bench00000000001", name="Bench", category="sp", owner="maker")
    return Seed(
        accounts=(AccountSeed(name="maker", password="p"),),
        users=(UserSeed(uid="uid0", name="user", password="p"),),
        products=(product,),
        devices=tuple(
            DeviceSeed(
                uuid=f"uuid{n:08}",
                auth_key=f"authkey{n:025}",
                product_id=product.product_id,
                dev_id=f"bfbench{n:015}",
                sec_key=f"secret{n:010}",
                local_key=f"local{n:011}",
                owner="uid0",
            )
            for n in range(count)
        ),
    )


class Client(asyncio.Protocol):
    """A device's connection: says what firmware says, and counts what comes back."""

    def __init__(self, device: DeviceSeed) -> None:
        """Prepare for one device."""
        self._device = device
        self._wanted = CONNACK_SIZE
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say CONNECT and SUBSCRIBE at once."""
        self.transport = cast("asyncio.Transport", transport)
        dev_id = self._device.dev_id
        password = mqtt_payload.mqtt_password(self._device.sec_key)
        connect = mqtt.Connect(
            client_id=dev_id, username=dev_id, password=password, keep_alive_s=120
        )
        topics = (
            mqtt_payload.topic_in(dev_id),
            mqtt_payload.topic_rpc_response(dev_id),
            mqtt_payload.topic_rpc_file(dev_id),
        )
        subscribe = mqtt.Subscribe(packet_id=1, filters=tuple((topic, 1) for topic in topics))
        self._wanted += SUBACK_SIZE
        self.transport.write(mqtt.encode(connect) + mqtt.encode(subscribe))

    def data_received(self, data: bytes) -> None:
        """Count."""
        self._wanted -= len(data)
        if self._wanted <= 0 and not self.ready.done():
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended
        """Tell whoever waits."""
        self.lost.set_result(None)

    def report(self, number: int) -> None:
        """Publish a data point at QoS 0."""
        body = mqtt_payload.encode_dp_report(
            self._device.dev_id, int(time.time()), b'{"1":%d}' % number
        )
        payload = mqtt_payload.encode(
            aes_key(self._device.local_key), body, number, mqtt_payload.SOURCE_DEVICE
        )
        topic = mqtt_payload.topic_out(self._device.dev_id)
        self.transport.write(mqtt.encode(mqtt.Publish(topic=topic, payload=payload)))


class Bench:
    """A broker, a cloud on it, and what they have used."""

    def __init__(self, broker: DynsecMosquitto, cloud: multiprocessing.process.BaseProcess) -> None:
        """Look at both."""
        assert cloud.pid is not None
        self.broker, self.cloud_pid = broker, cloud.pid
        self.url = ""

    def used_ns(self) -> tuple[int, int]:
        """Return the processor time of broker and cloud."""
        return process_cpu_ns(self.broker.pid), process_cpu_ns(self.cloud_pid)

    async def stats(self, web: httpx.AsyncClient) -> dict[str, int]:
        """Return what the cloud counts."""
        headers = {"authorization": f"Bearer {SECRET}"}
        result = (await web.get(f"{self.url}/admin/v1/stats", headers=headers)).json()["result"]
        return {**result["services"], "clients": result["mqtt_clients"]}

    async def measured(
        self, title: str, count: int, work: Callable[[], Awaitable[None]], what: str = "device"
    ) -> None:
        """Do `work`, and print what each of `count` cost."""
        before, begun_s = self.used_ns(), time.monotonic()
        await work()
        took_s = time.monotonic() - begun_s
        after = self.used_ns()
        broker_us, cloud_us = ((b - a) / count / 1000 for a, b in zip(before, after, strict=True))
        print(
            f"{title:{TITLE}}{took_s:9.2f} s, {count / took_s:8,.0f} a second; per {what}: "
            f"Mosquitto {broker_us:8,.0f} us, cloud {cloud_us:6,.0f} us"
        )


@contextmanager
def cloud_on(broker: DynsecMosquitto, seeded: Seed, title: str) -> Iterator[Bench]:
    """Run a cloud until the end of the block; print what it cost until it served."""
    settings = Settings(password_iterations=1, admin_secret=SECRET, broker_waiting_clients=False)
    config = ServerConfig(settings=settings, seed=seeded, broker=broker.address)
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=run, args=(config, theirs))
    broker_ns, begun_s = process_cpu_ns(broker.pid), time.monotonic()
    process.start()
    try:
        ready = _ready(ours)
        took_s, count = time.monotonic() - begun_s, len(seeded.devices)
        used_us = (process_cpu_ns(broker.pid) - broker_ns) / count / 1000
        size_kib = broker.clients_file.stat().st_size / 1024
        print(
            f"{title:{TITLE}}{took_s:9.2f} s, {count / took_s:8,.0f} a second; per device: Mosquitto "
            f"{used_us:8,.0f} us; its file {size_kib:,.0f} KiB"
        )
        bench = Bench(broker, process)
        bench.url = ready.url
        yield bench
    finally:
        process.terminate()
        process.join()


def _ready(pipe: Connection) -> Ready:
    if not pipe.poll(START_S_MAX):
        raise SystemExit("the cloud does not start")
    word = pipe.recv()
    if not isinstance(word, Ready):
        raise SystemExit(word.message)
    return word


class Fleet:
    """The connections of all devices."""

    def __init__(self, devices: tuple[DeviceSeed, ...]) -> None:
        """Begin without any."""
        self._devices = devices
        self._clients: list[Client] = []

    async def come(self, bench: Bench) -> None:
        """Connect all at once, and report."""
        count = len(self._devices)
        async with httpx.AsyncClient() as web:
            await bench.measured(
                "a storm of devices, until the cloud has seen all",
                count,
                lambda: self._connect(bench, web),
            )
            await bench.measured(
                "reports at QoS 0",
                count * REPORTS,
                lambda: self._report(bench, web),
                "message",
            )
        print(f"{'Mosquitto with all of them':{TITLE}}{rss_kib(bench.broker.pid):9,.0f} KiB")

    async def go(self) -> None:
        """Wait until all were sent away."""
        await asyncio.gather(*(client.lost for client in self._clients))

    async def _connect(self, bench: Bench, web: httpx.AsyncClient) -> None:
        loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(CONNECTING_MAX)

        async def one(device: DeviceSeed) -> Client:
            async with gate:
                _, client = await loop.create_connection(
                    lambda: Client(device), LOOPBACK, bench.broker.port
                )
                await client.ready
                return client

        self._clients = await asyncio.gather(*map(one, self._devices))
        await self._until(bench, web, "clients", len(self._devices))

    async def _report(self, bench: Bench, web: httpx.AsyncClient) -> None:
        for number in range(REPORTS):
            for client in self._clients:
                client.report(number)
            await asyncio.sleep(0)
        await self._until(bench, web, "dp_reports", len(self._devices) * REPORTS)

    async def _until(self, bench: Bench, web: httpx.AsyncClient, name: str, wanted: int) -> None:
        while (await bench.stats(web)).get(name, 0) < wanted:
            await asyncio.sleep(WAIT_S)


def show_command(broker: DynsecMosquitto, devices: tuple[DeviceSeed, ...]) -> None:
    """Print what one command costs a broker that knows all devices."""
    names = [device.dev_id for device in devices[:COMMANDS]]
    before = process_cpu_ns(broker.pid)
    for name in names:
        broker.control("disableClient", name)
    used_us = (process_cpu_ns(broker.pid) - before) / len(names) / 1000
    print(f"{'a change of one device':{TITLE}}{'':28}Mosquitto {used_us:8,.0f} us")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1_000)
    count = parser.parse_args().devices
    raise_files_limit()
    print(f"{count} devices; {machine('aiomqtt', 'paho-mqtt', 'uvloop')}")
    seeded = seed(count)
    with dynsec_mosquitto() as broker, asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        with cloud_on(broker, seeded, "start: the broker knows nobody"):
            pass
        fleet = Fleet(seeded.devices)
        with cloud_on(broker, seeded, "start: it knows all, none is connected") as bench:
            loop.run(fleet.come(bench))
        with cloud_on(broker, seeded, "start: it knows all, and all are connected"):
            loop.run(fleet.go())
        show_command(broker, seeded.devices)


if __name__ == "__main__":
    main()
