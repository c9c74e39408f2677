"""Pairing by programs: tokens, their life and place, and what comes of them."""

import json
from typing import Any

import msgspec
import pytest

from fleet.cloud.homes import Member, Role
from fleet.cloud.open.pairing import offset_of
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.program import connected
from tests.cloud.open.test_logins_api import ASSET_LOGIN, ASSET_USERS, Login, asset_user
from tests.cloud.support import SETTINGS, START_MS, assert_reloads

TOKEN = "/v1.0/devices/token"
RESULT = "/v1.0/devices/tokens/"
PARING = "/v1.0/device/paring/token"
PARING_RESULT = "/v1.0/device/paring/tokens/"
REGISTRATION = "/v1.0/iot-03/device-registration/token"
REGISTRATION_RESULT = "/v1.1/iot-03/device-registration/tokens/"
OLD_REGISTRATION_RESULT = "/v1.0/iot-03/device-registration/tokens/"
CORE_RESULT = "/v2.0/cloud/thing/active/token/"

BERLIN = {"timeZoneId": "Europe/Berlin", "lon": "13.4", "lat": 52.5}
ASSET = {"pairing_type": "AP", "time_zone_id": "Asia/Shanghai", "asset_id": "77"}


def forms() -> list[Any]:
    return [
        pytest.param(TOKEN, {"uid": "uid1", **BERLIN}, id="smart home"),
        pytest.param(PARING, {"uid": "uid1", "paring_type": "EZ"}, id="paring"),
        pytest.param(PARING, {"uid": "uid1", "pairing_type": "BLE"}, id="pairing"),
        pytest.param(REGISTRATION, {**ASSET, "uid": "uid1"}, id="industry with a user"),
        pytest.param(REGISTRATION, {**ASSET, "pairing_type": "Bluetooth"}, id="industry"),
    ]


def text(token: dict[str, Any]) -> str:
    return f"{token['region']}{token['token']}{token['secret']}"


@pytest.mark.parametrize(("path", "form"), forms())
def test_a_token_pairs_a_device(path: str, form: dict[str, Any]) -> None:
    world = DevicesWorld()
    form = {**form, "asset_id": world.space()} if "asset_id" in form else form
    world.ask("DELETE", f"/v1.0/devices/{world.camera.dev_id}")
    token = world.send("POST", path, form)
    assert (token["region"], len(token["token"]), len(token["secret"])) == ("EU", 8, 4)
    for result in (RESULT, CORE_RESULT):
        found = world.get(result + token["token"])
        assert found == {"successDevices": [], "errorDevices": []}
    assert world.camera.activate(text(token)) == ""
    assert world.device().owner == form.get("uid", world.maker_uid)
    (paired,) = world.get(RESULT + token["token"])["successDevices"]
    assert paired["id"] == world.camera.dev_id
    assert_reloads(world.world)


def test_what_an_asset_user_pairs_is_in_an_asset_and_in_no_home() -> None:
    world = DevicesWorld()
    world.ask("DELETE", f"/v1.0/devices/{world.camera.dev_id}")
    world.send("POST", ASSET_USERS, asset_user())
    worker = Login(world.world)
    uid = worker.keep(worker.log_in(ASSET_LOGIN, asset_user()))["uid"]
    space = world.space()
    body = msgspec.json.encode({**ASSET, "asset_id": space})
    assert worker.code("POST", REGISTRATION, {}, body) == 1106
    world.world.rule(lambda s: s.asset_grants.grant(uid, [space]))
    token = worker.call("POST", REGISTRATION, {}, body)["result"]
    assert world.camera.activate(text(token)) == ""
    assert (world.device().owner, world.device().space, world.device().home) == (uid, space, "")
    assert world.world.state.homes.of_user(uid) == []


def test_the_place_of_a_device_is_that_of_its_token() -> None:
    world = DevicesWorld()
    world.ask("DELETE", f"/v1.0/devices/{world.camera.dev_id}")
    token = world.send("POST", TOKEN, {"uid": "uid1", **BERLIN})
    assert token.keys() == {"region", "token", "secret"}
    world.camera.activate(text(token))
    assert world.camera.granted.std_time_zone == "+01:00"
    shown = world.get(f"/v1.0/devices/{world.camera.dev_id}")
    assert (shown["time_zone"], shown["lon"], shown["lat"]) == ("+01:00", "13.4", "52.5")
    assert world.device().region == "EU"


