"""Who hears what: projects by product, app and authorization, in the right data centre."""

from typing import Any

import msgspec
import pytest

from fleet.cloud import push
from fleet.cloud.messages import PushRaised
from fleet.cloud.push_audience import audience, centre_of
from fleet.cloud.state import State
from fleet.cloud.users import App
from tests.cloud.support import OWNER, STRANGER, World

APP = "their-app"


@pytest.fixture
def world() -> World:
    """Return a cloud in which the maker has a project, and a stranger one with an app."""
    world = World()
    world.rule(lambda state: state.projects.add(OWNER, "own", access_id="own"))
    world.rule(lambda state: state.projects.add(STRANGER, "app", access_id="app", schemas=(APP,)))
    return world


def register(world: World, uid: str, region: str = "EU") -> None:
    world.rule(
        lambda state: state.users.register(
            f"name of {uid}", "pw", uid, now_ms=world.now_ms, app=App(region, APP)
        )
    )


def device(state: State, **changes: Any) -> Any:
    """Change the first device; return it."""
    before = state.devices.get("uuid0000")
    assert before is not None
    return state.devices.add(msgspec.structs.replace(before, **changes))


def heard(world: World, raised: PushRaised) -> list[str]:
    return [project.access_id for project in audience(world.state, raised, world.now_ms)]


def test_the_products_owner_hears_of_its_devices(world: World) -> None:
    one = world.rule(device)
    assert heard(world, push.presence(one, 5, online=True)) == ["own"]
    assert heard(world, push.deleted(one)) == ["own"]


def test_the_app_hears_of_its_users_devices_up_to_the_last_message(world: World) -> None:
    register(world, "their-user")
    one = world.rule(device, owner="their-user")
    assert heard(world, push.bound(one)) == ["app", "own"]
    world.rule(device, owner="", region="AZ")
    assert heard(world, push.deleted(one)) == ["app", "own"]
    assert centre_of(world.state, push.deleted(one)) == "EU"
    user = world.state.users.get("their-user")
    assert user is not None
    world.rule(lambda state: state.users.remove(user))
    assert heard(world, push.deleted(one)) == ["own"]
    assert heard(world, push.deleted(one, APP)) == ["app", "own"]


def test_of_what_is_nobodys_nobody_hears(world: World) -> None:
    assert heard(world, push.presence(world.rule(device, owner=""), 5, online=False)) == []


def test_who_was_authorized_hears(world: World) -> None:
    code = world.rule(lambda state: state.open_tokens.consent("app", "uid0", world.now_ms))
    world.rule(lambda state: state.open_tokens.redeem("app", "EU", code.code, world.now_ms))
    assert heard(world, push.presence(world.rule(device), 5, online=True)) == ["app", "own"]


def test_users_are_the_apps_business_only(world: World) -> None:
    register(world, "their-user")
    assert heard(world, push.user_registered("their-user", APP, 5)) == ["app"]
    assert heard(world, push.home_changed("homeCreate", "1", "n", "their-user", APP, 5)) == ["app"]
    assert heard(world, push.user_registered("uid0", "fleet", 5)) == []
    assert heard(world, push.user_deleted("nobody", APP, "", 5)) == ["app"]


def test_a_data_centre_has_to_be_enabled(world: World) -> None:
    for name in ("own", "app"):
        project = world.state.projects.get(name)
        assert project is not None
        enabled = msgspec.structs.replace(project, regions=("AZ",))
        world.rule(lambda state, enabled=enabled: state.projects.put(enabled))
    assert heard(world, push.presence(world.rule(device), 5, online=True)) == []
    western = world.rule(device, region="AZ")
    assert heard(world, push.presence(western, 5, online=True)) == ["own"]
    assert heard(world, push.user_deleted("nobody", APP, "EU", 5)) == []
    assert heard(world, push.user_deleted("nobody", APP, "AZ", 5)) == ["app"]


@pytest.mark.parametrize(
    ("region", "centre"), [("", "EU"), ("AZ", "AZ"), ("UE", "AZ"), ("WE", "EU")]
)
def test_the_push_host_is_the_data_centres(world: World, region: str, centre: str) -> None:
    one = world.rule(device, region=region)
    assert centre_of(world.state, push.presence(one, 5, online=True)) == centre
    assert centre_of(world.state, push.user_deleted("nobody", APP, region, 5)) == centre
    register(world, "their-user", region or "EU")
    assert centre_of(world.state, push.user_updated("their-user", APP, 5)) == centre
