"""What this machine has: limits from the kernel, and small experiments with sockets and decoders.

Each experiment returns what went wrong as text, "" when it worked, so that facts can be written
down in a test. Linux is assumed for /proc and for the whole of 127.0.0.0/8 being local.
"""

import os
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from firmware_sim.camera import decoder
from firmware_sim.errors import UsageError
from firmware_sim.wire.discovery import (
    PORT_CONTROL,
    PORT_ENCRYPTED,
    PORT_PLAIN,
    PORT_SOLICITED,
)

DISCOVERY_PORTS = (PORT_PLAIN, PORT_ENCRYPTED)
WAIT_S = 1.0
FILES_MAX = 1 << 17  # enough for the largest run; far more makes some libraries slow
MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
# Debian packages that only the tests need, and a program of each. As in tools/setup.sh.
TEST_PACKAGES = {
    "postgresql": "pg_createcluster",
    "mosquitto": "mosquitto",
    "mosquitto-clients": "mosquitto_sub",
}
_SERVER_FOLDERS = ("/usr/sbin", "/usr/local/sbin")  # not in everybody's path
_MB = 1 << 20


class Lan(msgspec.Struct, frozen=True):
    """Where devices will live: an address that one of them could have, and the one all hear."""

    device_ip: str
    broadcast_ip: str


LOOPBACK = Lan("127.240.0.1", "127.255.255.255")  # outside the blocks that runs take


class Facts(msgspec.Struct, frozen=True):
    """What was seen; the texts named `..._problem` are empty when there is none."""

    python: tuple[int, int]
    cores: int
    memory_mb: int
    files_hard: int
    source_ports: tuple[int, int]
    lan: Lan
    udp_problem: str
    tcp_problem: str
    broadcast_problem: str
    namespace_problem: str
    decoders: tuple[tuple[str, str], ...]
    data_dir: str
    disk_free_mb: int
    disk_problem: str
    uvloop: bool
    test_packages_missing: tuple[str, ...]


def look(data_dir: Path | None = None, lan: Lan = LOOPBACK) -> Facts:
    """Look at this machine, as it is seen from `lan`.

    `data_dir` is where data will go (default: the temporary folder).
    Opens sockets for a moment and takes at most a second longer than the decoders take to load.
    """
    folder = _existing(data_dir or Path(tempfile.gettempdir()))
    free_mb, disk_problem = disk(folder)
    return Facts(
        python=sys.version_info[:2],
        cores=len(os.sched_getaffinity(0)),
        memory_mb=memory_mb(),
        files_hard=files_limits()[1],
        source_ports=source_ports(),
        lan=lan,
        udp_problem=udp_problem(DISCOVERY_PORTS)
        or udp_problem((PORT_SOLICITED,), lan.broadcast_ip),
        tcp_problem=tcp_problem(lan.device_ip, PORT_CONTROL),
        broadcast_problem=broadcast_problem(lan.device_ip, lan.broadcast_ip),
        namespace_problem=namespace_problem(),
        decoders=tuple((name, decoder_problem(name)) for name in decoder.NAMES),
        data_dir=str(folder),
        disk_free_mb=free_mb,
        disk_problem=disk_problem,
        uvloop=find_spec("uvloop") is not None,
        test_packages_missing=missing_packages(),
    )


# --- limits -------------------------------------------------------------------------------------


def files_limits() -> tuple[int, int]:
    """Return the soft and the hard limit of open files; no limit counts as a very high one."""
    soft, hard = (
        sys.maxsize if limit == resource.RLIM_INFINITY else limit
        for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    return soft, hard


def raise_files_limit() -> None:
    """Raise the soft limit of this process to the hard one, or to FILES_MAX if that is less."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = min(files_limits()[1], FILES_MAX)
    if files_limits()[0] < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def source_ports(path: Path = Path("/proc/sys/net/ipv4/ip_local_port_range")) -> tuple[int, int]:
    """Return the first and the last port that the kernel gives to outgoing connections."""
    first, last = path.read_text().split()
    return int(first), int(last)


def memory_mb(meminfo: Path = Path("/proc/meminfo"), limits: Sequence[Path] = MEMORY_LIMITS) -> int:
    """Return how many MiB can be had: what the kernel calls available, within a container's limit."""
    fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) // 1024
    texts = [path.read_text().strip() for path in limits if path.is_file()]
    return min([available, *(int(text) // _MB for text in texts if text.isdigit())])


def disk(folder: Path) -> tuple[int, str]:
    """Return the free MiB of the file system under `folder`, and why it cannot be written."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
        status = os.statvfs(folder)
    except OSError as error:
        return 0, f"{folder} cannot be written ({error.strerror})"
    return status.f_bavail * status.f_frsize // _MB, ""


def missing_packages() -> tuple[str, ...]:
    """Return the Debian packages that the tests would use and do not find."""
    places = os.pathsep.join((os.environ.get("PATH", ""), *_SERVER_FOLDERS))
    return tuple(
        package
        for package, program in TEST_PACKAGES.items()
        if shutil.which(program, path=places) is None
    )


def _existing(folder: Path) -> Path:
    """Return the nearest folder that exists: the rest will be made inside it."""
    folder = folder.absolute()
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)


# --- experiments --------------------------------------------------------------------------------


def udp_problem(ports: Sequence[int], ip: str = "") -> str:
    """Try to listen where devices and LAN clients do, sharing the ports as they do."""
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                listener.bind((ip, port))
            except OSError as error:
                return f"UDP port {port} cannot be listened on ({error.strerror})"
    return ""


def tcp_problem(ip: str, port: int) -> str:
    """Try to listen as a device does, on an address that only a device would have."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((ip, port))
            listener.listen(1)
        except OSError as error:
            return f"TCP {ip}:{port} cannot be listened on ({error.strerror})"
    return ""


def broadcast_problem(ip: str, broadcast_ip: str, wait_s: float = WAIT_S) -> str:
    """Send one datagram from `ip` to all, and wait for it."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        try:
            listener.settimeout(wait_s)
            listener.bind(("", 0))
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.bind((ip, 0))
            sender.sendto(b"?", (broadcast_ip, listener.getsockname()[1]))
            _, (source, _) = listener.recvfrom(16)
        except TimeoutError:
            return f"a broadcast to {broadcast_ip} did not arrive within {wait_s:g} s"
        except OSError as error:
            return f"a broadcast from {ip} to {broadcast_ip} failed ({error.strerror})"
    return "" if source == ip else f"a broadcast from {ip} arrived from {source}"


def namespace_problem(namespace: Path = Path("/proc/self/ns/net"), program: str = "ip") -> str:
    """Say what `fleet lan up` would lack: network namespaces in the kernel, or iproute2's `ip`."""
    if not namespace.exists():
        return "this kernel has no network namespaces"
    folders = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return "" if shutil.which(program, path=folders) else f"the program {program} is missing"


def decoder_problem(name: str) -> str:
    """Load decoder `name` and let it read texts that a bad build of its library misreads."""
    try:
        decoder.self_test(decoder.make_decoder(name))
    except UsageError as error:
        return str(error)
    return ""
