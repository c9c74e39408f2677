"""Frames per second and core of the lens, and how soon a camera reads: `python tools/bench_lens.py`.

Every row is measured several times, all rows in turn, and the median is shown, so that a busy
machine slows all of them alike. Time is processor time of the process that does the work, not
wall time. Nothing is asserted: a figure without its machine means little.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable, Iterator

from firmware_sim.camera import decoder
from firmware_sim.camera.decoder import Decoder, make_decoder
from firmware_sim.camera.frame import render
from firmware_sim.camera.lens import FRAMES_MAX, first_read, see
from firmware_sim.camera.messages import Look
from firmware_sim.camera.pool import DecodePool
from firmware_sim.camera.scene import LensSettings, pose_at
from tools.figures import machine, process_cpu_ns

SETTINGS = LensSettings()
CAMERAS_PER_CODE = 30
ARRIVING = range(8)
HELD = range(24, 32)


def code(camera: int) -> bytes:
    """Return what `camera` is shown; thirty cameras share a code, as in a batch unbinding."""
    batch = camera // CAMERAS_PER_CODE
    return b'{"s":"Warehouse-5G","p":"correct horse 7","t":"EUabcd%04d1234"}' % batch


def looks(cameras: int, frames: range) -> Iterator[Look]:
    """Yield each camera's frames, the cameras in turn."""
    for frame in frames:
        for camera in range(cameras):
            yield Look(camera, camera, frame, code(camera), SETTINGS)


def cpu_ms_per_frame(work: Callable[[Look], object], todo: list[Look]) -> float:
    """Run `work` on each look in this process."""
    begin_ns = time.process_time_ns()
    for look in todo:
        work(look)
    return (time.process_time_ns() - begin_ns) / 1e6 / len(todo)


def synthesize(look: Look) -> object:
    """Take a frame and do not decode it."""
    return render(look.payload, pose_at(look.seed, look.frame, SETTINGS), SETTINGS)


async def through_pool(name: str, todo: list[Look]) -> tuple[float, float]:
    """Return CPU ms per frame of the one worker, and of this process's event loop."""
    async with await DecodePool.open(name) as pool:
        (worker,) = pool.worker_pids
        per_camera: dict[int, list[Look]] = {}
        for look in todo:
            per_camera.setdefault(look.camera, []).append(look)

        async def camera(mine: list[Look]) -> None:
            for look in mine:
                result = pool.submit(look)
                assert result is not None, "one frame of a camera at a time is never refused"
                await result

        begin_ns = process_cpu_ns(worker), time.process_time_ns()
        await asyncio.gather(*map(camera, per_camera.values()))
        end_ns = process_cpu_ns(worker), time.process_time_ns()
    worker_ms, loop_ms = ((b - a) / 1e6 / len(todo) for a, b in zip(begin_ns, end_ns, strict=True))
    return worker_ms, loop_ms


def measure(decoders: list[Decoder], cameras: int) -> dict[str, float]:
    """Return CPU ms per frame of every row, once."""
    rows: dict[str, float] = {}
    for label, frames in (("arriving", ARRIVING), ("held", HELD)):
        todo = list(looks(cameras, frames))
        rows[f"synthesis only, {label}"] = cpu_ms_per_frame(synthesize, todo)
        for reader in decoders:
            row = cpu_ms_per_frame(lambda look, reader=reader: see(reader, look), todo)  # type: ignore[misc]
            rows[f"synthesis + {reader.name}, {label}"] = row
    todo = list(looks(cameras, HELD))
    for reader in decoders:
        worker_ms, loop_ms = asyncio.run(through_pool(reader.name, todo))
        rows[f"pool worker, {reader.name}, held"] = worker_ms
        rows[f"event loop beside it, {reader.name}, held"] = loop_ms
    return rows


def show_reading(reader: Decoder, cameras: int) -> None:
    """Print how soon cameras read, and which share of held frames is legible."""
    reads = [first_read(reader, camera, code(camera), SETTINGS) for camera in range(cameras)]
    counts = sorted(FRAMES_MAX if frame is None else frame + 1 for frame in reads)
    held = [see(reader, look).text is not None for look in looks(cameras, HELD)]
    print(
        f"{reader.name:8} frames until read: median {statistics.median(counts):g}, "
        f"p90 {counts[cameras * 9 // 10]}, max {counts[-1]};  "
        f"held frames read: {100 * sum(held) / len(held):.1f} %"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    decoders = [make_decoder(name) for name in decoder.available()]
    print(machine("pyzbar", "zxing-cpp", "pillow", "numpy", "segno"))
    measure(decoders, 1)  # fill caches
    runs = [measure(decoders, arguments.cameras) for _ in range(arguments.repeats)]
    print(f"\n{'CPU time, median of ' + str(len(runs)):38} {'ms/frame':>9} {'frames/s/core':>14}")
    for row in runs[0]:
        cost_ms = statistics.median(run[row] for run in runs)
        print(f"{row:38} {cost_ms:9.3f} {1000 / cost_ms:14,.0f}")
    print()
    for reader in decoders:
        show_reading(reader, arguments.cameras)


if __name__ == "__main__":
    main()
