"""What every command with live processes needs around it.

A place on a fit machine, an event loop, a way to be stopped, and one error.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from firmware_sim.errors import SimulatorError, UsageError
from fleet import doctor
from fleet.cloud.external import BrokerAddress, parse_address
from fleet.lan import entry
from fleet.lan.addresses import AddressBlock
from fleet.lan.arrangement import Arrangement

GRACE_S = 1.0  # for processes to end by themselves; all in all a stop takes less than 2 s
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
T = TypeVar("T")


def settle(
    lan: str, devices: int, *, shards: int, decoder: str, data_dir: Path | None
) -> Arrangement | None:
    """Move this process into LAN `lan` ("": it stays) and make sure that the machine will do.

    Return the arrangement of the LAN, None for loopback. Raises UsageError when there is no such
    LAN, when it is too small or another run lives there, or when the machine lacks something.
    """
    home = entry.enter(lan, devices) if lan else None
    place = doctor.LOOPBACK
    if home is not None:
        AddressBlock(home).close()  # else what another run holds would look like a lack
        place = doctor.Lan(home.address(0), home.broadcast_ip)
    doctor.require(devices, shards=shards, decoder=decoder, data_dir=data_dir, lan=place)
    return home


def external_broker(url: str, *, tls: bool) -> BrokerAddress | None:
    """Return the broker that a URL names, None for "": the cloud's own.

    Raises UsageError for what is no such URL, and with `tls`: devices trust no certificates but
    those of the authority that the cloud of this very run makes, and no other broker has one.
    """
    if not url:
        return None
    address = parse_address(url)
    if tls:
        raise UsageError(
            "--tls: of no use with --broker; devices trust the authority alone that the cloud makes as "
            "it starts, so that no other broker can have a certificate for them. Leave out one of the "
            "two, or start `fleet cloud`, which keeps its authority, and devices on their own"
        )
    return address


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in an event loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@asynccontextmanager
async def stop_signal() -> AsyncIterator[asyncio.Event]:
    """Turn Ctrl-C and SIGTERM into an event, as long as the block lasts."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def first_of(
    work: Coroutine[Any, Any, None], stop: asyncio.Event, failure: asyncio.Future[None]
) -> bool:
    """Do `work` until it is done (True) or `stop` is set (False).

    Raises what `work` or `failure` died of; of a group of errors the one that can be explained.
    """
    task = asyncio.create_task(work)
    stopped = asyncio.create_task(stop.wait())
    ends: list[asyncio.Future[Any]] = [task, stopped, failure]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if failure.done():
            failure.result()
        if not task.done():
            return False
        task.result()
    except BaseExceptionGroup as group:
        raise root_of(group) from group
    finally:
        for one in (task, stopped):
            one.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)
    return True


def root_of(error: BaseException) -> BaseException:
    """Return what a group of tasks really died of; a mistake that can be explained comes first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    roots = [root_of(one) for one in error.exceptions]
    return next((root for root in roots if isinstance(root, SimulatorError)), roots[0])
