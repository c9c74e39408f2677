"""OEM links and first owners: what is remembered, and that a link is kept like a key."""

from fleet.cloud.origins import OemLink
from tests.cloud.support import CAMERA, OWNER, PARTNER, PLUG, STRANGER, World, assert_reloads


def test_the_first_owner_stays_the_first() -> None:
    world = World()
    origins = world.state.accounts.origins
    assert origins.first_owner(CAMERA) == ""
    world.rule(lambda s: s.accounts.origins.note(CAMERA, OWNER, "older"))
    world.rule(lambda s: s.accounts.origins.note(CAMERA, STRANGER))
    assert origins.first_owner(CAMERA) == OWNER
    assert_reloads(world)


def test_links() -> None:
    world = World()
    origins = world.state.accounts.origins
    made = [
        world.rule(lambda s, one=product_id: s.accounts.origins.share(OWNER, one))
        for product_id in (PLUG, CAMERA, CAMERA)
    ]
    assert len({link.link for link in made}) == 3
    assert [link.product_id for link in origins.links_of(OWNER)] == [CAMERA, CAMERA, PLUG]
    assert origins.links_of(PARTNER) == []
    assert origins.link(made[0].link) == made[0]
    world.rule(lambda s: s.accounts.origins.unshare(made[0]))
    assert origins.link(made[0].link) is None
    world.rule(lambda s: s.accounts.origins.unshare_product(CAMERA))
    assert origins.links_of(OWNER) == []
    assert_reloads(world)


def test_product_ids_are_new_each_time() -> None:
    origins = World().state.accounts.origins
    first, second = origins.new_product_id(), origins.new_product_id()
    assert first != second
    assert {len(first), len(second)} == {16}
    assert (first + second).isalnum()


def test_a_link_is_not_shown() -> None:
    shown = repr(OemLink("hush", OWNER, CAMERA))
    assert "hush" not in shown
    assert CAMERA in shown
