"""The gate's worker processes (pytest-xdist): what each of them lives in, and who does which tests.

Live tests mostly wait and the others mostly calculate, so half of the workers begin with the
former and half with the latter. The tests of one file stay together, with what they share.
"""

import os
from collections.abc import Sequence

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests.live.lan import apart

LIVE = "live"

_NEW_MOUNTS = 0x20000  # linux/sched.h
# In the old one, the interfaces of the old network would still be seen.
_OWN_SYS = ("mount --make-rprivate /", "mount -t sysfs sysfs /sys")


def count() -> int:
    """Return how many workers keep this machine busy: one more than it has cores, as some wait."""
    return len(os.sched_getaffinity(0)) + 1


def _moved() -> bool:
    return apart.enter() and apart.unshare(_NEW_MOUNTS) and apart.done(*_OWN_SYS)


def may_move() -> bool:
    """Say whether a worker can have a network of its own, and be the same user in there."""
    return os.geteuid() == 0 and apart.succeeds(_moved)


def move() -> None:
    """Give this process, if that can be, its own ports, broadcasts, interfaces and namespaces."""
    if may_move():
        _moved()


def is_live(path: str) -> bool:
    """Say whether a test file, named from the top, may use the network."""
    return LIVE in path.split("/")[:-1]


def chosen(waiting: Sequence[str], *, live: bool) -> str:
    """Return which file comes next; live ones backwards, since whole runs have to begin early."""
    kind = [path for path in waiting if (path == LIVE or is_live(path)) is live]
    return max(kind, default=waiting[0]) if live else next(iter(kind), waiting[0])


class Sharing(LoadFileScheduling):  # type: ignore[misc] # it has no types
    """Hands out whole files, and all live ones to one worker if the workers share a network."""

    def __init__(self, config: pytest.Config, log: Producer | None, *, together: bool) -> None:
        super().__init__(config, log)
        self._together = together

    def _split_scope(self, nodeid: str) -> str:
        path = super()._split_scope(nodeid)
        return LIVE if self._together and is_live(path) else path

    def _assign_work_unit(self, node: WorkerController) -> None:
        likes_live = self.nodes.index(node) % 2 == 0
        self.workqueue.move_to_end(chosen(list(self.workqueue), live=likes_live), last=False)
        super()._assign_work_unit(node)
