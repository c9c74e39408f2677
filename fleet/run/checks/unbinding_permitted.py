"""Nothing is unbound without permission of the product's owner.

The rule once more, in other words than the cloud's (`fleet.cloud.permissions`), so that a mistake
there shows ("Unbind Smart Devices", developer.tuya.com): a device may be unbound by the owner of its
product; by a partner with the right to develop it; by a member of the owner's space whose role
unbinds and whose data include the product. Besides by the account that the product came from, where
its owner has granted that.
"""

from collections.abc import Iterable, Iterator

import msgspec

from fleet.cloud.accounts import CustomRole
from fleet.cloud.history import HistoryRow
from fleet.cloud.permissions import Grant
from fleet.cloud.products import Product
from fleet.run import seeding
from fleet.run.checks.evidence import Evidence
from fleet.run.checks.scene import Checker, Scene

UNBINDING = {
    "partner": ("development", "both"),
    "space": ("After sale", "Administrators"),
    "origin": ("unbind",),
}
"""By how the grantee stands to the owner: which rights, or preset roles, unbind."""


class Permit(msgspec.Struct, frozen=True):
    """Somebody other than the owner may unbind some of the owner's products."""

    owner: str
    grantee: str
    products: tuple[str, ...]


def may(account: str, product_id: str, owner: str, permits: Iterable[Permit]) -> bool:
    """Say whether an account may unbind devices of an owner's product."""
    if account == owner:
        return True
    return any(
        (permit.owner, permit.grantee) == (owner, account) and product_id in permit.products
        for permit in permits
    )


def at_end(evidence: Evidence) -> Iterator[str]:
    """Hold each release in the history against what the seed grants."""
    maker = evidence.population.maker.name
    permits: dict[str, list[Permit]] = {}  # by grantee: a large fleet has thousands of them
    for grant in seeding.grants(evidence.population):
        if grant.role in UNBINDING[grant.kind]:
            permit = Permit(grant.owner, grant.grantee, grant.products)
            permits.setdefault(grant.grantee, []).append(permit)
    for row in evidence.history:
        released = row.operation == "unbind" and row.status == "ok"
        held = permits.get(row.account, ())
        if released and not may(row.account, row.product_id, maker, held):
            yield f"{row.uuid}: {_done(row.account)}"


def _done(account: str) -> str:
    return f"unbound by {account or 'nobody'}, who has no right to"


class Watcher(Checker):
    """Looks at each release as it is written, with the grants of that moment."""

    def __init__(self, scene: Scene) -> None:
        """Follow grants, roles and products."""
        super().__init__(scene)
        self._grants: dict[str, list[Grant]] = {}  # by grantee
        self._roles = scene.books.keep(CustomRole)
        self._products = scene.books.keep(Product)
        scene.books.look(Grant, self._granted)
        scene.books.look(HistoryRow, self._recorded)

    def _granted(self, before: Grant | None, after: Grant | None) -> None:
        if before is not None:
            self._grants[before.grantee].remove(before)
        if after is not None:
            self._grants.setdefault(after.grantee, []).append(after)

    def _recorded(self, _: HistoryRow | None, row: HistoryRow | None) -> None:
        if row is None or row.operation != "unbind" or row.status != "ok":
            return
        product = self._products.get(row.product_id)
        owner = product.owner if product is not None else ""
        if not owner or not may(row.account, row.product_id, owner, self._permits(row.account)):
            self.violated(row.uuid, _done(row.account))

    def _permits(self, grantee: str) -> Iterator[Permit]:
        for grant in self._grants.get(grantee, ()):
            custom = self._roles.get((grant.owner, grant.role)) if grant.kind == "space" else None
            own = custom is not None and "unbind" in custom.permissions
            if own or grant.role in UNBINDING[grant.kind]:
                yield Permit(grant.owner, grant.grantee, grant.products)
