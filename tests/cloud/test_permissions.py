"""The decision of who may do what, against a naive model that reads like the rules."""

from hypothesis import given
from hypothesis import strategies as st

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

ACCOUNTS = ("ann", "bob", "eve")
PRODUCTS = ("p1", "p2")
NO_ROLES: dict[str, frozenset[Permission]] = {}

UNBINDING_ROLES = {"After sale", "Administrators"}
UNBINDING_RIGHTS = {"development", "both"}

grants = st.builds(
    Grant,
    grant_id=st.text("ab", min_size=1, max_size=3),
    kind=st.sampled_from([kind.value for kind in GrantKind]),
    owner=st.sampled_from(ACCOUNTS),
    grantee=st.sampled_from(ACCOUNTS),
    role=st.sampled_from([*PARTNER_RIGHTS, *PRESET_ROLES, *ORIGIN_RIGHTS, "returns", "gone"]),
    products=st.lists(st.sampled_from(PRODUCTS), unique=True).map(tuple),
)
custom_roles = st.dictionaries(
    st.sampled_from(["returns", "buyer"]),
    st.frozensets(st.sampled_from(list(Permission))),
)


@given(
    account=st.sampled_from(ACCOUNTS),
    owner=st.sampled_from(ACCOUNTS),
    product=st.sampled_from(PRODUCTS),
    given_grants=st.lists(grants, max_size=6),
    roles=custom_roles,
)
def test_unbinding_is_for_owner_development_partner_and_the_right_roles(
    account: str,
    owner: str,
    product: str,
    given_grants: list[Grant],
    roles: dict[str, frozenset[Permission]],
) -> None:
    def allows(grant: Grant) -> bool:
        if (grant.owner, grant.grantee) != (owner, account) or product not in grant.products:
            return False
        if grant.kind == "partner":
            return grant.role in UNBINDING_RIGHTS
        if grant.kind == "origin":
            return grant.role == "unbind"
        custom = grant.role == "returns" and Permission.UNBIND in roles.get("returns", ())
        return grant.role in UNBINDING_ROLES or custom

    expected = account == owner or any(allows(grant) for grant in given_grants)
    decision = decide(Permission.UNBIND, account, product, owner, given_grants, roles)
    assert decision.allowed is expected
    assert decision.why


def grant(kind: str, role: str, *products: str) -> Grant:
    return Grant("g", kind, "ann", "bob", role, products)


def ask(*given_grants: Grant, product: str = "p1") -> Decision:
    return decide(Permission.UNBIND, "bob", product, "ann", given_grants, NO_ROLES)


def test_it_says_why() -> None:
    assert decide(Permission.ORDER, "ann", "p1", "ann", (), NO_ROLES).why == "owner"
    assert ask(grant("space", "After sale", "p1")).why == "space: After sale"
    assert ask().why == "no grant of the product's owner"
    assert ask(grant("space", "After sale", "p2")).why == (
        "the product is not among the granted ones"
    )
    assert ask(grant("partner", "purchase", "p1")).why == "partner purchase does not hold unbind"


def test_a_partner_right_is_not_a_role_and_the_other_way_round() -> None:
    assert not ask(grant("partner", "After sale", "p1")).allowed
    assert not ask(grant("space", "development", "p1")).allowed


def test_an_origin_holds_unbinding_and_nothing_else() -> None:
    assert held(grant("origin", "unbind", "p1"), NO_ROLES) == {Permission.UNBIND}
    assert held(grant("origin", "development", "p1"), NO_ROLES) == frozenset()
    assert held(grant("space", "unbind", "p1"), NO_ROLES) == frozenset()


def test_a_preset_role_cannot_be_redefined() -> None:
    wide = {"buyer": frozenset(Permission)}
    assert held(grant("space", "buyer", "p1"), wide) == PRESET_ROLES["buyer"]


def test_exactly_two_preset_roles_and_two_rights_hold_unbinding() -> None:
    def holding(table: dict[str, frozenset[Permission]]) -> set[str]:
        return {name for name, permissions in table.items() if Permission.UNBIND in permissions}

    assert holding(dict(PRESET_ROLES)) == UNBINDING_ROLES
    assert holding(dict(PARTNER_RIGHTS)) == UNBINDING_RIGHTS
