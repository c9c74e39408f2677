"""Developer accounts: logins, grants to partners and members, custom roles, and what they allow.

The rules are the tables of `fleet.cloud.permissions`; this service keeps who was granted what. A
grant counts only while its giver owns the product, and can be changed and revoked at any time.
"""

from collections.abc import Iterable, Iterator

import msgspec

from fleet.cloud.keys import LOWER, Entropy, hash_password, password_fits, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.origins import Origins
from fleet.cloud.permissions import (
    ORIGIN_RIGHTS,
    PARTNER_RIGHTS,
    PRESET_ROLES,
    Decision,
    Grant,
    GrantKind,
    Permission,
    decide,
    held,
)
from fleet.cloud.products import Product, Products
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

_GRANT_ID_LENGTH = 12
_FIRST_OWNERS_RIGHT = "unbind"


class Account(Record, gc=False):
    """One developer account. An empty `password_hash` admits nobody."""

    TABLE = "accounts"
    KEY = ("name",)

    name: str
    password_hash: str

    def __repr__(self) -> str:
        """Show who it is, not what the password hashes to."""
        return f"Account({self.name!r})"


class CustomRole(Record, gc=False):
    """A role that an owner made for the members of its own space."""

    TABLE = "custom_roles"
    KEY = ("owner", "name")

    owner: str
    name: str
    permissions: tuple[str, ...]


