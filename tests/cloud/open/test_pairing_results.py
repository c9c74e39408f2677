"""What came of a token: five shapes, and who is told."""

import pytest

from fleet.cloud.reasons import Reason
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.open.program import connected
from tests.cloud.open.test_pairing import BERLIN, TOKEN, text
from tests.cloud.support import CAMERA, PLUG, FakeDevice

RESULT = "/v1.0/devices/tokens/"
PARING_RESULT = "/v1.0/device/paring/tokens/"
REGISTRATION_RESULT = "/v1.1/iot-03/device-registration/tokens/"
OLD_REGISTRATION_RESULT = "/v1.0/iot-03/device-registration/tokens/"
CORE_RESULT = "/v2.0/cloud/thing/active/token/"


def paired() -> tuple[DevicesWorld, str]:
    """Return a world with a token that bound a camera and refused one, and the token."""
    world = DevicesWorld()
    world.ask("DELETE", f"/v1.0/devices/{world.camera.dev_id}")
    token = world.send("POST", TOKEN, {"uid": "uid1", **BERLIN})
    assert FakeDevice(world.world, 1).activate(text(token), PLUG) == "PRODUCT_MISMATCH"
    world.camera.activate(text(token))
    world.online()
    return world, token["token"]


LONG = {
    "id": "bfdevice00000000000000",
    "name": "Camera",
    "lon": "13.4",
    "lat": "52.5",
    "ip": "",
    "online": True,
    "uuid": "uuid0000",
}
SHORT = {
    "device_id": "bfdevice00000000000000",
    "product_id": CAMERA,
    "category": "sp",
    "name": "Camera",
}
WORDS = "the device is not of the product it says"
SHORT_FAILURE = {
    "device_id": "bfdevice00000000000001",
    "name": "Camera",
    "code": "product_mismatch",
    "msg": WORDS,
}


def test_five_shapes_of_a_result() -> None:
    world, token = paired()
    failure = {"id": "bfdevice00000000000001", "name": "Camera"}
    camel = {
        "successDevices": [{**LONG, "productId": CAMERA}],
        "errorDevices": [{**failure, "errorCode": "product_mismatch", "errorMsg": WORDS}],
    }
    assert world.get(RESULT + token) == camel
    assert world.get(CORE_RESULT + token) == camel
    assert world.get(REGISTRATION_RESULT + token) == {
        "success_devices": [{**LONG, "product_id": CAMERA}],
        "error_devices": [{**failure, "error_code": "product_mismatch", "error_msg": WORDS}],
    }
    old = {"success_devices": [SHORT], "error_devices": [SHORT_FAILURE]}
    assert world.get(OLD_REGISTRATION_RESULT + token) == old
    assert world.send("POST", OLD_REGISTRATION_RESULT + token, {"token": token}) == old
    assert world.get(PARING_RESULT + token) == {"success": [SHORT], "failed": [SHORT_FAILURE]}


def test_a_device_nobody_knows_fails_without_id() -> None:
    world = DevicesWorld()
    token = world.send("POST", TOKEN, {"uid": "uid1", **BERLIN})["token"]
    kept = world.world.state.tokens.pair_token(token)
    assert kept is not None
    world.world.rule(lambda s: s.tokens.note_failure(kept, "ghost", Reason.DEVICE_UNKNOWN))
    (failed,) = world.get(PARING_RESULT + token)["failed"]
    assert (failed["device_id"], failed["name"]) == ("", "")


@pytest.mark.parametrize(
    "path",
    [RESULT, CORE_RESULT, PARING_RESULT, REGISTRATION_RESULT, OLD_REGISTRATION_RESULT],
)
def test_results_that_are_refused(path: str) -> None:
    world = DevicesWorld()
    assert world.refused("GET", path + "nosuch00") == 1109
    token = world.send("POST", TOKEN, {"uid": "uid1", **BERLIN})["token"]
    assert world.refused("GET", path + token, None, world.other) == 1106
    abroad = connected(world.world, prefix="/us")
    assert world.refused("GET", path + token, None, abroad) == 1109
