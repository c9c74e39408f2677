"""Doing the same with many devices of the LAN, a bounded number of them at a time.

A driver. Each device is connected, worked with and left; what goes wrong with one of them is its
result and does not disturb the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

from fleet.app.errors import DeviceFailed
from fleet.app.lan_device import LanDevice

PARALLEL = 64

T = TypeVar("T")


async def visit(
    devices: Iterable[LanDevice],
    work: Callable[[LanDevice], Awaitable[T]],
    *,
    parallel: int = PARALLEL,
) -> list[T | DeviceFailed]:
    """Connect to each device, await `work(device)`, and leave; return what came of it, in order.

    `devices` are not connected yet, and need not exist before their turn comes. Every error but
    `DeviceFailed` ends the whole visit and is raised, the first of them if there are several.
    """
    results: dict[int, T | DeviceFailed] = {}

    async def worker(queue: Iterator[tuple[int, LanDevice]]) -> None:
        for index, device in queue:
            try:
                async with device:
                    results[index] = await work(device)
            except DeviceFailed as failure:
                results[index] = failure

    queue = iter(enumerate(devices))
    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(parallel):
                workers.create_task(worker(queue))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [results[index] for index in sorted(results)]
