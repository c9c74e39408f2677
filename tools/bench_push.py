"""How fast push messages reach one consumer, and a second one: `python tools/bench_push.py`.

Server and consumers are two processes with a core each. The server is the real one around the real
topics; only what raises the messages is made up: a request that raises many at once. "backlog" is
what was raised before the consumer came, "live" is raised while it reads. A message counts when it
has arrived; no more than a thousand are sent ahead of their acknowledgements, so with SQLite nearly
all were written to disk and taken from it again by then. Take-over is the time from the moment in
which the active consumer's connection is reset, with messages on their way, to the first message
at the second one, and to the last. Rows are measured in turn, several times, and the median is
shown. Nothing is asserted but that nothing is lost.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import uvloop
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.uri import parse_uri

from firmware_sim.effects import Effect
from firmware_sim.events import DeadlineReached, Event
from firmware_sim.wire.ciphers import ecb_decrypt
from fleet.cloud.devices import Device
from fleet.cloud.edge.listen import Listeners
from fleet.cloud.edge.server import Ready, serve
from fleet.cloud.messages import HttpRequested, PushRaised, SendReply
from fleet.cloud.open.push_crypto import data_key, password
from fleet.cloud.products import Product
from fleet.cloud.push_events import ConsumerEvent
from fleet.cloud.push_topics import PushTopics
from fleet.cloud.settings import Settings
from fleet.cloud.state import State
from fleet.cloud.store.memory import MemoryStore
from fleet.cloud.store.records import Store
from fleet.cloud.store.sqlite import SqliteStore
from tools.figures import machine, pin, process_cpu_ns, show

HOST = "127.0.0.1"
ACCESS_ID, SECRET = "tuyasim0client0id000", "0123456789abcdef0123456789abcdef"
DEV_ID, PRODUCT_ID = "bfdevice00000000000000", "camera0000000001"
RAISED_AT_ONCE = 50
REQUESTS_AHEAD = 8
ROWS = ("memory, backlog", "memory, live", "sqlite, backlog", "sqlite, live")
TAKE_OVERS = ("memory, take-over", "sqlite, take-over")


class Teller:
    """A node: the topics of one project, and a request that raises messages."""

    def __init__(self, store: Store) -> None:
        """Register a project with a device."""
        self._state = State(Settings(push_messages_max=1_000_000), store.load, os.urandom)
        self._state.products.put(Product(PRODUCT_ID, "Camera", "sp", "owner"))
        self._state.devices.add(Device("uuid", "key", PRODUCT_ID, dev_id=DEV_ID, owner="uid"))
        self._state.projects.add("owner", "app", access_id=ACCESS_ID, secret=SECRET)
        self._state.journal.take()
        self._topics = PushTopics(self._state, os.urandom)
        self._raised = 0

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Raise messages, or let the topics work."""
        if isinstance(event, HttpRequested):
            for _ in range(RAISED_AT_ONCE):
                data = b'{"devId":"%s","uid":"uid","number":%d}' % (DEV_ID.encode(), self._raised)
                self._topics.publish(
                    PushRaised("delete", DEV_ID, PRODUCT_ID, data, uid="uid"), now_ms
                )
                self._raised += 1
            self._state.journal.effects.append(SendReply(event.exchange, 200, b""))
        else:
            assert isinstance(event, ConsumerEvent | DeadlineReached)
            self._topics.handle(event, now_ms)
        return self._state.journal.take()

    def next_deadline_ms(self) -> int | None:
        """Return when the topics want to be woken."""
        return self._topics.next_deadline_ms()


