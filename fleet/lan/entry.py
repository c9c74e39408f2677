"""How a process gets into the network namespace of a LAN: by `setns`, before it has threads.

Threads and children that begin later are in it as well; sockets stay where they were opened.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from firmware_sim.errors import UsageError
from fleet.lan.arrangement import Arrangement
from fleet.lan.record import NAMESPACES, Records, own_number

_CLONE_NEWNET = 0x40000000  # linux/sched.h


def need_linux() -> None:
    """Raise UsageError on a system that has no network namespaces."""
    if not sys.platform.startswith("linux"):
        raise UsageError(
            "network namespaces exist on Linux only: use a Linux machine, virtual machine or "
            "container (see fleet/lan/README.md)"
        )


def enter(name: str, devices: int, records: Records | None = None) -> Arrangement:
    """Put this thread, and what it starts from now on, into LAN `name`; return its arrangement.

    Raises UsageError when there is no such LAN, when it is too small for `devices`, and without
    the right to enter. Whoever is in it already needs none.
    """
    need_linux()
    record = (records or Records()).load(name)
    if record.state != "up":
        raise UsageError(
            f"LAN {name} is {record.state}; make it anew: fleet lan down {name}, then up"
        )
    record.lan.address(devices - 1)
    if record.number != own_number():
        try:
            _set_namespace(NAMESPACES / name)
        except OSError as error:
            raise UsageError(
                f"cannot enter LAN {name} ({error.strerror}): only root can, so use sudo"
            ) from error
    return record.lan


def do_inside(name: str, work: Callable[[], None]) -> None:
    """Do something in a namespace, in a thread of its own, so that this one stays where it is.

    Raises whatever `work` raises.
    """
    errors: list[Exception] = []

    def visit() -> None:
        try:
            _set_namespace(NAMESPACES / name)
            work()
        except Exception as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    visitor = threading.Thread(target=visit)
    visitor.start()
    visitor.join()
    if errors:
        raise errors[0]


def _set_namespace(path: Path) -> None:
    """Do what `os.setns` does, which Python has from 3.12 on. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open() as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
