"""Who and what takes part in a run: units, their owners, their operators. A function of the seed.

The same scenario, size and seed give the same identities, keys, homes and troubles, whatever the
number of shards. Keys come from a reproducible stream: they are for a simulated cloud only.
"""

import string
from collections.abc import Iterable

import msgspec

from firmware_sim.device.profile import Profile
from firmware_sim.errors import UsageError
from firmware_sim.rng import Rng, derive
from firmware_sim.wire.lan_version import LanVersion
from fleet.run.scenario import Campaign, Scenario
from hw_profiles import catalog

DEVICES_MAX = 60_000  # more would not fit into the addresses of one run
VIRTUAL_DEVICES_MAX = 1_000_000

TAMPERED = "tampered"
"""The trouble of a unit whose firmware tries to free itself."""

_ALPHANUMERIC = string.ascii_letters + string.digits
_LOWER = string.ascii_lowercase + string.digits
_HOMES = ("Home {}", "Müller {}", "家 {}", "Café {}", "FRITZ!Box {}")  # as people call them
_UNIT, _PRODUCT, _PERSON, _OPERATOR, _SALE, _VERSION = range(1, 7)  # branches of the seed


class Network(msgspec.Struct, frozen=True):
    """A Wi-Fi network."""

    ssid: str
    password: str

    def __repr__(self) -> str:
        """Show the name, never the password."""
        return f"Network(ssid={self.ssid!r}, password=***)"


class Person(msgspec.Struct, frozen=True):
    """Somebody who can log in. Consumers have a `uid`; the accounts of developers have none."""

    name: str
    password: str
    role: str
    uid: str = ""

    def __repr__(self) -> str:
        """Show who, never the password."""
        return f"Person({self.name!r}, role={self.role!r}, password=***)"


class Product(msgspec.Struct, frozen=True):
    """A product of the maker and the device model that is sold under it."""

    product_id: str
    name: str
    profile: str
    wired: bool


class Unit(msgspec.Struct, frozen=True):
    """One device of the population: what it is, whose it is, and what is to happen to it.

    A `foreign` one is no device of ours: nobody has paired it with the cloud of this run yet.
    """

    index: int
    uuid: str
    auth_key: str
    dev_id: str
    sec_key: str
    local_key: str
    seed: int
    lan_version: LanVersion
    product: Product
    owner: Person
    home: Network
    operator: int
    trouble: str = ""
    new_owner: Person | None = None
    new_home: Network | None = None
    foreign: bool = False

    def __repr__(self) -> str:
        """Show which device, never its keys."""
        return f"Unit({self.index}, {self.uuid!r}, {self.product.name!r})"


class Population(msgspec.Struct, frozen=True):
    """Everything and everybody. `maker` owns the products, `purchaser` may only buy them."""

    scenario: Scenario
    seed: int
    units: tuple[Unit, ...]
    products: tuple[Product, ...]
    profiles: dict[str, Profile]
    maker: Person
    operators: tuple[Person, ...]
    purchaser: Person

    @property
    def warehouse(self) -> Network:
        """Return the network of the place where devices are unbound."""
        return Network(self.scenario.warehouse.ssid, self.scenario.warehouse.password)

    @property
    def campaign(self) -> Campaign:
        """Return the days that a population of this size has."""
        return self.scenario.campaign.of_size(len(self.units) / self.scenario.devices)

    @property
    def people(self) -> tuple[Person, ...]:
        """Return everybody who can log in before a run begins: once each, developers first."""
        developers = (self.maker, *self.operators, self.purchaser)
        owners = (unit.owner for unit in self.units)
        return tuple({person.name: person for person in (*developers, *owners)}.values())

    def profile(self, unit: Unit) -> Profile:
        """Return the model of a unit."""
        return self.profiles[unit.product.profile]


def populate(
    scenario: Scenario, devices: int, seed: int, devices_max: int = DEVICES_MAX
) -> Population:
    """Make `devices` units from `seed`. Raises UsageError for a size or a profile that cannot be.

    `devices_max` is what there is room for; virtual networks are larger.
    """
    if not len(scenario.products) <= devices <= devices_max:
        raise UsageError(
            f"--devices {devices}: a run of {scenario.name!r} takes "
            f"{len(scenario.products)} to {devices_max} devices"
        )
    profiles = {product.profile: catalog.load(product.profile) for product in scenario.products}
    products = tuple(
        Product(
            product_id=product_id_of(seed, number),
            name=product.name,
            profile=product.profile,
            wired=profiles[product.profile].wired,
        )
        for number, product in enumerate(scenario.products)
    )
    units = _units(scenario, devices, seed, products)
    maker, operators = _accounts(scenario, seed)
    return Population(
        scenario=scenario,
        seed=seed,
        units=tuple(_with_trouble(units, scenario)),
        products=products,
        profiles=profiles,
        maker=maker,
        operators=operators,
        purchaser=_person(seed, len(scenario.operators) + 1, "shop@partner", "purchaser"),
    )


def scale(shares: Iterable[int], total: int) -> list[int]:
    """Split `total` in proportion to `shares`: whole numbers, each at least 1 if that is possible."""
    weights = list(shares)
    exact = [total * weight / sum(weights) for weight in weights]
    counts = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    for i, count in enumerate(counts):
        if count == 0 and total >= len(counts):
            counts[counts.index(max(counts))] -= 1
            counts[i] = 1
    return counts


