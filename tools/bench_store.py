"""Durable transactions per second of the stores: `python tools/bench_store.py`.

Each transaction is what one unbinding writes (four records). With one caller every transaction
waits for its own flush of the disk; with many callers they share flushes. Both are as durable as
each other. The figures are those of the disk under FOLDER as much as those of the program, so
the last row flushes four KiB to a plain file, as the limit for a caller that waits alone. With
`--url postgresql://...` it is a PostgreSQL server that is measured, in an empty database of which
nothing is removed. Nothing is asserted.
"""

import argparse
import os
import platform
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import ClassVar

from fleet.cloud.store.records import Change, Put, Record, Store
from fleet.cloud.store.sqlite import SqliteStore

SCHEMA = """
CREATE TABLE rows (
    number INTEGER NOT NULL PRIMARY KEY,
    uuid TEXT NOT NULL,
    detail TEXT NOT NULL,
    time_ms INTEGER NOT NULL
) STRICT;
"""
RECORDS = 4


class Row(Record):
    """About as much as a history row."""

    TABLE: ClassVar[str] = "rows"
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int
    uuid: str
    detail: str
    time_ms: int


def unbinding(number: int) -> tuple[Change, ...]:
    """Return the changes of transaction `number`."""
    first = number * RECORDS
    return tuple(
        Put(Row(first + n, f"uuid{number:016}", "unbind ok qr EUAbCdEfGhpr_0", 1_700_000_000_000))
        for n in range(RECORDS)
    )


def opened(url: str, folder: Path) -> Store:
    """Return a store with one table, at `url` or in `folder`."""
    (folder / "0001.sql").write_text(SCHEMA, encoding="utf-8")
    if url:
        from fleet.cloud.store.postgres import PostgresStore

        return PostgresStore(url, schema=folder)
    return SqliteStore(folder / "data", schema=folder)


def measure(store: Store, callers: int, duration_s: float) -> tuple[float, float]:
    """Return transactions per second and CPU microseconds of this process per transaction."""
    room = threading.Semaphore(callers)
    done = 0

    def settled(error: BaseException | None) -> None:
        nonlocal done
        assert error is None, error
        done += 1
        room.release()

    begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
    number = 0
    while time.perf_counter() - begin_s < duration_s:
        room.acquire()
        store.submit(unbinding(number), settled)
        number += 1
    store.close()
    wall_s, cpu_s = time.perf_counter() - begin_s, time.process_time() - begin_cpu_s
    return done / wall_s, cpu_s * 1e6 / done


def flushes_per_second(folder: Path, duration_s: float) -> float:
    """Return how often the disk takes four KiB for good."""
    handle = os.open(folder / "plain", os.O_CREAT | os.O_WRONLY, 0o600)
    page = bytes(4096)
    count, begin_s = 0, time.perf_counter()
    while time.perf_counter() - begin_s < duration_s:
        os.write(handle, page)
        os.fdatasync(handle)
        count += 1
    os.close(handle)
    return count / (time.perf_counter() - begin_s)


def main() -> None:
    """Measure and print; all rows in turn, so that a busy disk slows all of them alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--url", default="", help="of an empty PostgreSQL database")
    parser.add_argument("--seconds", type=float, default=0.7, help="of each row")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(
        f"{os.cpu_count()} x {platform.machine()}, load {os.getloadavg()[0]:.1f}, "
        f"Linux {platform.release()}, Python {platform.python_version()}; median of "
        f"{arguments.repeats}, {RECORDS} records per transaction"
    )
    flushes: list[float] = []
    rows: dict[int, list[tuple[float, float]]] = {callers: [] for callers in (1, 16, 64, 1024)}
    for _ in range(arguments.repeats):
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            flushes.append(flushes_per_second(Path(name), arguments.seconds))
        for callers, figures in rows.items():
            with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
                store = opened(arguments.url, Path(name))
                figures.append(measure(store, callers, arguments.seconds))
    print(f"\n{'callers that wait':>18} {'transactions/s':>15} {'CPU us each':>12}")
    for callers, figures in rows.items():
        rate, cost_us = map(statistics.median, zip(*figures, strict=True))
        print(f"{callers:18} {rate:15,.0f} {cost_us:12.1f}")
    print(f"{'plain flushes':>18} {statistics.median(flushes):15,.0f}")


if __name__ == "__main__":
    main()
