"""Puts a population into the world: what the cloud starts with, and what is in each flash.

Both sides of a binding come from the same unit, so a device that is switched on for the first
time connects with keys that the cloud has, as if it had been paired long ago.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from firmware_sim.device.flash import Flash, Kept, ResetKind, Tie
from firmware_sim.device.lan_children import cid
from firmware_sim.device.profile import Child, Point, Profile
from firmware_sim.errors import UsageError
from firmware_sim.rng import Rng, derive
from firmware_sim.wire.datapoint import DataPoint, encode_schema
from fleet.cloud import seed as cloud_seed
from fleet.cloud.permissions import GrantKind
from fleet.cloud.products import Binding, Method
from fleet.cloud.products import Product as CloudProduct
from fleet.cloud.settings import Settings
from fleet.run.messages import DeviceSpec
from fleet.run.population import Population, Product, Unit
from fleet.run.scenario import QuotaLimits

DAY_MIN = 24 * 60
_ACCESS = 100  # branch of the seed; the population uses those before it
_HEX = "0123456789abcdef"
_APP_SCHEMA = "fleet"
NOON_MIN = DAY_MIN // 2
_MINUTE_MS = 60_000
_ROWS_PER_DEVICE = 8  # of the history: refused, unbound, bound, some of them more than once
_USERS_PER_DEVICE = 3  # its first owner, its next one, and room
_NUMBER = re.compile(r" [0-9]+\Z")  # of one of several that are the same


def settings(population: Population, admin_secret: str, now_ms: int) -> Settings:
    """Return the cloud's settings for a run that begins at `now_ms`.

    It keeps what a fleet of this size leaves behind, and the quotas of all days.
    """
    usual, quotas = Settings(), population.scenario.quotas
    count = len(population.units)
    return Settings(
        admin_secret=admin_secret,
        quota_day_offset_min=day_offset_min(quotas, now_ms),
        account_quota_per_day=quotas.account,
        product_quota_per_day=quotas.product,
        quota_days_kept=max(usual.quota_days_kept, population.campaign.days + 1),
        history_rows_max=max(usual.history_rows_max, _ROWS_PER_DEVICE * count),
        users_max=max(usual.users_max, _USERS_PER_DEVICE * count),
    )


def day_offset_min(quotas: QuotaLimits, now_ms: int) -> int:
    """Return by how many minutes the quota's day is ahead of UTC's in a run that begins at `now_ms`.

    Unless the scenario says when midnight comes, the day is shifted by whole hours so that it is
    about noon now: no run is cut in two, at whatever hour it is started. Of the zones in which
    midnight comes when it should, there may be two: the one that the scenario names is taken.
    """
    if not quotas.midnight_in_min:
        minute_of_day = now_ms // _MINUTE_MS % DAY_MIN
        return (NOON_MIN - minute_of_day) // 60 * 60
    midnight_min = -(-now_ms // _MINUTE_MS) + quotas.midnight_in_min
    offset_min = -midnight_min % DAY_MIN
    if (offset_min - zone_min(quotas.zone)) % DAY_MIN == 0:
        return zone_min(quotas.zone)
    return offset_min if offset_min <= NOON_MIN else offset_min - DAY_MIN


def start_ms(quotas: QuotaLimits, from_ms: int) -> int:
    """Return when a run begins whose hour can be chosen, not before `from_ms`.

    That is when midnight comes in the scenario's zone as it says; without a zone it is at once.
    """
    if not quotas.zone:
        return from_ms
    start_min = -zone_min(quotas.zone) - quotas.midnight_in_min
    return from_ms + (start_min - from_ms // _MINUTE_MS) % DAY_MIN * _MINUTE_MS


def zone_min(zone: str) -> int:
    """Return how many minutes a zone is ahead of UTC; 0 for ""."""
    if not zone:
        return 0
    hours, minutes = zone[1:].split(":")
    return (int(hours) * 60 + int(minutes)) * (-1 if zone[0] == "-" else 1)


def seed(population: Population, *, bound: bool, programs: bool = True) -> cloud_seed.Seed:
    """Return accounts, products, grants, consumers and devices, `bound` to their first owners.

    Where there may be `programs` that use the Open API, the maker has a project for them: whatever
    happens is written down for it.
    """
    people = {person.name: person for person in (population.maker, *population.operators)}
    people[population.purchaser.name] = population.purchaser
    return cloud_seed.Seed(
        accounts=tuple(
            cloud_seed.AccountSeed(name=person.name, password=person.password)
            for person in people.values()
        ),
        users=tuple(
            cloud_seed.UserSeed(
                uid=unit.owner.uid, name=unit.owner.name, password=unit.owner.password
            )
            for unit in population.units
        ),
        products=tuple(_products(population)),
        grants=tuple(grants(population)),
        devices=tuple(_devices(population, bound=bound)),
        projects=(_project(population),) if programs else (),
    )


class Access(msgspec.Struct, frozen=True):
    """The access key by which a program calls the Open API as the maker of the products."""

    access_id: str
    secret: str
    schema: str

    def __repr__(self) -> str:
        """Show who it is, never the secret."""
        return f"Access({self.access_id!r})"


def access(population: Population) -> Access:
    """Return the access key of the maker's one project; it follows from the seed."""
    rng = Rng(derive(population.seed, _ACCESS))
    return Access(rng.text(20, _HEX), rng.text(32, _HEX), _APP_SCHEMA)


