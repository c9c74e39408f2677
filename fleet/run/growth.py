"""More devices for a fleet that is there: who they are, what the cloud is told of them, their homes.

What is added follows from the seed and from the place in the fleet, as everything before it did.
"""

import msgspec

from firmware_sim.errors import UsageError
from fleet.cloud.api.admin_api import Newcomers
from fleet.run import seeding
from fleet.run.population import (
    DEVICES_MAX,
    Population,
    Product,
    Unit,
    make_unit,
    product_id_of,
)
from hw_profiles import catalog

ADDED_MAX = 1_000  # devices at once


def grow(population: Population, profile: str, count: int) -> Population:
    """Return a population with `count` more units of one model, each in the home of its own owner.

    The model is one that the population has, or a built-in one. Raises UsageError for any other, and
    for a number that there is no room for.
    """
    if not 1 <= count <= ADDED_MAX:
        raise UsageError(f"{count} devices at once: 1 to {ADDED_MAX} are possible")
    first = len(population.units)
    if first + count > DEVICES_MAX:
        raise UsageError(f"a fleet has at most {DEVICES_MAX} devices; there are {first}")
    population = _with_product(population, profile)
    product = next(one for one in population.products if one.profile == profile)
    version = population.profiles[profile].firmware.lan_version
    new = (
        make_unit(population.seed, index, product, version, operator=0, rebound=False)
        for index in range(first, first + count)
    )
    return msgspec.structs.replace(population, units=(*population.units, *new))


def _with_product(population: Population, profile: str) -> Population:
    """Return a population in which the maker has a product of that model."""
    if any(product.profile == profile for product in population.products):
        return population
    if profile not in catalog.names():
        raise UsageError(f"no model {profile[:40]!r}; allowed: {', '.join(catalog.names())}")
    model = catalog.load(profile)
    number = len(population.products)
    product = Product(product_id_of(population.seed, number), profile, profile, model.wired)
    return msgspec.structs.replace(
        population,
        products=(*population.products, product),
        profiles=population.profiles | {profile: model},
    )


def newcomers(before: Population, after: Population, *, bound: bool) -> Newcomers:
    """Return what the cloud is to be told: what is in `after` and not in `before`."""
    new = msgspec.structs.replace(after, units=after.units[len(before.units) :])
    old = seeding.seed(msgspec.structs.replace(before, units=()), bound=bound)
    known = {product.product_id for product in old.products}
    seed = seeding.seed(new, bound=bound)
    return Newcomers(
        users=seed.users,
        products=tuple(product for product in seed.products if product.product_id not in known),
        devices=seed.devices,
    )


def networks(units: tuple[Unit, ...]) -> dict[str, str]:
    """Return the Wi-Fi of the homes of some units: name to password."""
    return {one.home.ssid: one.home.password for one in units}
