"""How devices of a live world call their cloud: from their own address, and not all at once."""

import asyncio
from collections.abc import Callable

from firmware_sim.runtime.live.http_call import HttpCall
from firmware_sim.runtime.live.mqtt_stream import MqttStream

CONNECTS_AT_ONCE_MAX = 256  # more would overflow the accept queue of what we connect to
CONNECT_S = 5.0  # no device waits longer


class Dialer:
    """Opens connections; `fail` is told of what is not the network's fault but our own mistake."""

    def __init__(self, fail: Callable[[BaseException], None]) -> None:
        """Start with nobody in line."""
        self._fail = fail
        self._loop = asyncio.get_running_loop()
        self._line = asyncio.Semaphore(CONNECTS_AT_ONCE_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    def dial(self, ip: str, end: HttpCall | MqttStream, host: str, port: int) -> None:
        """Connect `end` from the address `ip`; `end.fail` is called when that cannot be."""
        task = self._loop.create_task(self._connect(ip, end, host, port))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _connect(self, ip: str, end: HttpCall | MqttStream, host: str, port: int) -> None:
        async with self._line:
            if not end.wanted:
                return  # the device changed its mind while this one stood in line
            try:
                async with asyncio.timeout(CONNECT_S):
                    await self._loop.create_connection(lambda: end, host, port, local_addr=(ip, 0))
            except (OSError, ValueError) as error:  # ValueError: a host that can be no name
                end.fail(type(error).__name__)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                self._fail(error)

    async def close(self) -> None:
        """Hang up on whoever still stands in line."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
