"""Developer accounts: logins, grants to partners and members, custom roles, and what they allow.

The rules are the tables of `fleet.cloud.permissions`; this service keeps who was granted what. A
grant counts only while its giver owns the product, and can be revoked at any time.
"""

from collections.abc import Iterable

from fleet.cloud.keys import LOWER, Entropy, hash_password, password_fits, random_text
from fleet.cloud.ledger import Journal, Ledger, Loader
from fleet.cloud.permissions import (
    PARTNER_RIGHTS,
    PRESET_ROLES,
    Decision,
    Grant,
    GrantKind,
    Permission,
    decide,
)
from fleet.cloud.products import Product, Products
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from fleet.cloud.store.records import Record

_GRANT_ID_LENGTH = 12


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
        chosen = tuple(sorted(set(products)))
        if grantee not in self or grantee == owner:
            raise Refused(Reason.NOT_FOUND, "no other account has this name")
        if not self._role_exists(owner, kind, role):
            raise Refused(Reason.NOT_FOUND, f"no {kind} right or role has this name")
        if not chosen or not all(self._owns(owner, product_id) for product_id in chosen):
            raise Refused(Reason.NO_PERMISSION, "name one or more products of your own")
        if len(self.grants_by(owner)) >= self._settings.grants_per_owner_max:
            raise Refused(Reason.TOO_MANY, "revoke a grant first")
        grant_id = random_text(self._entropy, _GRANT_ID_LENGTH, LOWER)
        grant = Grant(grant_id, kind.value, owner, grantee, role, chosen)
        self._by_grantee.setdefault(grantee, []).append(self._grants.put(grant))
        return grant

    def revoke(self, owner: str, grant_id: str) -> None:
        """Take back a grant. Refused when `owner` gave none of that id."""
        grant = self._grants.get(grant_id)
        if grant is None or grant.owner != owner:
            raise Refused(Reason.NOT_FOUND, "you gave no such grant")
        self._grants.remove(grant)
        self._by_grantee[grant.grantee].remove(grant)

    def grants_by(self, owner: str) -> list[Grant]:
        """Return what `owner` granted, sorted by grantee."""
        mine = [grant for grant in self._grants if grant.owner == owner]
        return sorted(mine, key=lambda grant: (grant.grantee, grant.kind, grant.grant_id))

    def define_role(self, owner: str, name: str, permissions: Iterable[Permission]) -> CustomRole:
        """Make or change a role of `owner`'s space. Refused for the name of a preset role."""
        if name in PRESET_ROLES:
            raise Refused(Reason.NAME_TAKEN, "this is the name of a preset role")
        mine = sum(role.owner == owner for role in self._roles)
        if self._roles.get((owner, name)) is None and mine >= self._settings.grants_per_owner_max:
            raise Refused(Reason.TOO_MANY, "no more roles can be made")
        held = tuple(sorted({permission.value for permission in permissions}))
        return self._roles.put(CustomRole(owner, name, held))

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

    def may_unbind(self, account: str, product: Product) -> Decision:
        """Decide whether `account` may unbind devices of `product` now."""
        return self.may(Permission.UNBIND, account, product)

    # --- details --------------------------------------------------------------------------------

    def _custom(self, owner: str, name: str) -> frozenset[Permission]:
        role = self._roles.get((owner, name))
        return frozenset(map(Permission, role.permissions)) if role else frozenset()

    def _owns(self, owner: str, product_id: str) -> bool:
        product = self._products.get(product_id)
        return product is not None and product.owner == owner

    def _role_exists(self, owner: str, kind: GrantKind, role: str) -> bool:
        if kind is GrantKind.PARTNER:
            return role in PARTNER_RIGHTS
        return role in PRESET_ROLES or self._roles.get((owner, role)) is not None
