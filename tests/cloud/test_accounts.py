"""Accounts, grants and custom roles: what can be granted, by whom, and that it can be revoked."""

import msgspec
import pytest

from fleet.cloud.accounts import Account
from fleet.cloud.permissions import GrantKind, Permission
from fleet.cloud.products import Product
from fleet.cloud.reasons import Reason, Refused

from .support import (
    BUYER,
    CAMERA,
    OWNER,
    PARTNER,
    PASSWORD,
    PLUG,
    RECORDER,
    REPAIR,
    SETTINGS,
    STRANGER,
    World,
    assert_reloads,
)


def product(world: World, product_id: str = CAMERA) -> Product:
    found = world.state.products.get(product_id)
    assert found is not None
    return found


def reason_of(outcome: object) -> Reason:
    assert isinstance(outcome, Refused)
    return outcome.reason


def test_log_in() -> None:
    accounts = World().state.accounts
    assert accounts.log_in(OWNER, PASSWORD).name == OWNER
    for name, password in ((OWNER, "wrong"), ("nobody", PASSWORD), (OWNER, "")):
        with pytest.raises(Refused) as refused:
            accounts.log_in(name, password)
        assert refused.value.reason is Reason.BAD_LOGIN


def test_an_account_without_password_admits_nobody() -> None:
    world = World()
    world.rule(lambda state: state.accounts.add("silent", ""))
    with pytest.raises(Refused):
        world.state.accounts.log_in("silent", "")


def test_a_name_belongs_to_one_account() -> None:
    world = World()
    outcome = world.rule(lambda state: state.accounts.add(OWNER, "x"))
    assert reason_of(outcome) is Reason.NAME_TAKEN


def test_the_hash_is_not_shown() -> None:
    assert "beef" not in repr(Account("name", "1$beef$beef"))


def test_a_grant_counts_until_it_is_revoked() -> None:
    world = World()
    accounts = world.state.accounts
    assert accounts.may_unbind(PARTNER, product(world)).allowed
    (grant,) = (g for g in accounts.grants_by(OWNER) if g.grantee == PARTNER)
    assert reason_of(world.rule(lambda s: s.accounts.revoke(REPAIR, grant.grant_id))) is (
        Reason.NOT_FOUND
    )
    world.rule(lambda s: s.accounts.revoke(OWNER, grant.grant_id))
    assert not accounts.may_unbind(PARTNER, product(world)).allowed
    assert reason_of(world.rule(lambda s: s.accounts.revoke(OWNER, grant.grant_id))) is (
        Reason.NOT_FOUND
    )
    assert_reloads(world)


def test_a_grant_of_a_former_owner_counts_no_more() -> None:
    world = World()
    sold = msgspec.structs.replace(product(world), owner=STRANGER)
    world.rule(lambda state: state.products.put(sold))
    for account in (OWNER, PARTNER, REPAIR):
        assert not world.state.accounts.may_unbind(account, sold).allowed
    assert world.state.accounts.may_unbind(STRANGER, sold).allowed


def test_a_custom_role_holds_what_its_owner_says() -> None:
    world = World()
    accounts = world.state.accounts
    world.rule(
        lambda s: s.accounts.grant(OWNER, GrantKind.SPACE, STRANGER, "returns", [CAMERA, CAMERA])
    )
    assert accounts.may_unbind(STRANGER, product(world)).allowed
    assert not accounts.may_unbind(STRANGER, product(world, PLUG)).allowed
    world.rule(lambda s: s.accounts.define_role(OWNER, "returns", [Permission.SEE_DATA]))
    assert not accounts.may_unbind(STRANGER, product(world)).allowed
    assert accounts.may(Permission.SEE_DATA, STRANGER, product(world)).allowed
    assert_reloads(world)


@pytest.mark.parametrize(
    ("kind", "grantee", "role", "products", "reason"),
    [
        (GrantKind.PARTNER, "nobody", "both", [CAMERA], Reason.NOT_FOUND),
        (GrantKind.PARTNER, OWNER, "both", [CAMERA], Reason.NOT_FOUND),
        (GrantKind.PARTNER, STRANGER, "After sale", [CAMERA], Reason.NOT_FOUND),
        (GrantKind.SPACE, STRANGER, "both", [CAMERA], Reason.NOT_FOUND),
        (GrantKind.SPACE, STRANGER, "After sale", [], Reason.NO_PERMISSION),
        (GrantKind.SPACE, STRANGER, "After sale", ["nosuch"], Reason.NO_PERMISSION),
    ],
)
def test_what_cannot_be_granted(
    kind: GrantKind, grantee: str, role: str, products: list[str], reason: Reason
) -> None:
    world = World()
    outcome = world.rule(lambda s: s.accounts.grant(OWNER, kind, grantee, role, products))
    assert reason_of(outcome) is reason


def test_nobody_grants_the_products_of_others() -> None:
    world = World()
    outcome = world.rule(
        lambda s: s.accounts.grant(PARTNER, GrantKind.PARTNER, STRANGER, "both", [CAMERA])
    )
    assert reason_of(outcome) is Reason.NO_PERMISSION


