"""A seed: the people, products and devices that a cloud starts with.

For example 300 devices that are bound to 300 consumers from the first second on. A seed that
contradicts itself, or holds what no device or person could have, is refused with one line that
names the entry.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from firmware_sim.errors import UsageError
from fleet.cloud.api.shapes import Name
from fleet.cloud.devices import Device
from fleet.cloud.permissions import GrantKind, Permission
from fleet.cloud.products import SCHEMA_ONE_SWITCH, Binding, Method, Product
from fleet.cloud.quotas import Scope
from fleet.cloud.reasons import Refused
from fleet.cloud.state import State

ProductId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{1,16}\Z")]
Uuid = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,25}\Z")]
AuthKey = Annotated[str, Meta(pattern=r"^[!-~]{16,32}\Z")]
DeviceId = Annotated[str, Meta(pattern=r"^([0-9A-Za-z_-]{1,25})?\Z")]
Key16 = Annotated[str, Meta(pattern=r"^([!-~]{16})?\Z")]


class _Form(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything in a seed; ranges are checked when it is planted."""


class AccountSeed(_Form, frozen=True):
    """A developer account; without password nobody logs in to it."""

    name: Name
    password: str = ""

    def __repr__(self) -> str:
        """Show the name only."""
        return f"AccountSeed({self.name!r})"


class UserSeed(_Form, frozen=True):
    """A consumer; without password nobody logs in as it."""

    uid: Name
    name: Name
    password: str = ""

    def __repr__(self) -> str:
        """Show the names only."""
        return f"UserSeed({self.uid!r}, {self.name!r})"


class ProductSeed(_Form, frozen=True):
    """A product of an account."""

    product_id: ProductId
    name: Name
    category: Name
    owner: Name
    binding: Binding = Binding.STRONG
    method: Method = Method.QR
    schema: str = SCHEMA_ONE_SWITCH


class RoleSeed(_Form, frozen=True):
    """A custom role of an owner's space."""

    owner: Name
    name: Name
    permissions: tuple[Permission, ...]


class GrantSeed(_Form, frozen=True):
    """A partner's right (development, purchase, both) or a member's role, for some products."""

    owner: Name
    kind: GrantKind
    grantee: Name
    role: Name
    products: tuple[ProductId, ...]


class LimitSeed(_Form, frozen=True):
    """A quota that was raised by ticket before the start."""

    scope: Scope
    name: Name
    limit: int


class DeviceSeed(_Form, frozen=True):
    """A device; one with an `owner` (uid) is bound and carries what its activation gave it."""

    uuid: Uuid
    auth_key: AuthKey
    product_id: ProductId
    dev_id: DeviceId = ""
    sec_key: Key16 = ""
    local_key: Key16 = ""
    owner: str = ""

    def __repr__(self) -> str:
        """Show who and whose it is, never its keys."""
        return f"DeviceSeed({self.uuid!r}, owner={self.owner!r})"


class Seed(_Form, frozen=True):
    """All that a cloud starts with."""

    accounts: tuple[AccountSeed, ...] = ()
    users: tuple[UserSeed, ...] = ()
    products: tuple[ProductSeed, ...] = ()
    roles: tuple[RoleSeed, ...] = ()
    grants: tuple[GrantSeed, ...] = ()
    limits: tuple[LimitSeed, ...] = ()
    devices: tuple[DeviceSeed, ...] = ()


def plant(state: State, seed: Seed, now_ms: int) -> None:
    """Put everything of `seed` into the empty `state`.

    Raises UsageError for a seed that is out of range or contradicts itself; the state is then good
    for nothing.
    """
    try:
        msgspec.convert(msgspec.to_builtins(seed), Seed)
    except msgspec.ValidationError as error:
        raise UsageError(f"seed: {error}") from None
    try:
        for account in seed.accounts:
            state.accounts.add(account.name, account.password)
        for user in seed.users:
            _check(state.users.get(user.uid) is None, f"user {user.uid}: the uid comes twice")
            state.users.register(user.name, user.password, user.uid)
        for product in seed.products:
            _plant_product(state, product)
        for role in seed.roles:
            _check(role.owner in state.accounts, f"role {role.name}: no account {role.owner}")
            state.accounts.define_role(role.owner, role.name, role.permissions)
        for grant in seed.grants:
            state.accounts.grant(grant.owner, grant.kind, grant.grantee, grant.role, grant.products)
        for limit in seed.limits:
            state.quotas.raise_limit(limit.scope, limit.name, limit.limit)
    except Refused as refusal:
        raise UsageError(f"seed: {refusal}") from refusal
    for device in seed.devices:
        _plant_device(state, device, now_ms)


def _plant_product(state: State, product: ProductSeed) -> None:
    what = f"product {product.product_id}"
    _check(state.products.get(product.product_id) is None, f"{what}: the id comes twice")
    _check(product.owner in state.accounts, f"{what}: no account {product.owner}")
    state.products.put(
        Product(
            product_id=product.product_id,
            name=product.name,
            category=product.category,
            owner=product.owner,
            binding=product.binding.value,
            method=product.method.value,
            schema=product.schema,
        )
    )


def _plant_device(state: State, device: DeviceSeed, now_ms: int) -> None:
    what = f"device {device.uuid}"
    product = state.products.get(device.product_id)
    _check(state.devices.get(device.uuid) is None, f"{what}: the uuid comes twice")
    _check(product is not None, f"{what}: no product {device.product_id}")
    given = {bool(text) for text in (device.dev_id, device.sec_key, device.local_key, device.owner)}
    _check(len(given) == 1, f"{what}: give owner, dev_id, sec_key and local_key all or none")
    if device.owner:
        _check(state.users.get(device.owner) is not None, f"{what}: no user {device.owner}")
        _check(state.devices.by_dev_id(device.dev_id) is None, f"{what}: its dev_id comes twice")
    state.devices.add(
        Device(
            uuid=device.uuid,
            auth_key=device.auth_key,
            product_id=device.product_id,
            name=product.name if product is not None else "",
            dev_id=device.dev_id,
            sec_key=device.sec_key,
            local_key=device.local_key,
            owner=device.owner,
            last_owner=device.owner,
            activated_ms=now_ms if device.owner else 0,
        )
    )


def _check(fits: bool, complaint: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not fits:
        raise UsageError(f"seed: {complaint}")
