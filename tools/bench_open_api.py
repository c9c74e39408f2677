"""How many calls the Open API answers, next to a bare server: `python tools/bench_open_api.py`.

The server is the real cloud on SQLite, on one core together with its writer thread; the callers
have the other core, 64 connections with one call at a time on each, signed beforehand. "GET" asks
for a device, "unbind" takes one away from its owner: its answer is said when that is on the disk.
The floor is a server that answers fixed bytes to whatever is a request: what is left to gain. At
full speed each connection calls again at once, so that 64 calls wait at any time, and how long one
takes is 64 divided by the rate; the rows with a number are calls that come evenly, as many in a
second, and are as late as they are answered after their turn, whether a connection was free or not.
"others" is what other programs took of one core meanwhile: a p99 is theirs as well as ours. Rows
are measured in turn, several times, and the median is shown; every answer is checked to be a
success, nothing else is asserted. Memory is that of a cloud that was started on its data.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, cast

import httptools
import uvloop

from fleet.cloud.edge.listen import BACKLOG, bind, raise_files_limit
from fleet.cloud.edge.process import ServerConfig, run
from fleet.cloud.edge.server import Ready
from fleet.cloud.seed import AccountSeed, DeviceSeed, ProductSeed, ProjectSeed, Seed, UserSeed
from fleet.cloud.settings import Settings
from tools.figures import Run, busy_s, machine, pin, process_cpu_ns, rss_kib, show

HOST = "127.0.0.1"
OWNER, PRODUCT_ID = "maker@example.com", "camera0000000001"
ACCESS_ID, SECRET = "tuyasim0client0id000", "0123456789abcdef0123456789abcdef"
SETTINGS = Settings(password_iterations=1, open_calls_per_second=10**9, open_calls_per_day=10**9)
# As long as the answer to a GET, and as successful.
FLOOR_BODY = json.dumps({"success": True, "result": "x" * 500}).encode()
FLOOR = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(FLOOR_BODY), FLOOR_BODY)
SUCCESS = b'"success":true'
GET, UNBIND = ("GET", "/v1.0/devices/{}"), ("POST", "/v1.0/cloud/thing/devices/{}/unbind")


class Row(NamedTuple):
    """What is measured: method and path, whether of the cloud, calls/s (0: all that it can)."""

    name: str
    call: tuple[str, str]
    of_cloud: bool = True
    rate: int = 0


ROWS = (
    Row("floor", GET, of_cloud=False),
    Row("GET", GET),
    Row("GET, 5,000", GET, rate=5_000),
    Row("unbind", UNBIND),
    Row("unbind, 2,500", UNBIND, rate=2_500),
)
UNBINDING = sum(row.call == UNBIND for row in ROWS)


def device_id(number: int) -> str:
    """Return the id of one of the devices."""
    return f"bfdevice{number:014}"


def seed(devices: int) -> Seed:
    """Return one project, and as many consumers as devices, with one each."""
    return Seed(
        accounts=(AccountSeed(name=OWNER),),
        products=(ProductSeed(product_id=PRODUCT_ID, name="Camera", category="sp", owner=OWNER),),
        projects=(ProjectSeed(access_id=ACCESS_ID, secret=SECRET, owner=OWNER, name="bench"),),
        users=tuple(UserSeed(uid=f"uid{n}", name=f"user{n}@example.com") for n in range(devices)),
        devices=tuple(
            DeviceSeed(
                uuid=f"uuid{n}",
                auth_key=f"{n:032}",
                product_id=PRODUCT_ID,
                dev_id=device_id(n),
                sec_key=f"{n:016}",
                local_key=f"{n:016}",
                owner=f"uid{n}",
                dps='{"1":false}',
            )
            for n in range(devices)
        ),
    )


# --- servers ------------------------------------------------------------------------------------


class Bare(asyncio.Protocol):
    """Reads requests, and answers each with the same bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Answer (called by the parser)."""
        self._transport.write(FLOOR)


def serve_floor(_folder: str, _devices: int, pipe: Connection) -> None:
    """Answer fixed bytes until killed; tells where."""
    pin(1)

    async def main() -> None:
        listener = bind(HOST, 0)
        await asyncio.get_running_loop().create_server(Bare, sock=listener, backlog=BACKLOG)
        pipe.send(Ready(HOST, listener.getsockname()[1], 0))
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def serve_data(folder: str, devices: int, pipe: Connection) -> None:
    """Serve the cloud in `folder` until killed; tells where. With `devices`, sow those first."""
    pin(1)
    sown = seed(devices) if devices else None
    run(ServerConfig(data=folder, settings=SETTINGS, seed=sown), pipe)


@contextmanager
def running(target: Any, folder: str, devices: int = 0) -> Iterator[tuple[int, int]]:
    """Start a server; yield its port and process id, then kill it."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    child = spawn.Process(target=target, args=(folder, devices, theirs))
    child.start()
    theirs.close()
    try:
        ready: Ready = ours.recv()
        assert child.pid is not None
        yield ready.http_port, child.pid
    finally:
        child.kill()
        child.join()


# --- callers ------------------------------------------------------------------------------------


