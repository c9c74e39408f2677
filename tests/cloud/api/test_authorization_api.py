"""The console's page of authorizations, beyond what unbinding needs of it."""

from fleet.cloud.permissions import PRESET_ROLES
from tests.cloud.support import (
    CAMERA,
    OWNER,
    PARTNER,
    PLUG,
    REPAIR,
    STRANGER,
    World,
    assert_reloads,
)

GRANTS = "/console/v1/grants"
ROLES = "/console/v1/roles"


def test_a_grant_is_changed_and_counts_at_once() -> None:
    world = World()
    session = world.account(OWNER)
    grants = world.get("GET", GRANTS, None, session)
    one = next(grant for grant in grants if grant["grantee"] == PARTNER)
    path = f"{GRANTS}/{one['grant_id']}"
    changed = world.get("PUT", path, {"right": "purchase", "products": [PLUG]}, session)
    assert (changed["role"], changed["products"]) == ("purchase", [PLUG])
    seen = world.get("GET", "/console/v1/products", None, world.account(PARTNER))
    assert [(product["product_id"], product["right"]) for product in seen] == [
        (PLUG, "partner: purchase")
    ]
    assert world.refusal("PUT", path, {"role": "After sale", "products": [PLUG]}, session) == (
        "not_found"
    )
    assert world.refusal("PUT", path, {"right": "both", "products": ["x"]}, session) == (
        "no_permission"
    )
    form = {"right": "both", "products": [CAMERA]}
    assert world.refusal("PUT", path, form, world.account(STRANGER)) == "not_found"
    assert world.refusal("PUT", path, {"right": "both"}, session) == "bad_request"
    assert_reloads(world)


def test_a_member_is_given_another_role() -> None:
    world = World()
    session = world.account(OWNER)
    grants = world.get("GET", GRANTS, None, session)
    one = next(grant for grant in grants if grant["grantee"] == REPAIR)
    form = {"role": "buyer", "products": [CAMERA]}
    world.get("PUT", f"{GRANTS}/{one['grant_id']}", form, session)
    assert world.get("GET", "/console/v1/quotas", None, world.account(REPAIR))["products"] == []


def test_who_was_granted_something_by_two_sees_two_spaces() -> None:
    world = World()
    world.rule(lambda s: s.accounts.origins.note(CAMERA, REPAIR))
    session = world.account(OWNER)
    form = {"kind": "origin", "grantee": REPAIR, "right": "unbind", "products": [CAMERA]}
    world.get("POST", GRANTS, form, session)
    assert world.get("GET", "/console/v1/spaces", None, world.account(REPAIR)) == [
        {"owner": OWNER, "kind": "origin", "role": "unbind", "products": [CAMERA]},
        {
            "owner": OWNER,
            "kind": "space",
            "role": "After sale",
            "products": [CAMERA, PLUG, "recorder00000001"],
        },
    ]
    assert world.get("GET", "/console/v1/spaces", None, world.account(STRANGER)) == []
    assert world.refusal("POST", GRANTS, {**form, "grantee": PARTNER}, session) == "no_permission"


def test_roles_are_shown_and_dropped() -> None:
    world = World()
    session = world.account(OWNER)
    roles = world.get("GET", ROLES, None, session)
    assert [role["name"] for role in roles] == [*PRESET_ROLES, "returns"]
    assert roles[0] == {
        "name": "After sale",
        "preset": True,
        "permissions": ["see_device_log", "see_product", "unbind"],
    }
    assert roles[-1] == {"name": "returns", "preset": False, "permissions": ["unbind"]}
    assert world.get("DELETE", f"{ROLES}/returns", None, session) is True
    assert world.refusal("DELETE", f"{ROLES}/returns", None, session) == "not_found"
    assert world.refusal("DELETE", f"{ROLES}/buyer", None, session) == "not_found"
    assert len(world.get("GET", ROLES, None, session)) == len(PRESET_ROLES)
    assert_reloads(world)
