"""Mosquitto's programs (Debian packages mosquitto and mosquitto-clients), for tests of two kinds.

Its clients against our broker, and our client against its broker, which runs on a free port of
loopback, with a folder of its own, until the end of a block.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

LOOPBACK = "127.0.0.1"
_FOLDERS = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"
_START_S_MAX = 20.0


def program(name: str) -> str:
    """Return where one of its programs is, or skip."""
    found = shutil.which(name, path=_FOLDERS)
    if found is None:
        pytest.skip(f"no {name}: install the Debian packages mosquitto and mosquitto-clients")
    return found


@contextmanager
def running_mosquitto(more: str = "") -> Iterator[int]:
    """Run the broker, with `more` lines of its configuration; yield its port.

    Everybody may do everything.
    """
    with TemporaryDirectory() as folder:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} {LOOPBACK}\nallow_anonymous true\npersistence false\n{more}"
        )
        process = subprocess.Popen(
            [program("mosquitto"), "-c", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            end_s = time.monotonic() + _START_S_MAX
            while not _listens(port):
                assert process.poll() is None, "Mosquitto did not start"
                assert time.monotonic() < end_s, "Mosquitto does not listen"
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
