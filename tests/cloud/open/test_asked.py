"""Which devices a call is about: by path, by list, by who may see them."""

import pytest

from fleet.cloud.devices import Device
from fleet.cloud.open import asked
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.routes import Caller, OpenCall
from fleet.cloud.rights import Action
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.program import ACCESS_ID, OTHER_ID
from tests.cloud.support import CAMERA

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
