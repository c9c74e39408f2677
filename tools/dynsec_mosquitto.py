"""A Mosquitto with dynamic security, set up as the cloud's README says, for tests and benchmarks.

It is Debian's (packages mosquitto and mosquitto-clients), runs on a free port of loopback with a
folder of its own, and ends with the block.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

import fleet.cloud
from firmware_sim.errors import UsageError
from fleet.cloud.external import BrokerAddress, parse_address

LOOPBACK = "127.0.0.1"
ADMIN, PASSWORD = "admin", "pa:ss/word"
PLUGIN = "mosquitto_dynamic_security.so"
_README = Path(fleet.cloud.__file__).parent / "README.md"
_PLACES = ("/usr/lib", *map(str, Path("/usr/lib").glob("*-linux-*")), "/usr/local/lib")
_PROGRAMS = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"
_START_S_MAX = 20.0


def program(name: str) -> str:
    """Return where one of its programs is. Raises UsageError without it."""
    found = shutil.which(name, path=_PROGRAMS)
    if found is None:
        raise UsageError(f"no {name}: install the Debian packages mosquitto and mosquitto-clients")
    return found


class DynsecMosquitto:
    """The broker; `address` is how the cloud is told of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.address: BrokerAddress = parse_address(
            f"mqtt://{ADMIN}:{PASSWORD.replace('/', '%2F').replace(':', '%3A')}@{LOOPBACK}:{port}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the id of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def clients_file(self) -> Path:
        """Return where the plugin keeps its clients."""
        return self.folder / "dynamic-security.json"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        config = self.folder / "mosquitto.conf"
        self._process = subprocess.Popen(
            [program("mosquitto"), "-c", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end_s = time.monotonic() + _START_S_MAX
        while not _listens(self.port):
            assert self._process.poll() is None, "Mosquitto did not start"
            assert time.monotonic() < end_s, "Mosquitto does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; what it was told of clients stays in its file."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def control(self, *words: str) -> str:
        """Administer it as people do; return what the program says."""
        login = ["-h", LOOPBACK, "-p", str(self.port), "-u", ADMIN, "-P", PASSWORD]
        done = subprocess.run(
            [program("mosquitto_ctrl"), *login, "dynsec", *words],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def encrypted(self, folder: Path) -> BrokerAddress:
        """Let it speak TLS from its next start on, by the certificate in a folder."""
        with (self.folder / "mosquitto.conf").open("a") as config:
            config.write(f"certfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n")
        return msgspec.structs.replace(self.address, tls=True)

    def write_config(self) -> None:
        """Write what the README says, for this port and folder."""
        found = re.search(r"<!-- mosquitto.conf -->\n```conf\n(.*?)```", _README.read_text(), re.S)
        assert found is not None
        lines = []
        for line in found[1].splitlines():
            word = line.partition(" ")[0]
            lines.append(
                {
                    "listener": f"listener {self.port} {LOOPBACK}",
                    "plugin": f"plugin {plugin()}",
                    "plugin_opt_config_file": f"plugin_opt_config_file {self.clients_file}",
                }.get(word, line)
            )
        if os.geteuid() == 0:
            lines.append("user root")  # else it takes on another user, who cannot read the folder
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")


def plugin() -> Path:
    """Return where the plugin is. Raises UsageError without it."""
    found = [path for place in _PLACES for path in Path(place).glob(PLUGIN)]
    if not found:
        raise UsageError(f"no {PLUGIN}: install the Debian package mosquitto")
    return found[0]


@contextmanager
def dynsec_mosquitto() -> Iterator[DynsecMosquitto]:
    """Run one; it knows its administrator only. Raises UsageError where there is none."""
    with TemporaryDirectory() as name:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        broker = DynsecMosquitto(Path(name), port)
        broker.write_config()
        made = [
            program("mosquitto_ctrl"),
            "dynsec",
            "init",
            str(broker.clients_file),
            ADMIN,
            PASSWORD,
        ]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
