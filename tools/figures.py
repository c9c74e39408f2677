"""What the benchmarks share: the machine they ran on, what a process took, tables of medians."""

import os
import platform
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

Run = dict[str, dict[str, float]]
"""The figures of one round: by row, by column."""


def machine(*packages: str) -> str:
    """Return what the figures are taken on, with the versions of `packages`."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    parts = (
        f"{os.cpu_count()} x {(names or [platform.machine()])[0]}",
        f"load {os.getloadavg()[0]:.1f}",
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
        *(f"{package} {version(package)}" for package in packages),
    )
    return ", ".join(parts)


def pin(core: int, pid: int = 0) -> None:
    """Keep a process (0: this one) on one core, out of the way of another where there are two.

    Cores are those of the machine: a child has inherited where its parent was put.
    """
    with suppress(OSError):  # a container may have fewer
        os.sched_setaffinity(pid, {core % (os.cpu_count() or 1)})


def process_cpu_ns(pid: int) -> int:
    """Return the processor time of another process; its clock's number is made as Linux does."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def busy_s() -> float:
    """Return how long the processors of this machine have worked, for whomever; steps of 10 ms."""
    user, nice, system, _idle, _waiting, *rest = Path("/proc/stat").read_text().split()[1:9]
    return sum(map(int, (user, nice, system, *rest))) / os.sysconf("SC_CLK_TCK")


def rss_kib(pid: int | None = None) -> float:
    """Return the resident memory of a process, our own if none is named."""
    pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def show(runs: Sequence[Run], digits: int = 1) -> None:
    """Print the median of several rounds: a line for each row, a column for each figure."""
    first = next(iter(runs[0].values()))
    print(f"\n{'':18}" + "".join(f"{column:>16}" for column in first))
    for row in runs[0]:
        medians = (statistics.median(run[row][column] for run in runs) for column in first)
        print(f"{row:18}" + "".join(f"{median:16,.{digits}f}" for median in medians))
