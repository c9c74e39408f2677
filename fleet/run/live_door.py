"""The way of a live device to its cloud, over sockets of its own address."""

import asyncio
from collections.abc import Callable

from firmware_sim.effects import SendHttp
from firmware_sim.errors import SimulatorError, UsageError
from firmware_sim.runtime.faults import Fault
from firmware_sim.runtime.live.dialer import Dialer
from firmware_sim.runtime.live.http_call import HttpCall
from firmware_sim.runtime.live.mqtt_stream import MqttStream
from fleet.app.errors import CloudUnreachable
from fleet.cloud.edge.server import Ready
from fleet.run.door import REPLY_SIZE_MAX, Line


class LiveDoors:
    """Those of all devices of a run. `fail` is told of our own mistakes."""

    def __init__(self, fail: Callable[[SimulatorError], None]) -> None:
        """Open nothing before somebody wants to go through."""
        self._fail = fail
        self._dialer: Dialer | None = None

    def of(self, ip: str, ready: Ready) -> "LiveDoor":
        """Return that of a device, by its address; `ready` says where the cloud is."""
        if self._dialer is None:
            self._dialer = Dialer(self._failed)
        return LiveDoor(self._dialer, ip, ready)

    async def close(self) -> None:
        """Hang up on whoever still stands in one."""
        if self._dialer is not None:
            await self._dialer.close()

    def _failed(self, error: BaseException) -> None:
        self._fail(UsageError(f"the way of a device to its cloud: {error!r}"))


class LiveDoor:
    """A `Door`. `ip` is the device's address, `ready` says where the cloud is."""

    faults: tuple[Fault, ...] = ()
    hole: asyncio.Event | None = None

    def __init__(self, dialer: Dialer, ip: str, ready: Ready) -> None:
        """Connect by `dialer`, whose caller this is."""
        self.ip = ip
        self._dialer = dialer
        self._ready = ready

    def report(self, text: str) -> None:
        """Pass over what this host lacks: the devices say it."""

    async def call(self, target: str, body: bytes) -> bytes:
        """Make one call and return the body of the reply. Raises CloudUnreachable."""
        ready, loop = self._ready, asyncio.get_running_loop()
        replied: asyncio.Future[bytes] = loop.create_future()

        def done(_: int, reply: bytes, reason: str) -> None:
            if reason:
                replied.set_exception(CloudUnreachable(f"a call of a device: {reason}"))
            else:
                replied.set_result(reply)

        port = ready.device_port or ready.http_port
        wish = SendHttp(0, ready.host, port, target, body, REPLY_SIZE_MAX, ready.anchor)
        self._dialer.dial(self, HttpCall(wish, done, loop), wish.host, wish.port, wish.anchor)
        return await replied

    async def dial(self) -> Line:
        """Return a connection to the broker that stands. Raises CloudUnreachable."""
        line, ready = Line(), self._ready
        line.stream = stream = MqttStream(line.tell)
        self._dialer.dial(self, stream, ready.host, ready.mqtt_port, ready.anchor)
        await line.opened()
        return line
