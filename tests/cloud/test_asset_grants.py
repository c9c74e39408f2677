"""Authorizations for assets: given, taken back, kept, and gone with the user or the space."""

import msgspec
import pytest

from fleet.cloud.asset_grants import AssetGrants
from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.reasons import Refused
from tests.cloud.support import SETTINGS, World, assert_reloads


@pytest.fixture
def grants() -> AssetGrants:
    return AssetGrants(SETTINGS, nothing, Journal())


def test_who_may_work_where(grants: AssetGrants) -> None:
    grants.grant("joe", ["b", "a", "a"])
    grants.grant("ann", ["b"])
    grants.grant("joe", ["a"])
    assert grants.of_user("joe") == ["a", "b"]
    assert grants.of_space("b") == ["ann", "joe"]
    assert [grants.holds(uid, "a") for uid in ("joe", "ann", "")] == [True, False, False]
    assert (grants.of_user("nobody"), grants.of_space("")) == ([], [])


def test_what_is_taken_back_is_taken_from_one_only(grants: AssetGrants) -> None:
    grants.grant("joe", ["a", "b"])
    grants.grant("ann", ["a"])
    grants.revoke("joe", ["a", "nowhere"])
    grants.revoke("nobody", ["a"])
    assert (grants.of_user("joe"), grants.of_space("a")) == (["b"], ["ann"])
    grants.forget_space("a")
    grants.forget_space("a")
    assert (grants.of_user("ann"), grants.of_space("a")) == ([], [])
    grants.forget_user("joe")
    assert (grants.of_user("joe"), grants.of_space("b")) == ([], [])


def test_a_user_has_not_more_than_a_project_has_spaces() -> None:
    few = msgspec.structs.replace(SETTINGS, spaces_per_project_max=2)
    grants = AssetGrants(few, nothing, Journal())
    grants.grant("joe", ["a", "b"])
    grants.grant("joe", ["b", "a"])
    with pytest.raises(Refused, match="as many assets as there can be"):
        grants.grant("joe", ["a", "c"])
    assert grants.of_user("joe") == ["a", "b"]


def test_they_are_kept() -> None:
    world = World()
    world.rule(lambda s: s.asset_grants.grant("joe", ["a", "b"]))
    world.rule(lambda s: s.asset_grants.grant("ann", ["b"]))
    world.rule(lambda s: s.asset_grants.revoke("joe", ["b"]))
    assert_reloads(world)
    assert world.load()._state.asset_grants.of_space("b") == ["ann"]
