"""How devices of a live world call their cloud: from their own address, and not all at once."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Protocol

from firmware_sim.rng import Rng
from firmware_sim.runtime.faults import ConnectRefused, DnsRefused, Fault, connect_ms, lies
from firmware_sim.runtime.live.http_call import HttpCall
from firmware_sim.runtime.live.impaired import Impairments
from firmware_sim.runtime.live.mqtt_stream import MqttStream
from firmware_sim.runtime.live.trust import BadAnchor, anchor_cache

CONNECTS_AT_ONCE_MAX = 256  # more would overflow the accept queue of what we connect to
CONNECT_S = 5.0  # no device waits longer, the TLS handshake included
FAREWELL_S = 1.0  # how long a TLS connection waits for the other side to say goodbye
TRIPS_TCP, TRIPS_TLS = 1, 3  # there and back, before anything can be said: TLS 1.2 takes two more
NO_NAME = "dns"
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Caller(Protocol):
    """Whence a call is made: a device's own address, and the faults that lie on its link now.

    `hole` is set when packets get through again; None: they do.
    """

    @property
    def ip(self) -> str:
        """Return the device's address."""
        ...

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Return the faults of this moment."""
        ...

    @property
    def hole(self) -> asyncio.Event | None:
        """Return what ends the black hole, if there is one."""
        ...

    def report(self, text: str) -> None:
        """Let the operator know what this host lacks."""
        ...


class Dialer:
    """Opens connections; `fail` is told of what is not the network's fault but our own mistake."""

    def __init__(self, fail: Callable[[BaseException], None], rng: Rng | None = None) -> None:
        """Start with nobody in line; `rng` says which packets are lost, where some are."""
        self._fail = fail
        self._loop = asyncio.get_running_loop()
        self._rng = rng or Rng(0)
        self.impairments = Impairments(self._loop, self._rng)
        self._line = asyncio.Semaphore(CONNECTS_AT_ONCE_MAX)
        self._trusting = anchor_cache()
        self._tasks: set[asyncio.Task[None]] = set()
        self._short = False

    def dial(
        self, caller: Caller, end: HttpCall | MqttStream, host: str, port: int, anchor: bytes = b""
    ) -> None:
        """Connect `end` from the caller's address; `end.fail` is called when that cannot be.

        When the process runs out of files or memory, the caller is asked once to report that. With an `anchor` (DER) the connection is TLS, and that certificate alone is trusted.
        """
        task = self._loop.create_task(self._try(caller, end, host, port, anchor))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _try(
        self, caller: Caller, end: HttpCall | MqttStream, host: str, port: int, anchor: bytes
    ) -> None:
        try:
            if caller.faults:
                async with asyncio.timeout(CONNECT_S):
                    await self._pass(caller, TRIPS_TLS if anchor else TRIPS_TCP)
            async with self._line:
                await self._connect(caller, end, host, port, anchor)
        except (OSError, ValueError, BadAnchor) as error:  # ValueError: host that can be no name
            if isinstance(error, OSError):
                self._note_shortage(caller, error)
            end.fail(_reason(error))

    def _note_shortage(self, caller: Caller, error: OSError) -> None:
        """Have it said once per shortage that the trouble is here, and neither out there nor ours."""
        if error.errno in _SHORTAGES and not self._short:
            self._short = True
            caller.report(f"{caller.ip} cannot call its cloud: {os.strerror(error.errno)}")

    async def _pass(self, caller: Caller, trips: int) -> None:
        """Suffer what lies on the way; raises OSError where that ends it."""
        if lies(DnsRefused, caller.faults):
            raise socket.gaierror
        if caller.hole is not None:
            await caller.hole.wait()
        await asyncio.sleep(connect_ms(caller.faults, trips, self._rng) / 1000)
        if lies(ConnectRefused, caller.faults):
            raise ConnectionRefusedError

    async def _connect(
        self, caller: Caller, end: HttpCall | MqttStream, host: str, port: int, anchor: bytes
    ) -> None:
        if not end.wanted:
            return  # the device changed its mind while this one stood in line
        tls = self._tls(host, anchor)
        async with asyncio.timeout(CONNECT_S):
            await self._loop.create_connection(
                lambda: self.impairments.before(caller, end),
                host,
                port,
                local_addr=(caller.ip, 0),
                **tls,
            )
        self._short = False
        self.impairments.treat(caller, end)  # there may be others than at the start

    def _tls(self, host: str, anchor: bytes) -> dict[str, Any]:
        if not anchor:
            return {}
        return {
            "ssl": self._trusting(anchor),
            "server_hostname": host,
            "ssl_shutdown_timeout": FAREWELL_S,
        }

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                self._fail(error)

    async def close(self) -> None:
        """Hang up on whoever still stands in line, and on what is impaired or dead."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.impairments.close()


def _reason(error: Exception) -> str:
    """Return what is said of a connection that could not be made: the name of the error."""
    if isinstance(error, socket.gaierror):
        return NO_NAME
    if type(error) is OSError:  # the kernel has more errors than Python has names
        return errno.errorcode.get(error.errno or 0, "OSError")
    return type(error).__name__
