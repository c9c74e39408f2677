"""The cloud of a bench, in the loop of the bench and by its time, and the people that it knows.

Devices are bound to their owners as after their sale. An after-sales account may unbind them, and
each has somebody who comes for it next. Who they are follows from the seed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from firmware_sim.errors import UsageError
from firmware_sim.runtime.live.scaled import epoch_ns
from fleet.cloud.edge.clock import Clock
from fleet.cloud.edge.process import ServerConfig, serve_cloud
from fleet.cloud.edge.server import Ready
from fleet.run import seeding
from fleet.run.population import Network, Population, populate
from fleet.run.scenario import Operator, Product, QuotaLimits, Scenario, Warehouse

AFTER_SALE = "after-sale@maker"
DEVICES_MAX = 1000
_QUOTA = 100_000  # a bench unbinds all day


class Premises(msgspec.Struct, frozen=True):
    """Where the cloud answers, and whom and what it knows. `ended` is done when it has ended."""

    ready: Ready
    population: Population
    ended: asyncio.Task[None]


def population_of(profile: str, count: int, wifi: Network, seed: int) -> Population:
    """Return `count` devices of a model and everybody around them. Raises UsageError."""
    if not 1 <= count <= DEVICES_MAX:
        raise UsageError(f"--count {count}: a bench has 1 to {DEVICES_MAX} devices")
    scenario = Scenario(
        name="bench",
        title="Devices on a bench",
        devices=count,
        products=(Product("bench device", profile, count),),
        operators=(Operator(AFTER_SALE, "after_sale", count),),
        warehouse=Warehouse(wifi.ssid, wifi.password),
        rebind_every=1,
        quotas=QuotaLimits(account=_QUOTA, product=_QUOTA),
    )
    return populate(scenario, count, seed)


@asynccontextmanager
async def premises(population: Population, *, bound: bool) -> AsyncIterator[Premises]:
    """Serve a cloud that knows `population` as long as the block lasts.

    Raises UsageError when it cannot start.
    """
    loop = asyncio.get_running_loop()
    now_ns = epoch_ns(loop)
    clock = Clock(now_ns, now_ns)
    config = ServerConfig(
        settings=seeding.settings(population, "", clock()),
        seed=seeding.seed(population, bound=bound),
    )
    stop_event = asyncio.Event()
    ready: asyncio.Future[Ready] = loop.create_future()
    task = asyncio.create_task(
        serve_cloud(config, stop_event, lambda told, _: ready.set_result(told), clock)
    )
    try:
        waited: set[asyncio.Future[Any]] = {task, ready}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            task.result()
        yield Premises(ready.result(), population, task)
    finally:
        stop_event.set()
        await asyncio.gather(task, return_exceptions=True)
