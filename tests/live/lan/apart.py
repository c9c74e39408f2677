"""Work in a process and a network of its own: a namespace without a name, gone with its processes.

It has the loopback interface and a default route over it, which LAN clients need in order to find
out which address is theirs. Nothing else on this machine hears what is broadcast in there.
"""

import ctypes
import multiprocessing
import os
import socket
import subprocess
import traceback
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Generic, TypeVar

import pytest

R = TypeVar("R")

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # linux/sched.h
_LOOPBACK = ("ip link set lo up", "ip route add default dev lo src 127.0.0.1")


def enter() -> bool:
    """Put this process, if it may do that, into a new network; return whether it is in one."""
    # Tried first: whoever gets stuck half-way has no network at all.
    return succeeds(_entered) and _entered()


def succeeds(change: Callable[[], bool]) -> bool:
    """Try what would change this process in a child of it."""
    child = os.fork()
    if not child:
        os._exit(not change())
    _, status = os.waitpid(child, 0)
    return status == 0


def unshare(what: int) -> bool:
    """Give this process something of its own; return whether it may have that."""
    failed: int = ctypes.CDLL(None).unshare(what)
    return not failed


def done(*commands: str) -> bool:
    """Run these programs; return whether all of them succeed."""
    try:
        for words in commands:
            subprocess.run(words.split(), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _entered() -> bool:
    user = os.geteuid()
    if not unshare(_NEW_NETWORK | (_NEW_USER if user else 0)):
        return False  # as in most containers
    if user:  # be root in there, or no program that we start may set the network up
        try:
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        except OSError:
            return False
    return done(*_LOOPBACK)


def has_route() -> bool:
    """Say whether this machine knows a way to the rest of the world; sends nothing."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True


class Work(Generic[R]):
    """`do(isolated)` in a process of its own that has begun; `isolated` is what `enter` returned.

    The process may have children. Use it as a context, which ends it.
    """

    def __init__(self, do: Callable[[bool], R]) -> None:
        context = multiprocessing.get_context("spawn")
        self._end, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(do, theirs))
        self._process.start()
        theirs.close()

    def __enter__(self) -> "Work[R]":
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def result(self, timeout_s: float) -> R:
        """Return what came of it; skip the test when there is no network for it."""
        assert self._end.poll(timeout_s), "no result in time"
        outcome: tuple[R] | str | None = self._end.recv()
        if outcome is None:
            pytest.skip("needs a network namespace (root or user namespaces) or a default route")
        if isinstance(outcome, str):
            pytest.fail(outcome)
        return outcome[0]


def _work(do: Callable[[bool], R], end: Connection) -> None:
    outcome: tuple[R] | str | None = None
    try:
        isolated = enter()
        if isolated or has_route():
            outcome = (do(isolated),)
    except Exception:  # noqa: BLE001 - whatever it is, the test has to hear of it
        outcome = traceback.format_exc()
    end.send(outcome)
