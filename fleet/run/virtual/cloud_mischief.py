"""Plays faults on the cloud of a run in virtual time: all that there are."""

import asyncio
from collections.abc import Awaitable, Callable, Container
from typing import Any, ClassVar

import msgspec

from fleet.run.cloud_faults import (
    BrokerRestart,
    CloudCrash,
    CloudDown,
    CloudFault,
    CloudHung,
    CloudSlow,
    DiskSlow,
)
from fleet.run.outages import Outages
from fleet.run.virtual.broker_port import BrokerPort
from fleet.run.virtual.cloud import VirtualCloud

Table = dict[type[CloudFault], Callable[["CloudMischief", int, Any], Awaitable[None]]]


class _Fuse(msgspec.Struct):
    """A crash that waits for its transaction, `left` from now; `burnt` says whether it came."""

    number: int
    left: int
    written: bool
    burnt: asyncio.Future[bool]


class CloudMischief:
    """The hands on one cloud and the port of its broker."""

    def __init__(self, cloud: VirtualCloud, broker: BrokerPort, outages: Outages) -> None:
        """Prepare."""
        self._cloud = cloud
        self._broker = broker
        self._outages = outages
        self._fuses: list[_Fuse] = []
        self._latencies_ms: list[int] = []  # of the cloud, and of its disk, where they are slow
        self._disk_late_ms: list[int] = []
        cloud.disk.before_write = lambda: self._goes_on(written=False)
        cloud.disk.before_reply = lambda: self._goes_on(written=True)

    async def strike(self, number: int, fault: CloudFault) -> None:
        """Let a fault befall the cloud, as table `number` says; return when it is over.

        A crash that is called off before it came is over as well.
        """
        await self._PLAY[type(fault)](self, number, fault)

    def call_off(self, numbers: Container[int]) -> None:
        """Forget the crashes of these tables that have not come."""
        for fuse in [fuse for fuse in self._fuses if fuse.number in numbers]:
            self._fuses.remove(fuse)
            fuse.burnt.set_result(False)

    # --- away -----------------------------------------------------------------------------------

    async def _go_away(self, number: int, fault: CloudDown) -> None:
        async with self._outages.turn(), self._outages.watched(number):
            await self._cloud.be_away(fault.for_s, politely=fault.politely)

    async def _stand_still(self, number: int, fault: CloudHung) -> None:
        async with self._outages.turn(), self._outages.watched(number):
            self._cloud.stand_still()
            await asyncio.sleep(fault.for_s)
            self._cloud.go_on()

    async def _restart_broker(self, number: int, fault: BrokerRestart) -> None:
        async with self._outages.turn(), self._outages.watched(number):
            self._broker.close()
            await asyncio.sleep(fault.for_s)
            self._broker.open()

    async def _crash(self, number: int, fault: CloudCrash) -> None:
        burnt = asyncio.get_running_loop().create_future()
        self._fuses.append(_Fuse(number, fault.commits, fault.written, burnt))
        if not await burnt:
            return
        async with self._outages.turn(), self._outages.watched(number):
            if not self._cloud.up:  # else it was away just now for another reason, and is back
                await asyncio.sleep(fault.for_s)
                self._cloud.start()

    def _goes_on(self, *, written: bool) -> bool:
        """Say whether nothing comes in between at this moment of a transaction."""
        if not self._fuses:
            return True
        for fuse in [fuse for fuse in self._fuses if fuse.written == written]:
            fuse.left -= 1
            if not fuse.left:
                self._fuses.remove(fuse)
                fuse.burnt.set_result(True)
                self._cloud.crash()
        return self._cloud.up

    # --- slow -----------------------------------------------------------------------------------

    async def _be_slow(self, number: int, fault: CloudSlow) -> None:
        self._outages.strike(number)
        self._latencies_ms.append(fault.latency_ms)
        self._cloud.outbound.slow_down(max(self._latencies_ms))
        await asyncio.sleep(fault.for_s)
        self._latencies_ms.remove(fault.latency_ms)
        self._cloud.outbound.slow_down(max(self._latencies_ms, default=0))

    async def _slow_disk(self, number: int, fault: DiskSlow) -> None:
        self._outages.strike(number)
        self._disk_late_ms.append(fault.latency_ms)
        self._cloud.disk.late_ms = max(self._disk_late_ms)
        await asyncio.sleep(fault.for_s)
        self._disk_late_ms.remove(fault.latency_ms)
        self._cloud.disk.late_ms = max(self._disk_late_ms, default=0)

    _PLAY: ClassVar[Table] = {
        CloudDown: _go_away,
        CloudHung: _stand_still,
        CloudSlow: _be_slow,
        CloudCrash: _crash,
        DiskSlow: _slow_disk,
        BrokerRestart: _restart_broker,
    }
