"""On what a run was played: machine, Python, versions, commit. Nothing that names a host or a user."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from fleet.run.explore.record import program

LIBRARIES = ("cryptography", "httptools", "msgspec", "numpy", "pyzbar", "uvloop", "zxing-cpp")
_CPUINFO, _MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")


class Environment(msgspec.Struct, frozen=True):
    """`written_at` is when the report was written (UTC), `program` version and commit of ours.

    `cores` is how many this process may use, `memory_mb` how much the machine has, in MiB.
    """

    written_at: str
    program: str
    python: str
    system: str
    processor: str
    cores: int
    memory_mb: int
    libraries: dict[str, str]


def look_round() -> Environment:
    """Return on what we are running, now."""
    return Environment(
        written_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        program=program(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.release()}",
        processor=_processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_mb=_memory_mb(),
        libraries={name: number for name in LIBRARIES if (number := _version(name))},
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    return _fact(_CPUINFO, "model name")


def _memory_mb() -> int:
    words = _fact(_MEMINFO, "MemTotal").split()
    return int(words[0]) // 1024 if words and words[0].isdigit() else 0


def _fact(path: Path, name: str) -> str:
    """Return a value of a file of lines `name : value`, "" where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
