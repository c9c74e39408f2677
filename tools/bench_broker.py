"""What a device costs the cloud's MQTT port, next to a bare protocol: `python tools/bench_broker.py`.

Server and clients are two processes. The floor is an asyncio protocol that answers CONNECT and
PUBLISH with fixed bytes and knows nothing: what is left to gain. All rows are measured in turn,
several times, and the median is shown; time is the server's processor time, not wall time.
Nothing is asserted: a figure without its machine means little.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import uvloop

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached, Event
from firmware_sim.wire import mqtt
from fleet.cloud.broker import Broker, MessageReceived
from fleet.cloud.edge.listen import BACKLOG, Listeners, raise_files_limit
from fleet.cloud.edge.server import serve
from fleet.cloud.messages import StreamClosed, StreamOpened, StreamReceived
from fleet.cloud.store.memory import MemoryStore

HOST = "127.0.0.1"
CONNECTING_MAX = 100
PAYLOAD = bytes(64)
CONNACK = mqtt.encode(mqtt.Connack(mqtt.ACCEPTED))
PUBACK_SIZE = 4


class EverybodyIn:
    """A node whose broker admits all; with `echo` each message goes back at QoS 1."""

    def __init__(self, *, echo: bool) -> None:
        """Start without clients."""
        self._broker = Broker(self)
        self._echo = echo

    def admit(self, _client_id: str, _username: str, _password: bytes, _now_ms: int) -> int:
        """Let in."""
        return mqtt.ACCEPTED

    def may_subscribe(self, client_id: str, topic: str) -> bool:
        """Tell whether the topic is the client's."""
        return topic == f"in/{client_id}"

    def may_publish(self, client_id: str, topic: str) -> bool:
        """Tell whether the topic is the client's."""
        return topic == f"out/{client_id}"

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Work an event of the broker off."""
        assert isinstance(event, StreamOpened | StreamReceived | StreamClosed | DeadlineReached)
        out: list[Effect] = []
        for happening in self._broker.handle(event, now_ms, out):
            if self._echo and isinstance(happening, MessageReceived):
                topic = f"in/{happening.client_id}"
                self._broker.publish(topic, happening.payload, 1, "", now_ms, out)
        return out

    def next_deadline_ms(self) -> int | None:
        """Return when the broker wants to be woken."""
        return self._broker.next_deadline_ms()


class Floor(asyncio.Protocol):
    """Answers by the first byte."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Acknowledge."""
        if data[0] == mqtt.Connect.HEAD:
            self.transport.write(CONNACK)
        else:
            at = 4 + data[3]
            self.transport.write(b"\x40\x02" + data[at : at + 2])


async def _serve_floor(listeners: Listeners, on_ready: Callable[[object], None]) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Floor, sock=listeners.mqtt, backlog=BACKLOG)
    on_ready(None)
    await asyncio.Event().wait()


def server(row: str, pipe: Connection) -> None:
    """Serve as `row` says until killed; sends the port."""
    raise_files_limit()
    _pin(1)

    async def main() -> None:
        listeners = Listeners(HOST, 0, 0)

        def tell(_: object) -> None:
            pipe.send(listeners.mqtt_port)

        if row == "floor":
            await _serve_floor(listeners, tell)
        else:
            node = EverybodyIn(echo=row == "broker, echo")
            await serve(node, MemoryStore(), listeners, tell, asyncio.Event())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Client(asyncio.Protocol):
    """One device: says CONNECT, then publishes whenever the last message was acknowledged."""

    def __init__(self, number: int, row: str) -> None:
        """Prepare the packets."""
        name = f"device{number:06}"
        self._hello = mqtt.encode(mqtt.Connect(name, name, "password"))
        self._subscribe = mqtt.encode(mqtt.Subscribe(1, ((f"in/{name}", 1),)))
        self._message = mqtt.encode(mqtt.Publish(f"out/{name}", PAYLOAD, qos=1, packet_id=7))
        self._echo = row == "broker, echo"
        self._subscribes = row != "floor"
        self._pending = 0
        self._decoder = mqtt.Decoder()
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce this device."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._hello)

    def publish(self, count: int) -> None:
        """Send `count` messages, one after the other."""
        self.done = asyncio.get_running_loop().create_future()
        self._pending = count
        self.transport.write(self._message)

    def data_received(self, data: bytes) -> None:
        """Go on with what comes next."""
        for packet in self._decoder.feed(data):
            if isinstance(packet, mqtt.Connack) and self._subscribes:
                self.transport.write(self._subscribe)
            elif isinstance(packet, mqtt.Connack | mqtt.Suback):
                self.done.set_result(None)
            elif isinstance(packet, mqtt.Publish):
                self.transport.write(mqtt.encode(mqtt.Puback(packet.packet_id)))
                self._next()
            elif not self._echo:
                self._next()

    def _next(self) -> None:
        self._pending -= 1
        if self._pending:
            self.transport.write(self._message)
        else:
            self.done.set_result(None)


