"""Puts a seed into a cloud's state, entry by entry; the first that cannot be ends it.

A seed that contradicts itself, or what is there already, is refused in one line with the entry.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from firmware_sim.errors import PeerError, UsageError
from fleet.cloud import children, handover, upgrading
from fleet.cloud.devices import Device
from fleet.cloud.homes import Member, Place, Role
from fleet.cloud.open.regions import CODES, check_network
from fleet.cloud.open.routes import Family
from fleet.cloud.products import Product
from fleet.cloud.quotas import Scope
from fleet.cloud.seed import (
    AccountSeed,
    DeviceSeed,
    FirmwareSeed,
    GrantSeed,
    HomeSeed,
    LimitSeed,
    MqttClientSeed,
    OemLinkSeed,
    ProductSeed,
    ProjectSeed,
    RoleSeed,
    Seed,
    UserSeed,
)
from fleet.cloud.standard import standard_set
from fleet.cloud.state import State
from fleet.cloud.toml_file import complaint
from fleet.cloud.upgrades import Firmware
from fleet.cloud.users import Profile


def plant(state: State, seed: Seed, now_ms: int, source: str = "seed") -> None:
    """Put everything of `seed` into `state`; mistakes are told as those of `source`.

    Raises UsageError for a seed that is out of range or contradicts itself or the state; the state
    is then good for nothing.
    """
    try:
        msgspec.convert(msgspec.to_builtins(seed), Seed)
    except msgspec.ValidationError as error:
        raise UsageError(f"{source}: {complaint(error, Seed)}") from None
    for section, put in _SECTIONS.items():
        for index, entry in enumerate(getattr(seed, section)):
            try:
                put(state, entry, now_ms)
            except (UsageError, PeerError) as error:
                raise UsageError(f"{source}: {section}[{index}]: {error}") from error


def _account(state: State, entry: AccountSeed, _: int) -> None:
    state.accounts.add(entry.name, entry.password)


def _user(state: State, entry: UserSeed, now_ms: int) -> None:
    _check(state.users.get(entry.uid) is None, f"there is a user {entry.uid} already")
    _check_region(entry.region, "")
    state.users.register(
        entry.name,
        entry.password,
        entry.uid,
        now_ms=now_ms,
        app=state.users.app(entry.schema, entry.region),
        profile=Profile(entry.country_code, nick_name=entry.nick_name),
    )


def _home(state: State, entry: HomeSeed, now_ms: int) -> None:
    for uid in (entry.owner, *(member.uid for member in entry.members)):
        _check(state.users.get(uid) is not None, f"there is no user {uid}")
    known = {home.name for home in state.homes.of_user(entry.owner) if home.owner == entry.owner}
    _check(entry.name not in known, f"{entry.owner} has a home {entry.name} already")
    home = state.homes.make(entry.owner, Place(entry.name), now_ms, entry.rooms)
    for member in entry.members:
        _check(member.uid != entry.owner, "the owner is no member besides")
        role = Role.ADMIN if member.admin else Role.MEMBER
        home = state.homes.put_member(home, Member(member.uid, role.value, member.name))


def _product(state: State, entry: ProductSeed, _: int) -> None:
    known = state.products.get(entry.product_id)
    _check(known is None, f"there is a product {entry.product_id} already")
    _check_account(state, entry.owner)
    with _of("schema"):
        standard_set(entry.schema)
    _note_origin(state, entry)
    state.products.put(
        Product(
            product_id=entry.product_id,
            name=entry.name,
            category=entry.category,
            owner=entry.owner,
            binding=entry.binding.value,
            method=entry.method.value,
            schema=entry.schema,
        )
    )


def _note_origin(state: State, entry: ProductSeed) -> None:
    if entry.copied_from:
        known = state.products.get(entry.copied_from)
        _check(known is not None, f"there is no product {entry.copied_from} before it")
    if entry.first_owner:
        _check_account(state, entry.first_owner)
    if entry.first_owner or entry.copied_from:
        first = entry.first_owner or entry.owner
        state.accounts.origins.note(entry.product_id, first, entry.copied_from)


def _firmware(state: State, entry: FirmwareSeed, now_ms: int) -> None:
    _product_of(state, entry.product_id)
    upgrading.add(state, Firmware(**msgspec.structs.asdict(entry), added_ms=now_ms))


def _oem_link(state: State, entry: OemLinkSeed, _: int) -> None:
    product = _product_of(state, entry.product_id)
    handover.share(state, product.owner, product.product_id, entry.link)


def _role(state: State, entry: RoleSeed, _: int) -> None:
    _check_account(state, entry.owner)
    state.accounts.define_role(entry.owner, entry.name, entry.permissions)


def _grant(state: State, entry: GrantSeed, _: int) -> None:
    state.accounts.grant(entry.owner, entry.kind, entry.grantee, entry.role, entry.products)


def _project(state: State, entry: ProjectSeed, _: int) -> None:
    _check_account(state, entry.owner)
    for region in entry.regions:
        _check_region(region, "*")
    families = ("*", *Family)
    _check({*families} >= {*entry.families}, f"families are {', '.join(families)}")
    for network in entry.allowed_ips:
        check_network(network)
    state.projects.add(
        entry.owner,
        entry.name,
        access_id=entry.access_id,
        secret=entry.secret,
        signing=entry.signing.value,
        regions=entry.regions,
        schemas=entry.schemas,
        families=entry.families,
        allowed_ips=entry.allowed_ips,
        plan=entry.plan.value,
        push_families=entry.push_families,
        push_encryption=entry.push_encryption,
        redirects=entry.redirects,
    )


def _mqtt_client(state: State, entry: MqttClientSeed, _: int) -> None:
    _check(state.guests.get(entry.name) is None, f"there is an MQTT client {entry.name} already")
    state.guests.put(entry.name, entry.password, entry.read, entry.write)


def _limit(state: State, entry: LimitSeed, _: int) -> None:
    if entry.scope is Scope.PRODUCT:
        _product_of(state, entry.name)
    else:
        _check_account(state, entry.name)
    state.quotas.raise_limit(entry.scope, entry.name, entry.limit)


def _device(state: State, entry: DeviceSeed, now_ms: int) -> None:
    product = _product_of(state, entry.product_id)
    _check(state.devices.get(entry.uuid) is None, f"there is a device {entry.uuid} already")
    keys = _keys_of(state, entry)
    if entry.owner:
        _check(state.users.get(entry.owner) is not None, f"there is no user {entry.owner}")
        taken = state.devices.by_dev_id(entry.dev_id) is not None
        _check(not taken, f"there is a device with the id {entry.dev_id} already")
    _check_region(entry.region, "")
    bound_ms = now_ms if entry.owner else 0
    state.devices.add(
        Device(
            uuid=entry.uuid,
            product_id=entry.product_id,
            name=entry.name or product.name,
            dev_id=entry.dev_id,
            **msgspec.structs.asdict(keys),
            owner=entry.owner,
            last_owner=entry.owner,
            activated_ms=bound_ms,
            region=entry.region,
            home=_home_of(state, entry, now_ms),
            time_zone=entry.time_zone,
            created_ms=bound_ms,
            updated_ms=bound_ms,
            gateway=entry.gateway,
            node_id=entry.node_id,
            generation=entry.generation,
        )
    )
    if entry.dps:
        _check(entry.owner != "", "a device that is nobody's has no values")
        with _of("dps"):
            state.data_points.report(entry.dev_id, msgspec.Raw(entry.dps.encode()), now_ms)


class _Keys(msgspec.Struct):
    auth_key: str
    sec_key: str
    local_key: str


def _keys_of(state: State, entry: DeviceSeed) -> _Keys:
    """Return a device's keys; a sub-device has its gateway's localKey, and no other."""
    if entry.gateway:
        return _Keys("", "", _gateway_of(state, entry).local_key)
    _check(entry.auth_key != "", "a device takes an auth_key")
    _check(entry.node_id == "", "a node_id goes with a gateway")
    given = {bool(text) for text in (entry.dev_id, entry.sec_key, entry.local_key, entry.owner)}
    _check(len(given) == 1, "give owner, dev_id, sec_key and local_key all or none")
    return _Keys(entry.auth_key, entry.sec_key, entry.local_key)


def _gateway_of(state: State, entry: DeviceSeed) -> Device:
    gateway = state.devices.by_dev_id(entry.gateway)
    if gateway is None:
        raise UsageError("name the gateway before it")
    _check(entry.node_id != "", "a sub-device takes a node_id")
    _check(children.find(state, gateway, entry.node_id) is None, "its gateway has this node_id")
    keys = entry.auth_key or entry.sec_key or entry.local_key
    _check(not keys, "a sub-device has no keys: leave auth_key, sec_key and local_key out")
    _check(bool(entry.dev_id) == bool(entry.owner), "give owner and dev_id both or none")
    whose = "a sub-device belongs to whom its gateway belongs to, or to nobody"
    _check(entry.owner in {"", gateway.owner}, whose)
    return gateway


def _home_of(state: State, entry: DeviceSeed, now_ms: int) -> str:
    if not entry.owner:
        _check(not entry.home, "a device that is nobody's is in no home")
        return ""
    if not entry.home:
        return state.homes.take_in(entry.owner, "", entry.dev_id, now_ms)[0].home_id
    named = (home for home in state.homes.of_user(entry.owner) if home.name == entry.home)
    home = next((home for home in named if home.owner == entry.owner), None)
    if home is None:
        raise UsageError(f"{entry.owner} has no home {entry.home}")
    return home.home_id


_SECTIONS: dict[str, Callable[[State, Any, int], None]] = {
    "accounts": _account,
    "users": _user,
    "homes": _home,
    "products": _product,
    "firmware": _firmware,
    "oem_links": _oem_link,
    "roles": _role,
    "grants": _grant,
    "projects": _project,
    "limits": _limit,
    "devices": _device,
    "mqtt_clients": _mqtt_client,
}


def _check_account(state: State, name: str) -> None:
    _check(name in state.accounts, f"there is no account {name}")


def _product_of(state: State, product_id: str) -> Product:
    product = state.products.get(product_id)
    if product is None:
        raise UsageError(f"there is no product {product_id}")
    return product


@contextmanager
def _of(key: str) -> Iterator[None]:
    """Name the key whose text cannot be read."""
    try:
        yield
    except PeerError as error:
        raise UsageError(f"{key}: {error}") from None


def _check_region(region: str, other: str) -> None:
    _check(region in {*CODES, other}, f"{region} is no data centre: {', '.join(CODES)}")


def _check(fits: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not fits:
        raise UsageError(otherwise)