def device_spec(
    population: Population, unit: Unit, ip: str, site: str, *, bound: bool, reset: bool = False
) -> DeviceSpec:
    """Return the order to create a unit; its flash is that of a paired, a reset or a new device."""
    flash = _reset_flash(unit) if reset else _paired_flash(population, unit)
    return DeviceSpec(
        index=unit.index,
        uuid=unit.uuid,
        auth_key=unit.auth_key,
        product_id=unit.product.product_id,
        profile=unit.product.profile,
        seed=unit.seed,
        lan_version=unit.lan_version,
        ip=ip,
        site=site,
        flash=flash.image() if bound else b"",
    )


def _reset_flash(unit: Unit) -> Flash:
    """Return what a local reset leaves: the last device id, which the next activation offers."""
    return Flash(dev_id=unit.dev_id, last_reset=ResetKind.LOCAL_FACTORY)


def _paired_flash(population: Population, unit: Unit) -> Flash:
    defaults = Settings()
    wired = unit.product.wired
    return Flash(
        dev_id=unit.dev_id,
        sec_key=unit.sec_key,
        local_key=unit.local_key,
        schema_id=_schema_id(unit.product, population.profile(unit)),
        time_zone=defaults.time_zone,
        region=defaults.region,
        env=defaults.token_secret,
        ssid="" if wired else unit.home.ssid,
        password="" if wired else unit.home.password,
        children={
            number: Kept(Tie.BOUND, child_id(node_id))
            for number, node_id, _ in children(population, unit)
        }
        or None,
    )


def children(population: Population, unit: Unit) -> Iterator[tuple[int, str, Child]]:
    """Yield number, node id and model of what is behind a unit and is known to the cloud."""
    for number, child in enumerate(population.profile(unit).children):
        if child.product_id:
            yield number, cid(unit.uuid, number), child


def child_id(node_id: str) -> str:
    """Return the device id of a sub-device that was bound long ago."""
    return f"6c{node_id}"


@lru_cache(maxsize=256)
def _schema(data_points: tuple[Point, ...]) -> str:
    points = (msgspec.convert(p, DataPoint, from_attributes=True) for p in data_points)
    return encode_schema(points)


def _schema_id(product: Product, profile: Profile) -> str:
    record = CloudProduct(product.product_id, product.name, profile.category, owner="")
    return msgspec.structs.replace(record, schema=_schema(profile.data_points)).schema_id


def _products(population: Population) -> Iterator[cloud_seed.ProductSeed]:
    for product in population.products:
        profile = population.profiles[product.profile]
        yield cloud_seed.ProductSeed(
            product_id=product.product_id,
            name=product.name,
            category=profile.category,
            owner=population.maker.name,
            method=Method.WIRED if profile.wired else Method.QR,
            schema=_schema(profile.data_points),
        )
    yield from _child_products(population).values()


def _child_products(population: Population) -> dict[str, cloud_seed.ProductSeed]:
    """Return the products of all sub-devices by id. UsageError for one that stands for two things."""
    found: dict[str, cloud_seed.ProductSeed] = {}
    for child in (child for profile in population.profiles.values() for child in profile.children):
        if child.product_id:
            product = cloud_seed.ProductSeed(
                product_id=child.product_id,
                name=_NUMBER.sub("", child.title),
                category=child.category,
                owner=population.maker.name,
                binding=Binding.WEAK,
                schema=_schema(child.data_points),
            )
            if found.setdefault(child.product_id, product) != product:
                raise UsageError(
                    f"product_id {child.product_id}: two kinds of sub-devices have it; give one "
                    "of them another"
                )
    return found


def grants(population: Population) -> Iterator[cloud_seed.GrantSeed]:
    """Yield a right that allows unbinding for every operator but the owner, and the purchaser's."""
    rights = {
        "partner": (GrantKind.PARTNER, "development"),
        "after_sale": (GrantKind.SPACE, "After sale"),
        "purchaser": (GrantKind.PARTNER, "purchase"),
    }
    for person in (*population.operators, population.purchaser):
        if person.role != "owner":
            kind, role = rights[person.role]
            yield cloud_seed.GrantSeed(
                owner=population.maker.name,
                kind=kind,
                grantee=person.name,
                role=role,
                products=tuple(product.product_id for product in population.products),
            )


def _project(population: Population) -> cloud_seed.ProjectSeed:
    key = access(population)
    return cloud_seed.ProjectSeed(
        access_id=key.access_id,
        secret=key.secret,
        owner=population.maker.name,
        name="fleet",
        schemas=(key.schema,),
    )


def _devices(population: Population, *, bound: bool) -> Iterator[cloud_seed.DeviceSeed]:
    for unit in population.units:
        known = bound and not unit.foreign
        yield _device(unit, bound=known)
        if known:
            for _, node_id, child in children(population, unit):
                yield _child(unit, node_id, child)


def _child(unit: Unit, node_id: str, child: Child) -> cloud_seed.DeviceSeed:
    return cloud_seed.DeviceSeed(
        uuid=node_id,
        product_id=child.product_id,
        dev_id=child_id(node_id),
        owner=unit.owner.uid,
        name=child.title,
        gateway=unit.dev_id,
        node_id=node_id,
    )


def _device(unit: Unit, *, bound: bool) -> cloud_seed.DeviceSeed:
    return cloud_seed.DeviceSeed(
        uuid=unit.uuid,
        auth_key=unit.auth_key,
        product_id=unit.product.product_id,
        dev_id=unit.dev_id if bound else "",
        sec_key=unit.sec_key if bound else "",
        local_key=unit.local_key if bound else "",
        owner=unit.owner.uid if bound else "",
    )
