"""How products are passed on, and who may unbind their devices before and after."""

from typing import Any

import msgspec
import pytest

from fleet.cloud import handover
from fleet.cloud.permissions import GrantKind
from fleet.cloud.products import Product
from fleet.cloud.reasons import Reason, Refused
from tests.cloud.support import (
    BUYER,
    CAMERA,
    OWNER,
    PARTNER,
    PLUG,
    REPAIR,
    SETTINGS,
    STRANGER,
    World,
    assert_reloads,
)

EVERYBODY = (OWNER, PARTNER, REPAIR, BUYER, STRANGER)


def world_of(**choices: Any) -> World:
    return World(msgspec.structs.replace(SETTINGS, **choices))


def product(world: World, product_id: str = CAMERA) -> Product:
    found = world.state.products.get(product_id)
    assert found is not None
    return found


def unbinders(world: World, product_id: str = CAMERA) -> dict[str, str]:
    """Return who may unbind devices of a product, and by what."""
    of = product(world, product_id)
    told = {who: world.state.accounts.may_unbind(who, of) for who in EVERYBODY}
    return {who: decision.why for who, decision in told.items() if decision.allowed}


def reason(outcome: object) -> Reason:
    assert isinstance(outcome, Refused)
    return outcome.reason


def link_to(world: World, product_id: str = CAMERA, owner: str = OWNER) -> str:
    text: str = world.rule(handover.share, owner, product_id).link
    return text


# --- OEM links ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["2022", "2024"])
def test_who_shared_the_link_may_unbind_until_the_new_owner_says_no(rule: str) -> None:
    world = world_of(pid_transfer_rule=rule)
    copy = world.rule(handover.accept, STRANGER, link_to(world))
    assert copy.product_id != CAMERA
    assert msgspec.structs.replace(product(world), product_id="", owner="") == (
        msgspec.structs.replace(copy, product_id="", owner="")
    )
    assert unbinders(world, copy.product_id) == {STRANGER: "owner", OWNER: "origin: unbind"}
    assert unbinders(world) == {
        OWNER: "owner",
        PARTNER: "partner: development",
        REPAIR: "space: After sale",
    }
    (grant,) = world.state.accounts.grants_by(STRANGER)
    world.rule(lambda s: s.accounts.revoke(STRANGER, grant.grant_id))
    assert unbinders(world, copy.product_id) == {STRANGER: "owner"}
    assert_reloads(world)


def test_a_link_serves_until_it_is_revoked() -> None:
    world = world_of()
    link = link_to(world)
    copies = {world.rule(handover.accept, who, link).product_id for who in (STRANGER, STRANGER)}
    assert len(copies) == 2
    assert reason(world.rule(handover.revoke, STRANGER, link)) is Reason.NOT_FOUND
    assert world.rule(handover.revoke, OWNER, link) is None
    assert reason(world.rule(handover.revoke, OWNER, link)) is Reason.NOT_FOUND
    assert reason(world.rule(handover.accept, BUYER, link)) is Reason.NOT_FOUND
    assert all(unbinders(world, copy) for copy in copies)
    assert_reloads(world)


def test_who_shares_on_is_the_first_owner_of_what_comes_of_it() -> None:
    world = world_of()
    copy = world.rule(handover.accept, BUYER, link_to(world)).product_id
    again = world.rule(handover.accept, STRANGER, link_to(world, copy, BUYER)).product_id
    assert unbinders(world, again) == {STRANGER: "owner", BUYER: "origin: unbind"}


def test_links_that_are_refused() -> None:
    world = world_of(products_per_owner_max=1, oem_links_per_owner_max=1)
    assert reason(world.rule(handover.share, PARTNER, CAMERA)) is Reason.NO_PERMISSION
    assert reason(world.rule(handover.share, OWNER, "nosuch")) is Reason.NO_PERMISSION
    link = link_to(world)
    assert reason(world.rule(handover.share, OWNER, PLUG)) is Reason.TOO_MANY
    assert reason(world.rule(handover.accept, OWNER, link)) is Reason.NO_PERMISSION
    assert world.rule(handover.accept, STRANGER, link).owner == STRANGER
    assert reason(world.rule(handover.accept, STRANGER, link)) is Reason.TOO_MANY


# --- transfers ----------------------------------------------------------------------------------


def test_since_2024_the_first_owner_may_unbind_what_it_handed_over() -> None:
    world = world_of()
    link = link_to(world)
    handed = world.rule(handover.transfer, OWNER, CAMERA, STRANGER, copy=False)
    assert (handed.product_id, handed.owner) == (CAMERA, STRANGER)
    assert unbinders(world) == {STRANGER: "owner", OWNER: "origin: unbind"}
    assert world.state.accounts.origins.links_of(OWNER) == []
    assert reason(world.rule(handover.accept, BUYER, link)) is Reason.NOT_FOUND
    world.rule(handover.transfer, STRANGER, CAMERA, BUYER, copy=False)
    assert unbinders(world) == {BUYER: "owner", OWNER: "origin: unbind"}
    world.rule(handover.transfer, BUYER, CAMERA, OWNER, copy=False)
    assert unbinders(world) == {OWNER: "owner"}
    assert_reloads(world)


def test_in_2022_the_first_owner_could_be_granted_it() -> None:
    world = world_of(pid_transfer_rule="2022")
    world.rule(handover.transfer, OWNER, CAMERA, STRANGER, copy=False)
    assert unbinders(world) == {STRANGER: "owner"}
    world.rule(lambda s: s.accounts.grant(STRANGER, GrantKind.ORIGIN, OWNER, "unbind", [CAMERA]))
    assert unbinders(world) == {STRANGER: "owner", OWNER: "origin: unbind"}


@pytest.mark.parametrize(("rule", "others"), [("2022", {}), ("2024", {OWNER: "origin: unbind"})])
def test_a_copy_leaves_the_product_where_it_is(rule: str, others: dict[str, str]) -> None:
    world = world_of(pid_transfer_rule=rule)
    before = unbinders(world)
    copy = world.rule(handover.transfer, OWNER, CAMERA, STRANGER, copy=True)
    assert unbinders(world) == before
    assert unbinders(world, copy.product_id) == {STRANGER: "owner", **others}
    again = world.rule(handover.transfer, STRANGER, copy.product_id, BUYER, copy=True)
    assert unbinders(world, again.product_id) == {BUYER: "owner", **others}
    assert world.state.accounts.origins.first_owner(again.product_id) == OWNER
    assert_reloads(world)


def test_rights_of_a_former_owner_do_not_come_back_with_the_product() -> None:
    world = world_of(pid_transfer_rule="2022")
    world.rule(handover.transfer, OWNER, CAMERA, STRANGER, copy=False)
    world.rule(handover.transfer, STRANGER, CAMERA, OWNER, copy=False)
    assert unbinders(world) == {OWNER: "owner"}


def test_transfers_that_are_refused() -> None:
    world = world_of(products_per_owner_max=1)

    def refusal(owner: str, product_id: str, to: str) -> Reason:
        return reason(world.rule(handover.transfer, owner, product_id, to, copy=False))

    assert refusal(PARTNER, CAMERA, STRANGER) is Reason.NO_PERMISSION
    assert refusal(OWNER, "nosuch", STRANGER) is Reason.NO_PERMISSION
    assert refusal(OWNER, CAMERA, OWNER) is Reason.NOT_FOUND
    assert refusal(OWNER, CAMERA, "nobody") is Reason.NOT_FOUND
    world.rule(handover.transfer, OWNER, CAMERA, STRANGER, copy=False)
    assert refusal(OWNER, PLUG, STRANGER) is Reason.TOO_MANY