def test_homes_and_spaces() -> None:
    world = DevicesWorld()
    home = world.home("uid0")
    second = world.home("uid0")
    space = world.space()
    for home_id in (int(second), home):
        world.ask("DELETE", f"/v1.0/devices/{world.camera.dev_id}")
        form = {"uid": "uid0", "paring_type": "AP", "home_id": home_id, "time_zone_id": "Nowhere"}
        world.camera.activate(text(world.send("POST", PARING, form)))
        shown = world.get(f"/v1.0/devices/{world.camera.dev_id}")
        assert (shown["owner_id"], shown["time_zone"]) == (str(home_id), "+00:00")
    world.ask("DELETE", f"/v1.0/devices/{world.camera.dev_id}")
    token = world.send("POST", REGISTRATION, {**ASSET, "asset_id": space})
    world.camera.activate(text(token))
    thing = world.get(f"/v2.0/cloud/thing/{world.camera.dev_id}")
    assert (thing["bind_space_id"], thing["time_zone"]) == (space, "+08:00")


def test_homes_that_are_refused() -> None:
    world = DevicesWorld()
    home = world.home("uid0")
    form = {"paring_type": "AP", "home_id": home}
    assert world.refused("POST", PARING, {**form, "uid": "uid0", "home_id": "nosuch"}) == 2501
    assert world.refused("POST", PARING, {**form, "uid": "uid1"}) == 2505
    for role, code in ((Role.MEMBER, 2508), (Role.ADMIN, 0)):
        member = Member("uid1", role.value, "Kim")
        kept = world.world.state.homes.get(home)
        assert kept is not None
        world.world.rule(lambda s, h=kept, m=member: s.homes.put_member(h, m))
        if code:
            assert world.refused("POST", PARING, {**form, "uid": "uid1"}) == code
        else:
            assert world.send("POST", PARING, {**form, "uid": "uid1"})["token"]


def test_how_long_a_token_lives() -> None:
    world = DevicesWorld(msgspec.structs.replace(SETTINGS, pair_token_life_s=100))
    for path, form, life_s in (
        (PARING, {"uid": "uid1", "paring_type": "EZ"}, 100),
        (REGISTRATION, {**ASSET, "asset_id": world.space()}, 300),
    ):
        token = world.send("POST", path, form)
        assert token.keys() == {"region", "token", "secret", "expire_time", "extension"}
        assert (token["expire_time"], token["extension"]) == (life_s, {})
        kept = world.world.state.tokens.pair_token(token["token"])
        assert kept is not None
        assert kept.expires_ms == START_MS + life_s * 1000


@pytest.mark.parametrize(
    ("path", "form", "code"),
    [
        (TOKEN, {"uid": "uid1"}, 1100),
        (TOKEN, {"timeZoneId": "x"}, 1100),
        (TOKEN, {"uid": "", "timeZoneId": "x"}, 1100),
        (TOKEN, {"uid": "nosuch", **BERLIN}, 1106),
        (PARING, {"uid": "uid1"}, 1100),
        (PARING, {"uid": "uid1", "paring_type": "smoke"}, 1109),
        (PARING, {"uid": "nosuch", "paring_type": "EZ"}, 1106),
        (PARING, {"uid": "uid1", "paring_type": "EZ", "home_id": "h" * 33}, 1101),
        (TOKEN, {"uid": "uid1", **BERLIN, "lon": "1" * 33}, 1101),
        (REGISTRATION, {"pairing_type": "EZ", "time_zone_id": "x"}, 1100),
        (REGISTRATION, {**ASSET, "pairing_type": ""}, 1100),
        (REGISTRATION, {**ASSET, "pairing_type": "smoke"}, 1109),
        (REGISTRATION, {**ASSET, "uid": "nosuch"}, 1106),
        (REGISTRATION, ASSET, 1106),
    ],
)
def test_tokens_that_are_refused(path: str, form: object, code: int) -> None:
    assert DevicesWorld().refused("POST", path, form) == code


def test_a_token_of_another_data_centre_takes_the_device_there() -> None:
    world = DevicesWorld()
    world.ask("DELETE", f"/v1.0/devices/{world.camera.dev_id}")
    app = world.world.state.users.app(region="AZ")
    world.world.rule(lambda s: s.users.register("kim", "pw", "uidaz", now_ms=START_MS, app=app))
    form = {"uid": "uidaz", **BERLIN}
    assert world.refused("POST", TOKEN, form) == 1106
    abroad = connected(world.world, prefix="/us")
    token = abroad.call("POST", TOKEN, None, json.dumps(form).encode())["result"]
    assert token["region"] == "AZ"
    world.camera.activate(text(token))
    one = f"/v1.0/devices/{world.camera.dev_id}"
    assert world.refused("GET", one) == 1106
    assert abroad.call("GET", one)["result"]["uid"] == "uidaz"


def test_zones() -> None:
    assert offset_of("Europe/Berlin", START_MS) == "+01:00"
    assert offset_of("Asia/Kolkata", START_MS) == "+05:30"
    assert offset_of("America/Los_Angeles", START_MS) == "-08:00"
    for wrong in ("", "Nowhere", "../etc/passwd", "Europe", "\0"):
        assert offset_of(wrong, START_MS) == ""
