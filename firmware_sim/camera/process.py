"""A process that decodes: how its owner starts it, and what it may use of the machine.

Workers are programs of their own rather than children by `multiprocessing`: they import nothing
but the lens, may belong to a daemonic process, and leave no resource tracker behind. What they read
was drawn or photographed by strangers, and the libraries that read it are written in C: so they
know no secret of their owner's, have a bound on their memory, and may write no file.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import firmware_sim

MEMORY_MAX = 1 << 30  # bytes of address space; libraries and tables take a third of it
_FILES_MAX = 64
_NICENESS = 5
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def spawn(
    module: str, *arguments: str, keep: Iterable[str] = ()
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start `python -m module ARGUMENTS FD`; return it, and our end of the stream socket FD.

    Of the environment it gets what a program needs to run, and the variables that `keep` names.
    Raises OSError.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = _start(module, [*arguments, str(theirs.fileno())], theirs.fileno(), keep)
        except OSError:
            ours.close()
            raise
    return process, ours


def settle(memory_max: int = MEMORY_MAX) -> None:
    """Make this very process a worker: bounded, and behind event loops in the queue for a core."""
    # Ctrl-C goes to the whole terminal; it is the owner who decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Event loops first: a frame may wait a moment, a device's keep-alive should not.
    os.nice(_NICENESS)
    bounds = {
        resource.RLIMIT_AS: memory_max,
        resource.RLIMIT_NOFILE: _FILES_MAX,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in bounds.items():
        resource.setrlimit(what, (most, most))


def _start(
    module: str, arguments: list[str], descriptor: int, keep: Iterable[str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        [sys.executable, "-P", "-m", module, *arguments],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # where libraries complain of frames
        env=_environment(keep),
        # Out of the terminal's foreground group: Ctrl-C must not hit it while it still imports.
        process_group=0,
    )


def _environment(keep: Iterable[str]) -> dict[str, str]:
    root = str(Path(firmware_sim.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    kept = {name: os.environ[name] for name in (*_KEPT, *keep) if name in os.environ}
    # One numpy thread: a worker uses one core, and there are as many workers as cores to use.
    return {**kept, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
