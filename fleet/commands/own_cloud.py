"""A cloud for one device, when nobody names another: a process of its own that forgets everything.

The device is bound to an end user as after its sale, and an after-sales account may unbind it; who
they are follows from the seed, so a rehearsal can be written down.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from firmware_sim.device.device import Identity
from firmware_sim.errors import UsageError
from fleet.cloud.edge.process import ServerConfig
from fleet.commands.hands import SITE, Setup
from fleet.run import seeding
from fleet.run.cloud_host import CloudHost
from fleet.run.population import Network, Person, populate
from fleet.run.scenario import Operator, Product, Scenario, Warehouse
from hw_profiles import catalog

AFTER_SALE = "after-sale@maker"
_STOP_S = 1.5


class Premises(msgspec.Struct, frozen=True):
    """Where the device is set up: its cloud, and the people who have to do with it."""

    setup: Setup
    url: str
    ca_file: str
    after_sale: Person
    owner: Person
    gone: asyncio.Future[str]

    async def watch_cloud(self) -> None:
        """Raise `UsageError` once the cloud has died."""
        raise UsageError(f"the cloud died; {await self.gone}")


@asynccontextmanager
async def own_cloud(
    profile: str, seed: int, wifi: Network, decoder: str, *, bound: bool, tls: bool = False
) -> AsyncIterator[Premises]:
    """Run a cloud that knows one device of model `profile`; yield how to set the device up.

    `wifi` is heard at the desk besides the owner's own network. A device that is not `bound` has
    an owner all the same, who may pair it. `tls` encrypts what is said to the cloud.
    """
    population = populate(_scenario(profile, wifi), 1, seed)
    [unit] = population.units
    died: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    host = CloudHost(
        ServerConfig(
            settings=seeding.settings(population, "", time.time_ns() // 1_000_000),
            seed=seeding.seed(population, bound=bound),
            tls=tls,
        ),
        on_death=died.set_result,
    )
    try:
        await host.start()
        yield Premises(
            setup=Setup(
                profile=catalog.load(profile),
                identity=Identity(unit.uuid, unit.auth_key, unit.product.product_id),
                seed=unit.seed,
                iot_dns=(host.ready.host, host.ready.http_port),
                networks={unit.home.ssid: unit.home.password, wifi.ssid: wifi.password},
                decoder=decoder,
                flash=seeding.device_spec(population, unit, "", SITE, bound=bound).flash,
                iot_dns_anchor=host.ready.anchor,
            ),
            url=host.url,
            ca_file=host.ready.ca_file,
            after_sale=population.operators[0],
            owner=unit.owner,
            gone=died,
        )
    finally:
        await host.stop(_STOP_S)


def _scenario(profile: str, wifi: Network) -> Scenario:
    return Scenario(
        name="one-device",
        title="One device on a desk",
        devices=1,
        products=(Product("desk device", profile, 1),),
        operators=(Operator(AFTER_SALE, "after_sale", 1),),
        warehouse=Warehouse(wifi.ssid, wifi.password),
    )
