"""What a client costs the cloud's MQTT port, next to Mosquitto: `python tools/bench_broker.py`.

Server and clients are two processes. The floor is an asyncio protocol that answers CONNECT and
PUBLISH with fixed bytes and knows nothing: what is left to gain. "publish" is a QoS 1 message that
is acknowledged, "echo" one that also comes back to its sender at QoS 1: the cloud answers a device,
Mosquitto and the guests' row send it to a client that subscribed to the topic that it publishes to.
All rows are measured in turn, several times, and the median is shown; time is the server's
processor time, not wall time. The last lines are ratios to Mosquitto (Debian package `mosquitto`;
without it there are none), which is started on a free port and asks nobody for a password.
Nothing is asserted: a figure without its machine means little.
"""

import argparse
import asyncio
import gc
import multiprocessing
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import msgspec
import uvloop

from firmware_sim.effects import Effect
from firmware_sim.events import Event
from firmware_sim.wire import mqtt
from fleet.cloud.broker import Broker, BrokerEvent, Directories, GuestLimits, MessageReceived
from fleet.cloud.edge.listen import BACKLOG, Listeners, raise_files_limit
from fleet.cloud.edge.server import serve
from fleet.cloud.store.memory import MemoryStore
from tools.figures import Run, machine, pin, process_cpu_ns, rss_kib, show

HOST = "127.0.0.1"
CONNECTING_MAX = 100
PAYLOAD = bytes(64)
CONNACK = mqtt.encode(mqtt.Connack(mqtt.ACCEPTED))
PUBACK_SIZE = 4


class Row(msgspec.Struct, frozen=True):
    """What is measured: which server, and whether messages come back."""

    name: str
    server: str
    echo: bool = False


MOSQUITTO, DEVICES, GUESTS = "mosquitto", "devices", "guests"
ROWS = (
    Row("floor, publish", "floor"),
    Row("ours, publish", DEVICES),
    Row("ours, echo", DEVICES, echo=True),
    Row("guests, echo", GUESTS, echo=True),
    Row("Mosquitto, publish", MOSQUITTO),
    Row("Mosquitto, echo", MOSQUITTO, echo=True),
)


class EverybodyIn:
    """A node whose broker admits all; with `echo` each message of a device goes back at QoS 1."""

    def __init__(self, row: Row) -> None:
        """Start without clients."""
        self.guests = GuestLimits(connections_max=1 << 30) if row.server == GUESTS else None
        self._broker = Broker(Directories(self))
        self._echo = row.echo

    def claims(self, _client_id: str, _username: str) -> bool:
        """Know everybody."""
        return True

    def admit(self, _client_id: str, _username: str, _password: bytes, _now_ms: int) -> int:
        """Let in."""
        return mqtt.ACCEPTED

    def may_subscribe(self, client_id: str, _username: str, topic_filter: str) -> bool:
        """Tell whether the topic is the client's."""
        return topic_filter == f"in/{client_id}"

    def may_publish(self, client_id: str, _username: str, topic: str) -> bool:
        """Tell whether the topic is the client's."""
        return topic in {f"out/{client_id}", f"in/{client_id}"}

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Work an event of the broker off."""
        assert isinstance(event, BrokerEvent)
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


def server(row: Row, pipe: Connection) -> None:
    """Serve as `row` says until killed; sends the port."""
    raise_files_limit()
    pin(1)

    async def main() -> None:
        listeners = Listeners(HOST, 0, 0)

        def tell(_: object) -> None:
            pipe.send(listeners.mqtt_port)

        if row.server == "floor":
            await _serve_floor(listeners, tell)
        else:
            await serve(EverybodyIn(row), MemoryStore(), listeners, tell, asyncio.Event())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Client(asyncio.Protocol):
    """One device: says CONNECT, then publishes whenever the last message was acknowledged."""

    def __init__(self, number: int, row: Row) -> None:
        """Prepare the packets."""
        name = f"device{number:06}"
        self._hello = mqtt.encode(mqtt.Connect(name, name, "password"))
        self._subscribe = mqtt.encode(mqtt.Subscribe(1, ((f"in/{name}", 1),)))
        own = "in" if row.echo and row.server != DEVICES else "out"
        self._message = mqtt.encode(mqtt.Publish(f"{own}/{name}", PAYLOAD, qos=1, packet_id=7))
        self._echo = row.echo
        self._subscribes = row.server != "floor"
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


async def drive(row: Row, port: int, pid: int, clients: int, messages: int) -> dict[str, float]:
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


@contextmanager
def served(row: Row) -> Iterator[tuple[int, int]]:
    """Run a row's server in a process of its own; yield port and process id."""
    if row.server == MOSQUITTO:
        with mosquitto() as found:
            yield found
        return
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    child = spawn.Process(target=server, args=(row, theirs))
    child.start()
    try:
        port = ours.recv()
        assert child.pid is not None
        yield port, child.pid
    finally:
        child.kill()
        child.join()


@contextmanager
def mosquitto() -> Iterator[tuple[int, int]]:
    """Run Mosquitto on a free port with a folder of its own; yield port and process id."""
    with socket.socket() as probe, TemporaryDirectory() as folder:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
        probe.close()
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} {HOST}\nallow_anonymous true\npersistence false\nlog_dest none\n"
        )
        process = subprocess.Popen([which(MOSQUITTO) or MOSQUITTO, "-c", str(config)])
        try:
            pin(1, process.pid)
            while not _listens(port):
                assert process.poll() is None, "Mosquitto did not start"
                time.sleep(0.05)
            yield port, process.pid
        finally:
            process.kill()
            process.wait()


def which(program: str) -> str | None:
    """Return where a program is; Debian keeps servers where only root looks."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def measure(row: Row, clients: int, messages: int) -> dict[str, float]:
    """Run one row once, in fresh processes."""
    with served(row) as (port, pid), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(drive(row, port, pid, clients, messages))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=5_000)
    parser.add_argument("--messages", type=int, default=5, help="of each client")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    raise_files_limit()
    print(f"{machine('uvloop')}; {arguments.clients} clients, median of {arguments.repeats}")
    pin(0)
    gc.disable()
    rows = [row for row in ROWS if row.server != MOSQUITTO or which(MOSQUITTO)]
    runs = [
        {row.name: measure(row, arguments.clients, arguments.messages) for row in rows}
        for _ in range(arguments.repeats)
    ]
    show(runs, digits=3)
    if which(MOSQUITTO):
        show([ratios(run) for run in runs], digits=2)


def ratios(run: Run) -> Run:
    """Return ours divided by Mosquitto's."""
    pairs = (
        ("publish", "ours, publish", "Mosquitto, publish"),
        ("echo", "ours, echo", "Mosquitto, echo"),
        ("guests", "guests, echo", "Mosquitto, echo"),
    )
    return {
        f"{title}, ratio": {name: run[ours][name] / run[theirs][name] for name in run[ours]}
        for title, ours, theirs in pairs
    }


if __name__ == "__main__":
    main()
