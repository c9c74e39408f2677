"""The cloud that comes with one device: who is in it follows from the seed."""

import asyncio
import multiprocessing

import pytest

from fleet.app.cloud_link import CloudLink
from fleet.app.console_client import ConsoleClient
from fleet.app.consumer import ConsumerClient
from fleet.commands.own_cloud import Premises, own_cloud
from fleet.run.population import Network

WIFI = Network("Café", "workshop-pw")


def look(seed: int, *, bound: bool) -> tuple[Premises, list[str]]:
    """Return the premises, and the uuids of the owner's devices as the cloud has them."""

    async def story() -> tuple[Premises, list[str]]:
        async with (
            own_cloud("gateway", seed, WIFI, "zxing", bound=bound) as premises,
            CloudLink(premises.url) as link,
        ):
            after_sale, owner = premises.after_sale, premises.owner
            await ConsoleClient.login(link, after_sale.name, after_sale.password)
            consumer = await ConsumerClient.login(link, owner.name, owner.password)
            return premises, [device.uuid for device in await consumer.devices()]

    return asyncio.run(story())


@pytest.mark.parametrize("bound", [True, False])
def test_a_bound_device_is_the_owners_and_has_its_keys(*, bound: bool) -> None:
    premises, uuids = look(1, bound=bound)
    behind = len(premises.setup.profile.children)
    assert (premises.setup.identity.uuid in uuids) is bound
    assert len(uuids) == (1 + behind) * bound, "what is behind a gateway is its owner's too"
    assert bool(premises.setup.flash) is bound
    assert premises.setup.networks[WIFI.ssid] == WIFI.password
    assert multiprocessing.active_children() == []


def test_the_same_seed_gives_the_same_people_and_device() -> None:
    one, again, other = (look(seed, bound=True)[0] for seed in (1, 1, 2))
    assert (one.after_sale, one.owner) == (again.after_sale, again.owner)
    assert one.setup.identity == again.setup.identity
    assert one.setup.identity != other.setup.identity
