"""What processes cost: CPU seconds and resident memory of a process and all its descendants.

Reads /proc (Linux); see proc(5), `stat` and `statm`. Resident memory counts a page that several
processes share once for each of them, so a sum over processes is an upper bound.
"""

import os
import time
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class Usage(msgspec.Struct, frozen=True):
    """CPU seconds since the start of the process, and resident bytes now."""

    cpu_s: float = 0.0
    rss_bytes: int = 0


def usage_of(pid: int) -> Usage:
    """Return what process `pid` costs; nothing when it is gone."""
    stat = _stat(pid)
    try:
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        pages = 0
    if stat is None:
        return Usage()
    return Usage((int(stat[11]) + int(stat[12])) / _TICKS_PER_S, pages * _PAGE_SIZE)


def descendants(pids: list[int]) -> dict[int, list[int]]:
    """Return for each of `pids` itself and everything it started that still runs."""
    if not pids:
        return {}  # without a walk through all processes of this host
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found = {}
    for pid in pids:
        family = [pid]
        for member in family:  # grows while we walk it: children of children
            family.extend(children.get(member, ()))
        found[pid] = family
    return found


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from `state` on; the name before it may hold spaces."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


class Meter:
    """Adds up named groups of processes over time, also those that have died since."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._last: dict[tuple[str, int], Usage] = {}
        self._started_s = time.monotonic()
        self.rss_bytes = 0  # when they were looked at last
        self.peak_rss_bytes = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since this meter exists."""
        return time.monotonic() - self._started_s

    def sample(self, groups: dict[str, list[int]]) -> None:
        """Look at this process alone (group "runner") and at `groups` with all they started.

        A group may have parts, `group/part`, which are counted one by one and together.
        """
        families = descendants([pid for pids in groups.values() for pid in pids])
        members = [("runner", os.getpid())]
        for name, pids in groups.items():
            members += [(name, pid) for root in pids for pid in families[root]]
        rss_bytes = 0
        for member in members:
            usage = usage_of(member[1])
            if usage.rss_bytes:  # a process that has just died keeps its last figure
                self._last[member] = usage
            rss_bytes += usage.rss_bytes
        self.rss_bytes = rss_bytes
        self.peak_rss_bytes = max(self.peak_rss_bytes, rss_bytes)

    def cpu_s(self, name: str | None = None) -> float:
        """Return the CPU seconds of one group with its parts, or of all."""
        return sum(
            usage.cpu_s
            for (group, _), usage in self._last.items()
            if name in (None, group, group.partition("/")[0])
        )

    def by_group(self) -> dict[str, float]:
        """Return the CPU seconds of all groups, each part for itself."""
        costs: dict[str, float] = {}
        for (group, _), usage in self._last.items():
            costs[group] = costs.get(group, 0.0) + usage.cpu_s
        return costs
