"""What a bench costs with many devices on it: `python tools/bench_bench.py`.

`fleet bench` runs as its users run it, as a process of its own, and is called over its endpoints.
"start" is from the command to the line that says it is ready. Memory and files are what the process
has more than one with a single device, per device. "idle" is its processor time per second on the
wall while all devices wait for a code or their network, and nobody calls; "LEDs" is all colour sensors
read at once, and how much later than it has to be the last answer comes. "reset" and "unbound" are from
the first call until the last light shows it, in seconds of the bench; "stop" is from the signal to the
end of the process. Nothing is asserted: a figure without its machine means little.
"""

import argparse
import asyncio
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hw_profiles import catalog
from tools.figures import Run, machine, process_cpu_ns, rss_kib, show

AT_ONCE = 64
IDLE_S, LED_S, LED_HZ = 4.0, 5.0, 100
PATIENCE_S = 180.0
WIRE_S = 600
HAND_SLACK_S = 0.3


class Running:
    """A bench that runs: its process, and calls to it."""

    def __init__(self, process: subprocess.Popen[str], url: str, count: int, rate: float) -> None:
        """Take it."""
        self.process = process
        self.count = count
        self.rate = rate
        self._place = urlsplit(url)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def call(
        self, method: str, path: str, body: str | dict[str, object] = "", *, waits: bool = False
    ) -> Any:
        """Make one call and return its answer; those that wait do not hold others up.

        A dict is sent as JSON, a text as such.
        """
        async with nullcontext() if waits else self._gate:
            status, answer = await self._exchange(method, path, body)
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {answer[:200]!r}")
        return json.loads(answer) if answer[:1] in (b"{", b"[") else answer

    async def _exchange(
        self, method: str, path: str, body: str | dict[str, object]
    ) -> tuple[int, bytes]:
        """Make one call on a connection of its own: clients of Python cost more than the bench."""
        kind = "text/plain" if isinstance(body, str) else "application/json"
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        place = self._place
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        try:
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n"
                f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
                + content
            )
            head, _, answer = (await reader.read(-1)).partition(b"\r\n\r\n")
        finally:
            writer.close()
        return int(head.split()[1]), answer

    async def each(self, work: Callable[[int], Awaitable[object]]) -> None:
        """Do something at all devices at once."""
        await asyncio.gather(*(work(index) for index in range(self.count)))

    async def put(self, what: str, value: str) -> None:
        """Switch something at all devices."""
        await self.each(lambda index: self.call("PUT", f"/devices/{index}/{what}", value))

    async def until_all(self, lights: Iterable[str]) -> float:
        """Wait for the lights of all devices; return how long, in seconds of the bench."""
        wanted, begun_s = set(lights), await self.now_s()
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            shown = [about["light"] for about in await self.call("GET", "/devices")]
            if wanted.issuperset(shown):
                return await self.now_s() - begun_s
            if time.monotonic() > give_up_at:
                left = {light: shown.count(light) for light in set(shown)}
                raise SystemExit(f"not all lights are {wanted}: {left}")
            await asyncio.sleep(0.1)

    async def now_s(self) -> float:
        """Return the bench's time."""
        return float((await self.call("GET", "/clock"))["now_s"])

    async def sleep(self, duration_s: float) -> None:
        """Let time of the bench pass."""
        await asyncio.sleep(duration_s / self.rate)

    @property
    def cpu_ms(self) -> float:
        """Return the processor time of the process so far."""
        return process_cpu_ns(self.process.pid) / 1e6

    @property
    def files(self) -> int:
        """Return how many files it has open."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())


@asynccontextmanager
async def bench(
    profile: str, count: int, rate: float, times: dict[str, float]
) -> AsyncIterator[Running]:
    """Run a bench; put into `times` how long its start and its end took."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fleet", "bench", profile, "--count", str(count)]
        command += [
            "--rate",
            str(rate),
            "--port",
            "0",
            "--serial-dir",
            str(Path(folder) / "serial"),
        ]
        begun_s = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        text = ""
        while "Ctrl-C" not in text:
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the bench did not start")
            text += line
        times["start s"] = time.monotonic() - begun_s
        found = re.search(r"http://[\d.:]+", text)
        assert found is not None
        running = Running(process, found[0], count, rate)
        try:
            yield running
        finally:
            begun_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)
            times["stop s"] = time.monotonic() - begun_s
            process.stdout.close()