def server(row: str, folder: str, pipe: Connection) -> None:
    """Serve until killed; sends where."""
    pin(1)
    store: Store = SqliteStore(Path(folder)) if row.startswith("sqlite") else MemoryStore()

    async def main() -> None:
        await serve(Teller(store), store, Listeners(HOST, 0, 0), pipe.send, asyncio.Event())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Consumer(asyncio.Protocol):
    """Reads deliveries and acknowledges them all, unless it is deaf."""

    transport: asyncio.Transport

    def __init__(self, ready: Ready, on_message: Callable[[bytes], None], *, deaf: bool) -> None:
        """Prepare the request."""
        path = f"ws/v2/consumer/persistent/{ACCESS_ID}/out/event/{ACCESS_ID}-sub"
        self._ws = ClientProtocol(parse_uri(f"{ready.push_url}{path}?ackTimeoutMillis=30000"))
        self._on_message = on_message
        self._deaf = deaf
        self.admitted = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be admitted."""
        self.transport = cast("asyncio.Transport", transport)
        request = self._ws.connect()
        request.headers["username"] = ACCESS_ID
        request.headers["password"] = password(ACCESS_ID, SECRET)
        self._ws.send_request(request)
        self.transport.write(b"".join(self._ws.data_to_send()))

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        self._ws.receive_data(data)
        for event in self._ws.events_received():
            if isinstance(event, Response):
                assert event.status_code == 101, event
                self.admitted.set_result(None)
            elif isinstance(event, Frame):
                self._take(bytes(event.data))
        self.transport.write(b"".join(self._ws.data_to_send()))

    def _take(self, text: bytes) -> None:
        self._on_message(text)
        if not self._deaf:
            name = json.loads(text)["messageId"]
            self._ws.send_text(b'{"messageId": "%s"}' % name.encode())


async def consume(
    ready: Ready, on_message: Callable[[bytes], None], *, deaf: bool = False
) -> Consumer:
    """Return a consumer that was admitted."""
    loop = asyncio.get_running_loop()
    _, consumer = await loop.create_connection(
        lambda: Consumer(ready, on_message, deaf=deaf), HOST, ready.http_port
    )
    await consumer.admitted
    return consumer


async def tell(ready: Ready, count: int) -> None:
    """Let `count` messages be raised, several requests ahead of their answers."""
    reader, writer = await asyncio.open_connection(HOST, ready.http_port)
    requests = count // RAISED_AT_ONCE
    for number in range(requests + REQUESTS_AHEAD):
        if number < requests:
            writer.write(b"POST /raise HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        if number >= REQUESTS_AHEAD:
            await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def deliver(row: str, ready: Ready, pid: int, count: int) -> dict[str, float]:
    """Let `count` messages be delivered to one consumer; return rate and cost."""
    heard = 0
    done = asyncio.Event()

    def note(_text: bytes) -> None:
        nonlocal heard
        heard += 1
        if heard == count:
            done.set()

    if row.endswith("backlog"):
        await tell(ready, count)
    begin_s, begin_ns = time.perf_counter(), process_cpu_ns(pid)
    consumer = await consume(ready, note)
    if row.endswith("live"):
        await tell(ready, count)
    await done.wait()
    wall_s = time.perf_counter() - begin_s
    await asyncio.sleep(0.2)  # the last acknowledgements
    cpu_ns = process_cpu_ns(pid) - begin_ns
    consumer.transport.abort()
    return {"messages/s": count / wall_s, "server us each": cpu_ns / 1e3 / count}


async def take_over(ready: Ready, count: int) -> dict[str, float]:
    """Reset the active consumer amid messages; return how long until the next one hears, and all."""
    numbers: list[set[int]] = [set(), set()]
    first_s = 0.0

    def hear(which: int, text: bytes) -> None:
        nonlocal first_s
        if which and not first_s:
            first_s = time.perf_counter()
        numbers[which].add(number_in(text))

    active = await consume(ready, lambda text: hear(0, text), deaf=True)
    waiting = await consume(ready, lambda text: hear(1, text))
    telling = asyncio.ensure_future(tell(ready, count))
    while len(numbers[0]) < min(count, 1_000) // 2:
        await asyncio.sleep(0)
    begin_s = time.perf_counter()
    active.transport.abort()
    await telling
    while len(numbers[1]) < count:
        await asyncio.sleep(0.001)
    all_s = time.perf_counter()
    waiting.transport.abort()
    assert numbers[1] >= numbers[0], "something was lost"
    return {"first ms": (first_s - begin_s) * 1e3, "all ms": (all_s - begin_s) * 1e3}


def number_in(text: bytes) -> int:
    """Return the number that a delivery tells."""
    envelope = json.loads(b64decode(json.loads(text)["payload"]))
    plain = ecb_decrypt(data_key(SECRET), b64decode(envelope["data"]))
    return int(json.loads(plain)["bizData"]["number"])


def measure(row: str, count: int) -> dict[str, float]:
    """Run one row once, in a fresh server."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        child = spawn.Process(target=server, args=(row, f"{folder}/data", theirs))
        child.start()
        try:
            ready = ours.recv()
            assert child.pid is not None
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                if row.endswith("take-over"):
                    return runner.run(take_over(ready, count))
                return runner.run(deliver(row, ready, child.pid, count))
        finally:
            child.kill()
            child.join()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{machine('websockets')}; {arguments.messages} messages, median of {arguments.repeats}")
    pin(0)
    for rows, count in ((ROWS, arguments.messages), (TAKE_OVERS, arguments.messages // 10)):
        rounds = range(arguments.repeats)
        show([{row: measure(row, count) for row in rows} for _ in rounds])


if __name__ == "__main__":
    main()