def test_grants_and_roles_are_bounded() -> None:
    world = World(msgspec.structs.replace(SETTINGS, grants_per_owner_max=3))
    outcome = world.rule(
        lambda s: s.accounts.grant(OWNER, GrantKind.PARTNER, STRANGER, "both", [CAMERA])
    )
    assert reason_of(outcome) is Reason.TOO_MANY
    for name in ("a", "b"):
        world.rule(lambda s, name=name: s.accounts.define_role(OWNER, name, []))
    outcome = world.rule(lambda s: s.accounts.define_role(OWNER, "c", []))
    assert reason_of(outcome) is Reason.TOO_MANY
    world.rule(lambda s: s.accounts.define_role(OWNER, "a", [Permission.UNBIND]))
    outcome = world.rule(lambda s: s.accounts.define_role(OWNER, "After sale", []))
    assert reason_of(outcome) is Reason.NAME_TAKEN


# --- changes ------------------------------------------------------------------------------------


def test_a_grant_is_changed() -> None:
    world = World()
    accounts = world.state.accounts
    (grant,) = (g for g in accounts.grants_by(OWNER) if g.grantee == PARTNER)
    changed = world.rule(lambda s: s.accounts.change(grant, "purchase", [PLUG, PLUG]))
    assert (changed.role, changed.products) == ("purchase", (PLUG,))
    assert accounts.given(OWNER, grant.grant_id) == changed
    assert not accounts.may_unbind(PARTNER, product(world)).allowed
    assert accounts.may(Permission.ORDER, PARTNER, product(world, PLUG)).allowed
    for role, products, reason in (
        ("After sale", [PLUG], Reason.NOT_FOUND),
        ("both", [], Reason.NO_PERMISSION),
    ):
        outcome = world.rule(
            lambda s, role=role, products=products: s.accounts.change(changed, role, products)
        )
        assert reason_of(outcome) is reason
    assert_reloads(world)


def test_what_an_account_was_granted() -> None:
    world = World()
    accounts = world.state.accounts
    (seen,) = accounts.grants_to(REPAIR)
    assert (seen.owner, seen.role, len(seen.products)) == (OWNER, "After sale", 3)
    sold = msgspec.structs.replace(product(world), owner=STRANGER)
    world.rule(lambda state: state.products.put(sold))
    assert CAMERA not in accounts.grants_to(REPAIR)[0].products
    assert accounts.grants_to(STRANGER) == []


def test_what_an_owner_granted_on_a_product_ends() -> None:
    world = World()
    world.rule(lambda s: s.accounts.end_grants_on(product(world)))
    left = {grant.grantee: grant.products for grant in world.state.accounts.grants_by(OWNER)}
    assert left == {PARTNER: (RECORDER,), REPAIR: (PLUG, RECORDER)}
    before = world.commits
    world.rule(lambda s: s.accounts.end_grants_on(product(world)))
    assert world.commits == before
    assert_reloads(world)


def test_a_role_that_is_gone_holds_nothing() -> None:
    world = World()
    accounts = world.state.accounts
    world.rule(lambda s: s.accounts.grant(OWNER, GrantKind.SPACE, STRANGER, "returns", [CAMERA]))
    assert [role.name for role in accounts.roles_of(OWNER)] == ["returns"]
    assert accounts.roles_of(STRANGER) == []
    world.rule(lambda s: s.accounts.drop_role(OWNER, "returns"))
    assert not accounts.may_unbind(STRANGER, product(world)).allowed
    for owner in (OWNER, STRANGER):
        outcome = world.rule(lambda s, owner=owner: s.accounts.drop_role(owner, "returns"))
        assert reason_of(outcome) is Reason.NOT_FOUND
    assert_reloads(world)


# --- first owners -------------------------------------------------------------------------------


def test_only_a_first_owner_is_an_origin() -> None:
    world = World()

    def grant(grantee: str, role: str, *products: str) -> object:
        return world.rule(
            lambda s: s.accounts.grant(OWNER, GrantKind.ORIGIN, grantee, role, products)
        )

    assert reason_of(grant(STRANGER, "unbind", CAMERA)) is Reason.NO_PERMISSION
    world.rule(lambda s: s.accounts.origins.note(CAMERA, STRANGER))
    assert reason_of(grant(STRANGER, "unbind", CAMERA, PLUG)) is Reason.NO_PERMISSION
    assert reason_of(grant(BUYER, "unbind", CAMERA)) is Reason.NO_PERMISSION
    assert reason_of(grant(STRANGER, "both", CAMERA)) is Reason.NOT_FOUND
    grant(STRANGER, "unbind", CAMERA)
    assert world.state.accounts.may_unbind(STRANGER, product(world)).why == "origin: unbind"
    assert not world.state.accounts.may_unbind(STRANGER, product(world, PLUG)).allowed


def test_what_comes_from_nobody_else_is_granted_to_nobody() -> None:
    world = World()
    before = world.state.accounts.grants_by(OWNER)
    world.rule(lambda s: s.accounts.grant_first_owner(OWNER, CAMERA))
    world.rule(lambda s: s.accounts.origins.note(CAMERA, OWNER))
    world.rule(lambda s: s.accounts.grant_first_owner(OWNER, CAMERA))
    assert world.state.accounts.grants_by(OWNER) == before
