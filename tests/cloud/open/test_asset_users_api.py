"""Authorizing asset users for assets: all or one, with children or without, seen and taken back."""

from typing import Any

import msgspec
import pytest

from tests.cloud.open.program import OTHER_ID, Program
from tests.cloud.open.test_assets_api import AssetsWorld
from tests.cloud.open.test_logins_api import ASSET_LOGIN, ASSET_USERS, Login, asset_user
from tests.cloud.support import assert_reloads

AUTHORIZE = "/v1.0/iot-03/assets/actions/user-authorized"
OWN = "/v1.0/iot-03/users/assets"


class AuthorizedWorld(AssetsWorld):
    """A house with a hall, and an asset user who may work in neither so far."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.uid = self.send("POST", ASSET_USERS, asset_user())["user_id"]

    def path(self, action: str, uid: str = "") -> str:
        return f"/v1.0/iot-03/users/{uid or self.uid}/{action}"

    def act(self, action: str, form: dict[str, Any]) -> Any:
        return self.send("POST", self.path(f"actions/{action}"), form)

    def may_enter(self) -> list[str]:
        return self.world.state.asset_grants.of_user(self.uid)

    def program(self) -> Login:
        """Return a program that the asset user has logged in to."""
        program = Login(self.world)
        program.keep(program.log_in(ASSET_LOGIN, asset_user()))
        return program


@pytest.mark.parametrize("children", [False, True, "false", "true"])
@pytest.mark.parametrize(
    "spelling", [("asset_id", "authorized_children"), ("assetId", "authorizedChildren")]
)
def test_a_user_is_authorized_for_an_asset(
    spelling: tuple[str, str], *, children: bool | str
) -> None:
    world = AuthorizedWorld()
    form = {"uid": world.uid, spelling[0]: world.house, spelling[1]: children}
    assert world.send("POST", AUTHORIZE, form) is True
    both = children in (True, "true")
    assert world.may_enter() == sorted([world.house, *([world.hall] if both else [])])
    assert_reloads(world.world)
    form.pop("uid")
    assert world.act("assets-unauthorized", form) is True
    assert world.may_enter() == []
    assert world.act("assets-unauthorized", form) is True


def test_a_user_is_authorized_for_several_assets() -> None:
    world = AuthorizedWorld()
    garage = world.place("Garage")
    form = {"asset_ids": f"{garage},{world.house},{garage}"}
    assert world.act("batch-assets-authorized", {**form, "authorized_children": True}) is True
    assert world.may_enter() == sorted([garage, world.house, world.hall])
    form = {"assetIds": f"{garage},{world.hall}"}
    assert world.act("batch-assets-unauthorized", form) is True
    assert world.may_enter() == [world.house]


def test_children_that_come_later_are_not_authorized() -> None:
    world = AuthorizedWorld()
    world.act("batch-assets-authorized", {"asset_ids": world.house, "authorized_children": True})
    world.place("Attic", world.house)
    assert world.may_enter() == sorted([world.house, world.hall])


@pytest.mark.parametrize(
    ("action", "form", "code"),
    [
        ("batch-assets-authorized", {}, 1100),
        ("batch-assets-authorized", {"asset_ids": ","}, 1100),
        ("batch-assets-authorized", {"asset_ids": ",".join(map(str, range(101)))}, 1101),
        ("batch-assets-authorized", {"asset_ids": "x" * 2_201}, 1101),
        ("batch-assets-authorized", {"asset_ids": 7}, 1109),
        ("batch-assets-authorized", {"asset_ids": "1", "authorized_children": "maybe"}, 1109),
        ("batch-assets-unauthorized", {"asset_ids": "nosuch"}, 1106),
        ("assets-unauthorized", {}, 1100),
        ("assets-unauthorized", {"asset_id": "nosuch"}, 1106),
    ],
)
def test_what_names_no_assets(action: str, form: dict[str, Any], code: int) -> None:
    world = AuthorizedWorld()
    assert world.refused("POST", world.path(f"actions/{action}"), form) == code
    whole = {"uid": world.uid, **form}
    if "asset_ids" not in form:
        assert world.refused("POST", AUTHORIZE, whole) == code


def test_only_the_project_authorizes_and_its_own_only() -> None:
    world = AuthorizedWorld()
    form = {"asset_id": world.hall}
    theirs = world.space(OTHER_ID)
    foreign = msgspec.json.encode({"uid": world.uid, "asset_id": theirs})
    assert world.other.code("POST", AUTHORIZE, None, foreign) == 1106
    assert world.refused("POST", AUTHORIZE, {"uid": world.uid, "asset_id": theirs}) == 1106
    for uid in ("uid0", "nobody", world.maker_uid):
        assert world.refused("POST", AUTHORIZE, {"uid": uid, **form}) == 1106
        assert world.refused("GET", world.path("assets", uid)) == 1106
    world.send("POST", AUTHORIZE, {"uid": world.uid, "asset_id": world.house})
    body = msgspec.json.encode({"uid": world.uid, **form})
    worker = world.program()
    assert worker.code("POST", AUTHORIZE, None, body) == 1106
    assert worker.code("GET", world.path("assets")) == 1106
    assert world.may_enter() == [world.house]


def test_the_assets_of_a_user_come_in_pages() -> None:
    world = AuthorizedWorld()
    world.act("batch-assets-authorized", {"asset_ids": world.house, "authorized_children": True})
    page = world.get(world.path("assets"))
    assert (page["has_more"], page["total"]) == (False, 2)
    hall = {
        "asset_id": world.hall,
        "parent_asset_id": world.house,
        "asset_name": "Hall",
        "level": 1,
    }
    assert hall in page["list"]
    pages = [world.get(world.path("assets"), page_no=number, page_size=1) for number in (1, 2, 3)]
    assert [one["has_more"] for one in pages] == [True, False, False]
    assert [row for one in pages for row in one["list"]] == page["list"]
    for wrong in ({"page_no": 0}, {"page_size": 101}):
        assert world.refused("GET", world.path("assets"), None, **wrong) == 1101


def below(program: Program, **query: str) -> dict[str, Any]:
    result: dict[str, Any] = program.call("GET", OWN, query)["result"]
    return result


def test_a_user_sees_the_own_assets_with_the_number_of_devices() -> None:
    world = AuthorizedWorld()
    worker = world.program()
    assert below(worker)["assets"] == []
    world.act("batch-assets-authorized", {"asset_ids": world.hall})
    hall = {
        "asset_id": world.hall,
        "asset_name": "Hall",
        "parent_asset_id": world.house,
        "permission": "all",
        "current_asset_device_num": 1,
    }
    assert below(worker) == {"project_name": "own", "has_more": False, "assets": [hall]}
    world.act("batch-assets-authorized", {"asset_ids": world.house})
    assert [one["asset_name"] for one in below(worker)["assets"]] == ["House"]
    assert below(worker, parent_asset_id=world.house)["assets"] == [hall]
    garage = world.place("Garage")
    assert worker.code("GET", OWN, {"parent_asset_id": garage}) == 1106
    world.act("batch-assets-authorized", {"asset_ids": garage})
    first = below(worker, page_size="1")
    assert (first["has_more"], len(first["assets"])) == (True, 1)
    assert not below(worker, page_size="1", page_no="2")["has_more"]


def test_the_project_itself_sees_its_whole_tree() -> None:
    world = AuthorizedWorld()
    assert [one["asset_id"] for one in world.get(OWN)["assets"]] == [world.house]


def test_with_the_space_goes_the_authorization() -> None:
    world = AuthorizedWorld()
    world.act("batch-assets-authorized", {"asset_ids": world.house, "authorized_children": True})
    assert world.ask("DELETE", f"/v2.0/cloud/space/{world.hall}") is True
    assert world.may_enter() == [world.house]
    assert_reloads(world.world)
