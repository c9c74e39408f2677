"""Passing products on, call by call."""

from fleet.cloud.api.handover_api import LinkView
from tests.cloud.support import BUYER, CAMERA, OWNER, STRANGER, World, assert_reloads

LINKS = "/console/v1/oem-links"
TRANSFER = f"/console/v1/products/{CAMERA}/transfer"


def test_a_link_is_made_accepted_and_revoked() -> None:
    world = World()
    maker, brand = world.account(OWNER), world.account(STRANGER)
    link = world.get("POST", LINKS, {"product_id": CAMERA}, maker)
    assert link["product_id"] == CAMERA
    assert world.get("GET", LINKS, None, maker) == [link]
    assert world.get("GET", LINKS, None, brand) == []
    path = f"{LINKS}/{link['link']}"
    handed = world.get("POST", f"{path}/accept", None, brand)
    own_id = handed.pop("product_id")
    assert handed == {"name": "Camera", "owner": STRANGER, "first_owner": OWNER}
    products = world.get("GET", "/console/v1/products", None, brand)
    assert [product["product_id"] for product in products] == [own_id]
    (grant,) = world.get("GET", "/console/v1/grants", None, brand)
    assert (grant["kind"], grant["grantee"], grant["products"]) == ("origin", OWNER, [own_id])
    quotas = world.get("GET", "/console/v1/quotas", None, maker)
    assert own_id in [product["product_id"] for product in quotas["products"]]
    world.get("DELETE", f"/console/v1/grants/{grant['grant_id']}", None, brand)
    quotas = world.get("GET", "/console/v1/quotas", None, maker)
    assert own_id not in [product["product_id"] for product in quotas["products"]]
    assert world.refusal("DELETE", path, None, brand) == "not_found"
    assert world.get("DELETE", path, None, maker) is True
    assert world.refusal("POST", f"{path}/accept", None, world.account(BUYER)) == "not_found"
    assert_reloads(world)


def test_links_of_others_and_own_ones() -> None:
    world = World()
    maker = world.account(OWNER)
    assert world.refusal("POST", LINKS, {"product_id": CAMERA}, world.account(BUYER)) == (
        "no_permission"
    )
    assert world.refusal("POST", LINKS, {}, maker) == "bad_request"
    assert world.refusal("POST", LINKS, {"product_id": CAMERA}) == "no_session"
    link = world.get("POST", LINKS, {"product_id": CAMERA}, maker)["link"]
    assert world.refusal("POST", f"{LINKS}/{link}/accept", None, maker) == "no_permission"


def test_a_transfer_and_a_copy() -> None:
    world = World()
    maker = world.account(OWNER)
    copy = world.get("POST", TRANSFER, {"to": BUYER, "copy": True}, maker)
    assert (copy["owner"], copy["first_owner"]) == (BUYER, OWNER)
    assert copy["product_id"] != CAMERA
    assert world.get("POST", TRANSFER, {"to": STRANGER}, maker) == {
        "product_id": CAMERA,
        "name": "Camera",
        "owner": STRANGER,
        "first_owner": OWNER,
    }
    assert world.refusal("POST", TRANSFER, {"to": BUYER}, maker) == "no_permission"
    assert world.refusal("POST", TRANSFER, {"to": "nobody"}, world.account(STRANGER)) == "not_found"
    assert_reloads(world)


def test_a_link_is_not_shown() -> None:
    assert "hush" not in repr(LinkView("hush", CAMERA))
