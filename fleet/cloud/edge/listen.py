"""Listening sockets, and how many connections this process can hold: all that can go wrong early.

Everything here fails before the first client is served, with one line for the operator.
"""

import errno
import ipaddress
import itertools
import os
import resource
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from firmware_sim.errors import UsageError

BACKLOG = 4_096  # a whole fleet may connect within one turn of the loop; the kernel caps it
_PORT_MAX = 65_535
_QUIET_PORTS_LOW = 15_000
_QUIET_PORTS_TRIED = 64
_LOCAL_PORTS_LOW = 32_768  # where Linux begins to give ports to clients, unless told otherwise
_FILES_OWN = 64  # database, pipes, listeners, libraries
_FILES_MIN = 256
_FILES_UNLIMITED = 1_000_000
_HTTP_SHARE = 0.4  # of all connections; a device holds one of MQTT and, now and then, one of HTTP

_turns = itertools.count()


class Listeners:
    """The ports of a cloud, taken before the cloud exists, because it tells devices of them."""

    def __init__(
        self,
        host: str,
        http_port: int,
        mqtt_port: int | None,
        *,
        device_port: int | None = None,
        region_ports: Mapping[str, int] | None = None,
        public: bool = False,
    ) -> None:
        """Take all ports (0: any free one); UsageError when that cannot be.

        `mqtt_port` None: the broker is somebody else's.
        `device_port` is one more for HTTP, the one that devices are told; None: the common one.
        `region_ports` are more of them, for single data centres, by code.
        """
        self.host = host
        with ExitStack() as undo:

            def take(port: int) -> socket.socket:
                return undo.enter_context(bind(host, port, public=public))

            http = take(http_port)
            self.all_mqtt = [] if mqtt_port is None else [take(mqtt_port)]
            device = http if device_port is None else take(device_port)
            regions = {code: take(port) for code, port in (region_ports or {}).items()}
            undo.pop_all()
        # With the code of the data centre that each is for, "" for no certain one.
        self.all_http = {http: "", device: ""} | {one: code for code, one in regions.items()}
        self.http_port = _port_of(http)
        self.mqtt_port = sum(map(_port_of, self.all_mqtt))  # of the one, 0 without
        self.device_port = _port_of(device)
        self.region_ports = {code: _port_of(one) for code, one in regions.items()}

    @property
    def mqtt(self) -> socket.socket:
        """Return the port of the cloud's own broker."""
        [listener] = self.all_mqtt
        return listener

    def close(self) -> None:
        """Give the ports back."""
        for listener in (*self.all_http, *self.all_mqtt):
            listener.close()


def _port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def bind(host: str, port: int, *, public: bool = False) -> socket.socket:
    """Return a socket that listens on `host`:`port` (0: any free port).

    Clients that come before the server does wait in the backlog. UsageError when the port cannot
    be had, or when other machines could reach it and `public` is False.
    """
    if not 0 <= port <= _PORT_MAX:
        raise UsageError(f"{port} is not a port: choose one of 1 to {_PORT_MAX}, or 0 for any")
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise UsageError(f"{host!r} is no address or name of this machine") from None
    if not public and not ipaddress.ip_address(address[0]).is_loopback:
        raise UsageError(
            f"{host} can be reached by other machines, and nothing here is encrypted: use "
            "127.0.0.1, or say explicitly that the cloud is public"
        )
    for quiet in () if port else _quiet_ports():
        with suppress(OSError):
            return _listener(family, (address[0], quiet, *address[2:]))
    try:
        return _listener(family, address)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {_remedy(error)}") from error


def _quiet_ports() -> Iterable[int]:
    """Return ports that the kernel never gives to clients, starting at another one each time.

    While a cloud is down, thousands of clients that try to reach it draw their own ports; one
    that draws the cloud's would connect to itself and keep the port from being taken again. And a
    client that outlives its cloud shall not find the next one of the process in its place.
    """
    low = _LOCAL_PORTS_LOW
    with suppress(OSError, ValueError):
        low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    span = max(low - _QUIET_PORTS_LOW, 0)
    first = os.getpid() * _QUIET_PORTS_TRIED + next(_turns)
    return (_QUIET_PORTS_LOW + (first + n) % span for n in range(min(span, _QUIET_PORTS_TRIED)))


def _listener(family: int, address: tuple[str | bytes | int, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # After a kill the same port is wanted again while old connections are in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by each connection: finds dead clients that asked for no keep-alive of MQTT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # Inherited too: uvloop sets it, asyncio's own loop forgets to where no protocol is named,
        # and then each reply but the first of a connection waits 40 ms for the client's ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.settimeout(0)
        listener.bind(address)
        listener.listen(BACKLOG)  # at once: two programs can bind one port, but not listen on it
    except OSError:
        listener.close()
        raise
    return listener


def raise_files_limit() -> None:
    """Let this process open as many files as it may without asking."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connection_limits() -> tuple[int, int]:
    """Return how many HTTP and how many MQTT connections fit into the limit of open files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        files = _FILES_UNLIMITED
    if files < _FILES_MIN:
        raise UsageError(
            f"this process may open {files} files, which is too few for a cloud: "
            f"allow at least {_FILES_MIN} (ulimit -n {_FILES_MIN})"
        )
    connections = files - _FILES_OWN
    http = int(connections * _HTTP_SHARE)
    return http, connections - http


def _remedy(error: OSError) -> str:
    remedies = {
        errno.EADDRINUSE: "the port is in use: stop the program that has it or choose another "
        "port (0 for any free one)",
        errno.EACCES: "no permission: choose a port above 1023",
        errno.EADDRNOTAVAIL: "this machine does not have that address: use 127.0.0.1",
    }
    return remedies.get(error.errno or 0, str(error))