def deal(counts: list[int]) -> list[int]:
    """Return a sequence in which number i occurs counts[i] times, spread as evenly as possible."""
    total = sum(counts)
    places = [
        ((turn + 0.5) * total / count, number)
        for number, count in enumerate(counts)
        for turn in range(count)
    ]
    return [number for _, number in sorted(places)]


def _units(
    scenario: Scenario, devices: int, seed: int, products: tuple[Product, ...]
) -> list[Unit]:
    kinds = deal(scale((product.share for product in scenario.products), devices))
    # Each product is shared out by itself: all operators and new owners get some of each.
    shares = [each.share for each in scenario.operators] or [1]  # nobody: all fall to that one
    of_operator = _shared_out(kinds, seed, _OPERATOR, shares)
    mix = sorted(scenario.lan.versions.items())
    of_version = _shared_out(kinds, seed, _VERSION, [share for _, share in mix])
    own = _own_versions(products)
    every = scenario.rebind_every
    sold = set(_mixed(kinds, seed, _SALE)[every - 1 :: every]) if every else set()
    return [
        make_unit(
            seed,
            index,
            products[kind],
            own.get(products[kind].profile, mix[of_version[index]][0]),
            of_operator[index],
            rebound=index in sold,
        )
        for index, kind in enumerate(kinds)
    ]


def _own_versions(products: Iterable[Product]) -> dict[str, LanVersion]:
    """Return, by profile, what devices speak whose model is a file of the user's: what it says.

    Of a built-in model there are units with any firmware.
    """
    built_in = catalog.names()
    own = {product.profile for product in products if product.profile not in built_in}
    return {profile: catalog.load(profile).firmware.lan_version for profile in own}


def _shared_out(kinds: list[int], seed: int, branch: int, shares: list[int]) -> dict[int, int]:
    """Return which of the shares each index falls to, in each product as in the whole."""
    counts = scale(shares, len(kinds))
    return dict(zip(_mixed(kinds, seed, branch), deal(counts), strict=True))


def _mixed(kinds: list[int], seed: int, branch: int) -> list[int]:
    """Return all indices, product by product, in an order within each that has no pattern."""
    return sorted(range(len(kinds)), key=lambda i: (kinds[i], derive(seed, branch, i)))


def product_id_of(seed: int, number: int) -> str:
    """Return the id of the product with that number."""
    return Rng(derive(seed, _PRODUCT, number)).text(16, _LOWER)


def make_unit(
    seed: int,
    index: int,
    product: Product,
    lan_version: LanVersion,
    operator: int,
    *,
    rebound: bool,
) -> Unit:
    """Return the unit with that index; `rebound` says whether it finds another owner."""
    rng = Rng(derive(seed, _UNIT, index))
    return Unit(
        index=index,
        uuid=f"sim{rng.text(9, _LOWER)}{index:06d}",
        auth_key=rng.text(32, _ALPHANUMERIC),
        dev_id=f"6c{rng.text(12, _LOWER)}{index:06d}",
        sec_key=rng.text(16, _ALPHANUMERIC),
        local_key=rng.text(16, _ALPHANUMERIC),
        seed=rng.next_u64(),
        lan_version=lan_version,
        product=product,
        owner=_person(seed, 2 * index + 1000, f"first-owner-{index}", "consumer"),
        home=_home(rng, index),
        operator=operator,
        new_owner=_person(seed, 2 * index + 1001, f"next-owner-{index}", "consumer")
        if rebound
        else None,
        new_home=_home(rng, index + DEVICES_MAX) if rebound else None,
    )


def _home(rng: Rng, number: int) -> Network:
    name = _HOMES[rng.below(len(_HOMES))].format(number)
    return Network(name, rng.text(12, _ALPHANUMERIC))


def _person(seed: int, number: int, name: str, role: str) -> Person:
    rng = Rng(derive(seed, _PERSON, number))
    password = rng.text(16, _ALPHANUMERIC)
    return Person(name, password, role, uid=rng.text(20, _LOWER) if role == "consumer" else "")


def _accounts(scenario: Scenario, seed: int) -> tuple[Person, tuple[Person, ...]]:
    """Return who owns the products (one of the operators, if one has that role) and who unbinds."""
    operators = tuple(
        _person(seed, number, operator.name, operator.role)
        for number, operator in enumerate(scenario.operators)
    )
    owner = next((person for person in operators if person.role == "owner"), None)
    return owner or _person(seed, len(operators), "maker@maker", "owner"), operators


def _with_trouble(units: list[Unit], scenario: Scenario) -> list[Unit]:
    """Mark the units that get into trouble: cameras only, each with one trouble at most."""
    trouble = scenario.trouble
    wanted = ["already_bound"] * trouble.already_bound
    wanted += [TAMPERED] * scenario.tampered.devices
    wanted += ["token_full"] * trouble.token_full
    wanted += ["token_dead"] * trouble.token_dead
    wanted += ["no_permission"] * trouble.no_permission
    wanted += ["wifi_password"] * trouble.wifi_password
    marked = list(units)
    for kind in wanted:
        unit = next((unit for unit in marked if _can_take(unit, kind)), None)
        if unit is not None:
            marked[unit.index] = msgspec.structs.replace(unit, trouble=kind)
    return marked


def _can_take(unit: Unit, trouble: str) -> bool:
    if unit.product.wired or unit.trouble:
        return False
    return unit.new_owner is not None or trouble != "already_bound"
