"""One device of the LAN under the phone's control: connect, ask, set, listen.

`async with LanDevice(ip, dev_id, key, version) as device: ...` connects and negotiates; what can go
wrong is in `errors`. A driver: it opens the connection and is the source of chance; `lan_line` and
the core `lan_control` do the rest.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import TracebackType
from typing import Self, TypeVar

from firmware_sim.errors import UsageError
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.discovery import PORT_CONTROL
from firmware_sim.wire.lan_body import ChildStatus, Status
from firmware_sim.wire.lan_version import LanVersion
from fleet.app.address import ipv4
from fleet.app.errors import DeviceRefused, DeviceUnreachable
from fleet.app.lan_control import CHANCE_SIZE, LanControl, Peer, Request
from fleet.app.lan_happenings import Acknowledged, End, Push, Refused
from fleet.app.lan_line import Line

TIMEOUT_S = 5.0

A = TypeVar("A", Status, ChildStatus, Acknowledged)


class LanDevice:
    """A device that is connected while its `async with` block lasts."""

    def __init__(
        self,
        ip: str,
        dev_id: str,
        key: str,
        version: str,
        *,
        port: int = PORT_CONTROL,
        timeout_s: float = TIMEOUT_S,
        on_push: Callable[[Push], None] | None = None,
    ) -> None:
        """Name the device; `key` is its local key, 16 characters.

        `timeout_s` bounds connecting, and the wait for each answer; a device that keeps us waiting
        longer is given up. `on_push` is called with each push; without it, `pushes` has them.
        Raises `UsageError` for an address, a key or a version that is none.
        """
        self.ip = ipv4(ip)
        self.dev_id = dev_id
        peer = Peer(dev_id, key, _version(version))
        control = LanControl(peer, os.urandom(CHANCE_SIZE), answer_ms=int(timeout_s * 1000))
        self._line = Line(self.name, control, on_push)
        self._port = port
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """The device as it is named in errors."""
        return f"device {self.dev_id} at {self.ip}"

    @property
    def pushes_dropped(self) -> int:
        """How many pushes were lost because nobody took them."""
        return self._line.dropped

    async def __aenter__(self) -> Self:
        """Connect, once, and for 3.4 and 3.5 agree on a key; raises `DeviceFailed`."""
        if self._line.ended is not None:
            raise self._line.failure(self._line.ended)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                await loop.create_connection(lambda: self._line, self.ip, self._port)
        except OSError as error:  # a timeout is one too, and has no number
            why = os.strerror(error.errno) if error.errno else f"not in {self._timeout_s:g} s"
            raise DeviceUnreachable(f"{self.name}: cannot connect ({why})") from None
        try:
            await self._line.ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        await self.close()

    async def close(self) -> None:
        """Close the connection; requests that are still unanswered fail."""
        await self._line.close()

    async def status(self, cid: str | None = None) -> Status:
        """Return all data points, those of sub-device `cid` if given; raises `DeviceFailed`."""
        return await self._ask(lambda control, now_ms: control.query(now_ms, cid), Status)

    async def set(self, dps: Mapping[int, Value], cid: str | None = None) -> None:
        """Set data points, of sub-device `cid` if given; raises `DeviceFailed`.

        Returns when the device has acknowledged; what has changed comes as a push.
        """
        await self._ask(lambda control, now_ms: control.control(now_ms, dps, cid), Acknowledged)

    async def refresh(self, dp_ids: Iterable[int]) -> None:
        """Have the device measure data points anew and push them; raises `DeviceFailed`."""
        await self._ask(lambda control, now_ms: control.refresh(now_ms, dp_ids), Acknowledged)

    async def children(self, cids: Iterable[str] = ()) -> ChildStatus:
        """Return which of a gateway's sub-devices are online, all or those named by `cids`.

        Raises `DeviceFailed`.
        """
        return await self._ask(
            lambda control, now_ms: control.query_children(now_ms, cids), ChildStatus
        )

    async def pushes(self) -> AsyncIterator[Push]:
        """Yield pushes as they come, until `close`; the latest `PUSHES_MAX` wait to be taken.

        Raises `DeviceFailed` when the connection ends otherwise.
        """
        line = self._line
        while True:
            while line.pushes:
                yield line.pushes.popleft()
            if line.ended is not None:
                if line.ended.why is End.LEFT:
                    return
                raise line.failure(line.ended)
            await line.news()

    async def _ask(self, make: Callable[[LanControl, int], Request], kind: type[A]) -> A:
        answer = await self._line.ask(make)
        if isinstance(answer, Refused):
            raise DeviceRefused(self.name, answer.reason, answer.text)
        assert isinstance(answer, kind)
        return answer


def _version(text: str) -> LanVersion:
    try:
        return LanVersion(text)
    except ValueError:
        known = ", ".join(LanVersion)
        raise UsageError(f"LAN version {text!r} is none of {known}") from None