class Accounts:
    """All developer accounts, grants and custom roles."""

    def __init__(
        self,
        settings: Settings,
        products: Products,
        load: Loader,
        journal: Journal,
        entropy: Entropy,
    ) -> None:
        """Take the stored accounts, grants and roles."""
        self._settings = settings
        self._products = products
        self._entropy = entropy
        self.origins = Origins(load, journal, entropy)
        self._accounts: Ledger[Account] = Ledger(Account, load, journal)
        self._grants: Ledger[Grant] = Ledger(Grant, load, journal)
        self._roles: Ledger[CustomRole] = Ledger(CustomRole, load, journal)
        self._by_grantee: dict[str, list[Grant]] = {}
        for grant in self._grants:
            self._by_grantee.setdefault(grant.grantee, []).append(grant)

    # --- accounts -------------------------------------------------------------------------------

    def __contains__(self, name: str) -> bool:
        """Tell whether there is an account of that name."""
        return self._accounts.get(name) is not None

    def __len__(self) -> int:
        """Return the number of accounts."""
        return len(self._accounts)

    def add(self, name: str, password: str) -> Account:
        """Add an account. Refused when the name is taken."""
        if name in self:
            raise Refused(Reason.NAME_TAKEN, "another account has this name")
        kept = hash_password(password, self._entropy, self._settings.password_iterations)
        return self._accounts.put(Account(name, kept))

    def log_in(self, name: str, password: str) -> Account:
        """Return the account of that name. Refused when name or password are wrong."""
        account = self._accounts.get(name)
        if account is None or not password_fits(password, account.password_hash):
            raise Refused(Reason.BAD_LOGIN, "wrong name or password")
        return account

    # --- grants and roles -----------------------------------------------------------------------

    def grant(
        self, owner: str, kind: GrantKind, grantee: str, role: str, products: Iterable[str]
    ) -> Grant:
        """Let `grantee` work on `products` of `owner`. Refused when any of it does not exist."""
        chosen = self._chosen(owner, kind, grantee, role, products)
        if len(self.grants_by(owner)) >= self._settings.grants_per_owner_max:
            raise Refused(Reason.TOO_MANY, "revoke a grant first")
        return self._give(owner, kind, grantee, role, chosen)

    def grant_first_owner(self, owner: str, product_id: str) -> None:
        """Let the account that a product of `owner` comes from unbind its devices.

        Nothing is granted to `owner`, or for a product that comes from nobody else.
        """
        first = self.origins.first_owner(product_id)
        if first not in {"", owner}:
            self._give(owner, GrantKind.ORIGIN, first, _FIRST_OWNERS_RIGHT, (product_id,))

    def given(self, owner: str, grant_id: str) -> Grant:
        """Return a grant. Refused when `owner` gave none of that id."""
        grant = self._grants.get(grant_id)
        if grant is None or grant.owner != owner:
            raise Refused(Reason.NOT_FOUND, "you gave no such grant")
        return grant

    def change(self, grant: Grant, role: str, products: Iterable[str]) -> Grant:
        """Let a grant be for another role or other products. Refused as in `grant`."""
        kind = GrantKind(grant.kind)
        chosen = self._chosen(grant.owner, kind, grant.grantee, role, products)
        return self._replace(grant, msgspec.structs.replace(grant, role=role, products=chosen))

    def revoke(self, owner: str, grant_id: str) -> None:
        """Take back a grant. Refused when `owner` gave none of that id."""
        self._take(self.given(owner, grant_id))

    def end_grants_on(self, product: Product) -> None:
        """Take back what the owner of a product granted on it; the rest of a grant stays."""
        for grant in self.grants_by(product.owner):
            rest = tuple(name for name in grant.products if name != product.product_id)
            if not rest:
                self._take(grant)
            elif rest != grant.products:
                self._replace(grant, msgspec.structs.replace(grant, products=rest))

    def grants_by(self, owner: str) -> list[Grant]:
        """Return what `owner` granted, sorted by grantee."""
        mine = [grant for grant in self._grants if grant.owner == owner]
        return sorted(mine, key=lambda grant: (grant.grantee, grant.kind, grant.grant_id))

    def grants_to(self, grantee: str) -> list[Grant]:
        """Return what an account was granted and its givers own still, sorted by giver."""
        theirs = (self._alive(grant) for grant in self._by_grantee.get(grantee, ()))
        alive = (grant for grant in theirs if grant.products)
        return sorted(alive, key=lambda grant: (grant.owner, grant.kind, grant.grant_id))

    def roles_of(self, owner: str) -> list[CustomRole]:
        """Return the roles that `owner` made, sorted by name."""
        mine = (role for role in self._roles if role.owner == owner)
        return sorted(mine, key=lambda role: role.name)

    def drop_role(self, owner: str, name: str) -> None:
        """Take a custom role away: grants of it hold nothing. Refused when there is none."""
        role = self._roles.get((owner, name))
        if role is None:
            raise Refused(Reason.NOT_FOUND, "you made no such role")
        self._roles.remove(role)

    def define_role(self, owner: str, name: str, permissions: Iterable[Permission]) -> CustomRole:
        """Make or change a role of `owner`'s space. Refused for the name of a preset role."""
        if name in PRESET_ROLES:
            raise Refused(Reason.NAME_TAKEN, "this is the name of a preset role")
        mine = sum(role.owner == owner for role in self._roles)
        if self._roles.get((owner, name)) is None and mine >= self._settings.grants_per_owner_max:
            raise Refused(Reason.TOO_MANY, "no more roles can be made")
        chosen = tuple(sorted({permission.value for permission in permissions}))
        return self._roles.put(CustomRole(owner, name, chosen))

    # --- decisions ------------------------------------------------------------------------------

    def may(self, permission: Permission, account: str, product: Product) -> Decision:
        """Decide whether `account` has `permission` on `product` now."""
        grants = self._by_grantee.get(account, ())
        roles = {
            grant.role: self._custom(product.owner, grant.role)
            for grant in grants
            if grant.owner == product.owner
        }
        return decide(permission, account, product.product_id, product.owner, grants, roles)

    def grants_on(
        self, account: str, product: Product
    ) -> Iterator[tuple[Grant, frozenset[Permission]]]:
        """Go through the grants that `account` has on `product` now, and what each holds."""
        for grant in self._by_grantee.get(account, ()):
            if grant.owner == product.owner and product.product_id in grant.products:
                roles = {grant.role: self._custom(product.owner, grant.role)}
                yield grant, held(grant, roles)

    def may_unbind(self, account: str, product: Product) -> Decision:
        """Decide whether `account` may unbind devices of `product` now."""
        return self.may(Permission.UNBIND, account, product)

    # --- details --------------------------------------------------------------------------------

    def _chosen(
        self, owner: str, kind: GrantKind, grantee: str, role: str, products: Iterable[str]
    ) -> tuple[str, ...]:
        """Return the products of a grant in order; Refused for a grant that cannot be."""
        chosen = tuple(sorted(set(products)))
        if grantee not in self or grantee == owner:
            raise Refused(Reason.NOT_FOUND, "no other account has this name")
        if not self._role_exists(owner, kind, role):
            raise Refused(Reason.NOT_FOUND, f"no {kind} right or role has this name")
        if not chosen or not all(self._owns(owner, product_id) for product_id in chosen):
            raise Refused(Reason.NO_PERMISSION, "name one or more products of your own")
        if kind is GrantKind.ORIGIN and {*map(self.origins.first_owner, chosen)} != {grantee}:
            raise Refused(Reason.NO_PERMISSION, f"{grantee} is not the first owner of all of them")
        return chosen

    def _give(
        self, owner: str, kind: GrantKind, grantee: str, role: str, products: tuple[str, ...]
    ) -> Grant:
        grant_id = random_text(self._entropy, _GRANT_ID_LENGTH, LOWER)
        grant = self._grants.put(Grant(grant_id, kind.value, owner, grantee, role, products))
        self._by_grantee.setdefault(grantee, []).append(grant)
        return grant

    def _take(self, grant: Grant) -> None:
        self._grants.remove(grant)
        self._by_grantee[grant.grantee].remove(grant)

    def _replace(self, before: Grant, after: Grant) -> Grant:
        theirs = self._by_grantee[before.grantee]
        theirs[theirs.index(before)] = after
        return self._grants.put(after)

    def _alive(self, grant: Grant) -> Grant:
        owned = tuple(name for name in grant.products if self._owns(grant.owner, name))
        return msgspec.structs.replace(grant, products=owned)

    def _custom(self, owner: str, name: str) -> frozenset[Permission]:
        role = self._roles.get((owner, name))
        return frozenset(map(Permission, role.permissions)) if role else frozenset()

    def _owns(self, owner: str, product_id: str) -> bool:
        product = self._products.get(product_id)
        return product is not None and product.owner == owner

    def _role_exists(self, owner: str, kind: GrantKind, role: str) -> bool:
        if kind is GrantKind.PARTNER:
            return role in PARTNER_RIGHTS
        if kind is GrantKind.ORIGIN:
            return role in ORIGIN_RIGHTS
        return role in PRESET_ROLES or self._roles.get((owner, role)) is not None