def signed(method: str, target: str, token: str = "") -> bytes:
    """Return a request as a program sends it."""
    t = str(int(time.time() * 1000))
    text = f"{ACCESS_ID}{token}{t}{method}\n{hashlib.sha256().hexdigest()}\n\n{target}"
    sign = hmac.digest(SECRET.encode(), text.encode(), "sha256").hex().upper()
    headers = {
        "Host": HOST,
        "User-Agent": "bench",
        "client_id": ACCESS_ID,
        "sign": sign,
        "sign_method": "HMAC-SHA256",
        "access_token": token,
        "t": t,
        "lang": "en",
        "Content-Length": "0",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


class Work:
    """What all connections share: requests with their turns, and how late answers were."""

    def __init__(self, requests: Sequence[bytes], rate: int) -> None:
        """Let `rate` requests have their turn in a second, or all of them now (0)."""
        self._begin_s = time.perf_counter()  # uvloop's own time has whole milliseconds
        self._step_s = 1 / rate if rate else 0.0
        self._requests = enumerate(requests)
        self._full_speed = not rate
        self.took_s: list[float] = []

    def take(self, now_s: float) -> tuple[float, bytes] | None:
        """Return the next request and when it has its turn; None when there are no more."""
        number, request = next(self._requests, (0, b""))
        if not request:
            return None
        return now_s if self._full_speed else self._begin_s + number * self._step_s, request


class Caller(asyncio.Protocol):
    """One connection: sends the next request whenever the last one was answered."""

    transport: asyncio.Transport

    def __init__(self, work: Work) -> None:
        """Share `work` with the others."""
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._turn_s = 0.0
        self.body = b""
        self.done = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def next(self) -> None:
        """Send a request when its turn has come, or be done when there are no more."""
        now_s = time.perf_counter()
        taken = self._work.take(now_s)
        if taken is None:
            self.done.set_result(None)
            return
        self._turn_s, request = taken
        if self._turn_s <= now_s:
            self.transport.write(request)
        else:
            self._loop.call_later(self._turn_s - now_s, self.transport.write, request)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Fail when it was not us."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the server hung up"))

    def on_message_begin(self) -> None:
        """Begin a body (called by the parser, as the next two)."""
        self.body = b""

    def on_body(self, data: bytes) -> None:
        """Collect it."""
        self.body += data

    def on_message_complete(self) -> None:
        """Check the answer and go on."""
        self._work.took_s.append(time.perf_counter() - self._turn_s)
        if SUCCESS in self.body.replace(b" ", b""):
            self.next()
        else:
            self.done.set_exception(AssertionError(self.body.decode()))


async def call(
    port: int, requests: Sequence[bytes], connections: int, rate: int = 0
) -> tuple[list[float], bytes]:
    """Send all; return how late each answer was, and the last one of the first connection."""
    loop, work = asyncio.get_running_loop(), Work(requests, rate)
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(lambda: Caller(work), HOST, port)
        callers.append(caller)
    for caller in callers:
        caller.next()
    await asyncio.gather(*(caller.done for caller in callers))
    for caller in callers:
        caller.transport.abort()
    return work.took_s, callers[0].body


async def connect(port: int) -> str:
    """Return a token."""
    _, body = await call(port, [signed("GET", "/v1.0/token?grant_type=1")], 1)
    token: str = json.loads(body)["result"]["access_token"]
    return token


async def measure(
    row: Row, port: int, pid: int, numbers: Sequence[int], connections: int
) -> dict[str, float]:
    """Make one call for each device number; return the figures."""
    token = await connect(port) if row.of_cloud else ""
    method, path = row.call
    requests = [signed(method, path.format(device_id(number)), token) for number in numbers]
    begin_s, begin_ns = time.perf_counter(), process_cpu_ns(pid)
    others_s = busy_s() - time.process_time() - begin_ns / 1e9
    took_s, _ = await call(port, requests, connections, row.rate)
    wall_s, cpu_ns = time.perf_counter() - begin_s, process_cpu_ns(pid) - begin_ns
    others_s = busy_s() - time.process_time() - (begin_ns + cpu_ns) / 1e9 - others_s
    took_s.sort()
    return {
        "calls/s": len(took_s) / wall_s,
        "others %": others_s / wall_s * 100,
        "server us each": cpu_ns / 1e3 / len(took_s),
        "median ms": took_s[len(took_s) // 2] * 1e3,
        "p99 ms": took_s[len(took_s) * 99 // 100] * 1e3,
        "worst ms": took_s[-1] * 1e3,
    }


def rounds(folder: str, devices: int, given: argparse.Namespace) -> list[Run]:
    """Measure every row in turn, several times; each device is unbound once at most."""
    found = []
    numbers = iter(range(devices))
    with (
        running(serve_floor, folder) as floor,
        running(serve_data, folder) as cloud,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        print(f"RSS at rest {rss_kib(cloud[1]) / 1024:.0f} MiB")
        for _ in range(given.repeats):
            figures: Run = {}
            for row in ROWS:
                bound = list(islice(numbers, given.calls)) if row.call == UNBIND else None
                asked = bound or [devices - 1 - number for number in range(given.calls)]
                where = cloud if row.of_cloud else floor
                work = measure(row, *where, asked, given.connections)
                figures[row.name] = runner.run(work)
            for figure in figures.values():
                figure["% of floor"] = figure["calls/s"] / figures["floor"]["calls/s"] * 100
            found.append(figures)
        print(f"RSS at the end {rss_kib(cloud[1]) / 1024:.0f} MiB")
    return found


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=14_000, help="of each row")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", help="where the database is put, to measure that disk")
    given = parser.parse_args(words)
    needed = given.calls * (given.repeats * UNBINDING + 1)
    if needed > given.devices:
        parser.error(f"{given.devices} devices are too few to unbind and to ask for: {needed}")
    print(
        f"{machine('uvloop', 'httptools')}; {given.connections} connections, median of {given.repeats}"
    )
    raise_files_limit()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = f"{name}/data"
        begin_s = time.perf_counter()
        with running(serve_data, folder, given.devices):
            print(f"{given.devices:,} devices sown in {time.perf_counter() - begin_s:.1f} s")
        pin(0)
        runs = rounds(folder, given.devices, given)
    show(runs)


if __name__ == "__main__":
    main()