async def measure(profile: str, count: int, rate: float) -> dict[str, float]:
    """Return the figures of one bench."""
    figures: dict[str, float] = {}
    async with bench(profile, 1, rate, {}) as one:
        await one.put("power", "1")
        await one.until_all(("online", "reconnecting"))
        kib, files = rss_kib(one.process.pid), one.files
    async with bench(profile, count, rate, figures) as many:
        await many.put("power", "1")
        figures["on s"] = await many.until_all(("online", "reconnecting"))
        await many.sleep(2.0)
        figures["KiB/device"] = (rss_kib(many.process.pid) - kib) / max(1, count - 1)
        figures["files/device"] = (many.files - files) / max(1, count - 1)
        before_ms = many.cpu_ms
        await asyncio.sleep(IDLE_S)
        figures["idle ms/s"] = (many.cpu_ms - before_ms) / IDLE_S
        figures |= await leds(many)
        figures |= await resets(many, profile)
    return figures


async def leds(many: Running) -> dict[str, float]:
    """Read all lights at once."""
    query = f"led?duration_s={LED_S}&rate_hz={LED_HZ}"
    before_ms, begun_s = many.cpu_ms, await many.now_s()
    await many.each(lambda index: many.call("GET", f"/devices/{index}/{query}", waits=True))
    late_s = await many.now_s() - begun_s - LED_S
    return {"LEDs late s": late_s, "LEDs cpu ms": many.cpu_ms - before_ms}


async def resets(many: Running, profile: str) -> dict[str, float]:
    """Reset all devices at once, and unbind them all at once."""
    model = catalog.load(profile)
    begun_s = await many.now_s()
    await many.put("button", "1")
    await many.sleep(model.timings.reset_hold_ms / 1000 + HAND_SLACK_S)
    await many.put("button", "0")
    await many.until_all(("waiting",))
    reset_s, begun_s = await many.now_s() - begun_s, await many.now_s()

    async def unbind(index: int) -> None:
        if model.wired:
            order: dict[str, object] = {"purpose": "unbind", "timeout_s": WIRE_S}
            await many.call("POST", f"/devices/{index}/phone/by-wire", order, waits=True)
            return
        code = await many.call("POST", f"/devices/{index}/phone/codes", {"purpose": "unbind"})
        await many.call("PUT", f"/devices/{index}/frame", code["text"])

    await many.each(unbind)
    if not model.wired:  # a code that is left before the lens is read again afterwards
        await many.each(lambda index: take_away(many, index))
    await many.until_all(("unbound",))
    return {"reset s": reset_s, "unbound s": await many.now_s() - begun_s}


async def take_away(many: Running, index: int) -> None:
    """Take the code away once the device has read it."""
    while (await many.call("GET", f"/devices/{index}"))["light"] == "waiting":
        await asyncio.sleep(0.1)
    await many.call("DELETE", f"/devices/{index}/frame")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--rates", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--profiles", nargs="+", default=["ipc-red-green", "nvr"])
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    print(machine("labgrid", "starlette", "uvicorn"))
    print(f"{arguments.devices} devices; LEDs: {LED_S:g} s at {LED_HZ} Hz")
    runs: list[Run] = [
        {
            f"{profile} x{rate:g}": asyncio.run(measure(profile, arguments.devices, rate))
            for profile in arguments.profiles
            for rate in arguments.rates
        }
        for _ in range(arguments.rounds)
    ]
    show(runs, digits=2)


if __name__ == "__main__":
    main()