async def drive(row: str, port: int, pid: int, clients: int, messages: int) -> dict[str, float]:
    """Connect all, let all publish; return the server's figures."""
    gate, loop = asyncio.Semaphore(CONNECTING_MAX), asyncio.get_running_loop()
    all_clients: list[Client] = []

    async def connect(number: int) -> None:
        async with gate:
            _, client = await loop.create_connection(lambda: Client(number, row), HOST, port)
            await client.done
            all_clients.append(client)

    before_kib, before_ns = rss_kib(pid), process_cpu_ns(pid)
    await asyncio.gather(*map(connect, range(clients)))
    await asyncio.sleep(0.2)
    connected_ns = process_cpu_ns(pid)
    idle_kib = rss_kib(pid)
    begin_s = time.perf_counter()
    for client in all_clients:
        client.publish(messages)
    await asyncio.gather(*(client.done for client in all_clients))
    wall_s = time.perf_counter() - begin_s
    told_ns = process_cpu_ns(pid)
    after_kib = rss_kib(pid)
    for client in all_clients:
        client.transport.abort()
    return {
        "ms/connect": (connected_ns - before_ns) / 1e6 / clients,
        "KiB idle": (idle_kib - before_kib) / clients,
        "us/message": (told_ns - connected_ns) / 1e3 / clients / messages,
        "KiB after": (after_kib - before_kib) / clients,
        "messages/s": clients * messages / wall_s,
    }


def measure(row: str, clients: int, messages: int) -> dict[str, float]:
    """Run one row once, in fresh processes."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=server, args=(row, theirs))
    child.start()
    try:
        port = ours.recv()
        assert child.pid is not None
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(drive(row, port, child.pid, clients, messages))
    finally:
        child.kill()
        child.join()


def process_cpu_ns(pid: int) -> int:
    """Return the processor time of another process; its clock's number is made as Linux does."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def rss_kib(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def machine() -> str:
    """Return what the figures were taken on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return (
        f"{os.cpu_count()} x {(names or [platform.machine()])[0]}, load {os.getloadavg()[0]:.1f}, "
        f"Linux {platform.release()}, Python {platform.python_version()}, uvloop {version('uvloop')}"
    )


def _pin(core: int) -> None:
    """Keep server and clients out of each other's way where there are two cores."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=5_000)
    parser.add_argument("--messages", type=int, default=5, help="of each client")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    raise_files_limit()
    print(f"{machine()}; {arguments.clients} clients, median of {arguments.repeats}")
    _pin(0)
    gc.disable()
    rows = ("floor", "broker", "broker, echo")
    runs = [
        {row: measure(row, arguments.clients, arguments.messages) for row in rows}
        for _ in range(arguments.repeats)
    ]
    print(f"\n{'':14}" + "".join(f"{name:>12}" for name in runs[0]["floor"]))
    for row in rows:
        figures = [statistics.median(run[row][name] for run in runs) for name in runs[0]["floor"]]
        print(f"{row:14}" + "".join(f"{figure:12,.3f}" for figure in figures))


if __name__ == "__main__":
    main()
