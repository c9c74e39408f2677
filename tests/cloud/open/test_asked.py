"""Which devices a call is about: by path, by list, by who may see them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.devices import Device, Devices
from fleet.cloud.homes import Member
from fleet.cloud.open import asked
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Caller, OpenCall
from fleet.cloud.rights import Action
from fleet.cloud.users import App, Users
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.program import ACCESS_ID, OTHER_ID
from tests.cloud.open.test_asset_users_api import AuthorizedWorld
from tests.cloud.rights_world import PRODUCTS, give_app, live_in, project_of, world_of
from tests.cloud.rights_world import call as rights_call
from tests.cloud.support import BUYER, CAMERA, OWNER, PARTNER, REPAIR, SETTINGS, STRANGER

IDS = [f"bfdevice{n:014}" for n in range(4)]


def call(
    world: DevicesWorld, access_id: str = ACCESS_ID, uid: str = "", region: str = "EU", **query: str
) -> OpenCall:
    project = world.world.state.projects.get(access_id)
    assert project is not None
    return OpenCall(
        state=world.world.state,
        link=world.world.cloud._link,
        caller=Caller(project, region, uid),
        path={"device_id": IDS[0]},
        query=query,
        body=b"",
        now_ms=world.world.now_ms,
    )


def ids(devices: object) -> list[str]:
    return [one.dev_id for one in devices]  # type: ignore[attr-defined]


def test_one_and_several() -> None:
    world = DevicesWorld()
    assert asked.device(call(world), Action.SEE) == world.device()
    several = call(world, device_ids=f"{IDS[2]},{IDS[0]},{IDS[2]}")
    assert ids(asked.devices(several, Action.SEE, 2)) == [IDS[2], IDS[0]]
    product = asked.product(call(world), world.device())
    assert product is not None
    assert product.product_id == CAMERA
    for wrong in (call(world, OTHER_ID), call(world, region="AZ")):
        with pytest.raises(OpenRefused) as refused:
            asked.device(wrong, Action.SEE)
        assert refused.value.code is Code.PERMISSION_DENY


def test_what_the_caller_may_see() -> None:
    world = DevicesWorld()
    assert ids(asked.visible(call(world))) == IDS
    assert ids(asked.visible(call(world), IDS[1])) == IDS[2:]
    assert ids(asked.visible(call(world, region="AZ"))) == []
    assert ids(asked.visible(call(world, OTHER_ID))) == []
    assert ids(asked.visible(call(world, OTHER_ID, uid="uid1"))) == [IDS[1]]


@given(
    owners=st.lists(
        st.sampled_from(["uid0", "uid1", "uid2", "joe", "key-stranger", ""]), max_size=8
    ),
    products=st.lists(st.sampled_from([*PRODUCTS, "nosuch"]), min_size=8, max_size=8),
    regions=st.lists(st.sampled_from(["", "EU", "AZ"]), min_size=8, max_size=8),
    account=st.sampled_from([OWNER, PARTNER, REPAIR, BUYER, STRANGER]),
    uid=st.sampled_from(["", "uid0", "uid1", "uid2", "joe"]),
    schemas=st.sets(st.sampled_from(["app", "other"])),
    in_space=st.sets(st.integers(0, 7)),
    grants=st.booleans(),
    authorized=st.booleans(),
    after=st.integers(-1, 7),
)
def test_who_may_see_few_is_shown_what_a_walk_through_all_finds(
    *,
    owners: list[str],
    products: list[str],
    regions: list[str],
    account: str,
    uid: str,
    schemas: set[str],
    in_space: set[int],
    grants: bool,
    authorized: bool,
    after: int,
) -> None:
    world = world_of(msgspec.structs.replace(SETTINGS, open_grantee_projects=grants))
    give_app(world, account, *schemas)
    live_in(world, "uid0", Member("uid1", "member", "Ann"))
    project = project_of(world, account)
    app = App("EU", project.asset_app)
    world.rule(lambda s: s.users.register("joe", "x", "joe", now_ms=1, app=app))
    space = world.rule(lambda s: s.spaces.make(project.access_id, "EU", "Hall", 1))
    if authorized:
        world.rule(lambda s: s.asset_grants.grant("joe", [space.space_id]))
    for number, owner in enumerate(owners):
        device = Device(
            f"more{number}",
            "k",
            products[number],
            dev_id=f"bf{number}",
            owner=project.uid if owner == "key-stranger" else owner,
            region=regions[number],
            space=space.space_id if number in in_space else "",
        )
        world.rule(lambda s, device=device: s.devices.add(device))
    asking = rights_call(world, account, uid=uid)
    found = ids(asked.visible(asking, f"bf{after}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asked, "ASKED_MAX", -1)
        assert ids(asked.visible(asking, f"bf{after}")) == found


def test_few_are_found_without_looking_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(*_: object) -> None:
        raise AssertionError("looked at all devices")

    world = DevicesWorld()
    monkeypatch.setattr(Devices, "after", all_of_them)
    assert ids(asked.visible(call(world, OTHER_ID, uid="uid1"))) == [IDS[1]]
    assert ids(asked.visible(call(world, OTHER_ID))) == []


def test_of_many_the_first_are_found_without_gathering_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = DevicesWorld()
    monkeypatch.setattr(asked, "ASKED_MAX", 3)
    monkeypatch.setattr(asked, "_claimable", None)
    with pytest.MonkeyPatch.context() as few_users:
        few_users.setattr(Users, "count", lambda *_: 0)
        assert ids(asked.visible(call(world))) == IDS
    monkeypatch.setattr(Devices, "owned_by", None)  # so many users that none is looked at
    assert ids(asked.visible(call(world))) == IDS


def test_devices_of_a_user() -> None:
    world = DevicesWorld()
    assert ids(asked.of_user(call(world), "uid1")) == [IDS[1]]
    assert ids(asked.of_user(call(world, OTHER_ID, uid="uid1"), "uid1")) == [IDS[1]]
    with pytest.raises(OpenRefused):
        asked.of_user(call(world, OTHER_ID), "uid1")


def test_spaces_are_a_projects_own() -> None:
    world = DevicesWorld()
    own, foreign = world.space(), world.space(OTHER_ID)
    assert asked.space(call(world), own).space_id == own
    assert asked.of_space(call(world), own) == []
    for wrong in (foreign, "nosuch", ""):
        with pytest.raises(OpenRefused) as refused:
            asked.space(call(world), wrong)
        assert refused.value.code is Code.PERMISSION_DENY


def test_for_an_asset_user_there_are_only_those_authorized() -> None:
    world = AuthorizedWorld()
    joe = call(world, uid=world.uid)
    with pytest.raises(OpenRefused):
        asked.space(joe, world.hall)
    world.act("batch-assets-authorized", {"asset_ids": world.hall})
    assert asked.space(joe, world.hall).space_id == world.hall
    assert ids(asked.of_space(joe, world.hall)) == ids(asked.visible(joe)) == [IDS[0]]


def test_devices_of_an_app() -> None:
    world = DevicesWorld()
    assert ids(asked.of_app(call(world), "fleet")) == IDS
    for access_id, schema, code in (
        (OTHER_ID, "fleet", Code.PERMISSION_DENY),
        (ACCESS_ID, "nosuch", Code.SCHEMA_NOT_EXIST),
    ):
        with pytest.raises(OpenRefused) as refused:
            asked.of_app(call(world, access_id), schema)
        assert refused.value.code is code


def test_devices_of_whom_the_caller_knows() -> None:
    world = DevicesWorld()
    nobodys = Device("x", "k", CAMERA, dev_id="bfx", owner="nobody")
    world.world.rule(lambda s: s.devices.add(nobodys))
    assert ids(asked.visible(call(world))) == [*IDS, "bfx"]
    assert ids(asked.associated(call(world))) == IDS
    assert ids(asked.associated(call(world, OTHER_ID))) == []
    assert ids(asked.associated(call(world, OTHER_ID, uid="uid2"))) == [IDS[2]]


def test_pages() -> None:
    devices = list(DevicesWorld().world.state.devices.after(""))
    first = asked.page(reversed(devices), "", 3)
    assert (ids(first.devices), first.has_more, first.total) == (IDS[:3], True, 4)
    rest = asked.page(devices, first.last_row_key, 3)
    assert (ids(rest.devices), rest.has_more, rest.last_row_key) == (IDS[3:], False, "")
    exact = asked.page(devices, "", 4)
    assert (exact.has_more, exact.last_row_key) == (False, "")
    assert asked.page([], "", 3).devices == []
