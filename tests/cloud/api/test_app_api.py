"""The consumer app's API, call by call."""

from fleet.cloud.api import app_api
from tests.cloud.support import CAMERA, START_MS, FakeDevice, World, assert_reloads


def test_register_and_log_in() -> None:
    world = World()
    form = {"name": "Ada", "password": "secret"}
    uid = world.get("POST", "/app/v1/register", form)["uid"]
    assert [(push.biz_code, push.uid, push.schema) for push in world.pushes] == [
        ("userRegister", uid, "fleet")
    ]
    assert world.refusal("POST", "/app/v1/register", form) == "name_taken"
    login = world.get("POST", "/app/v1/login", form)
    assert login["uid"] == uid
    assert world.get("GET", "/app/v1/devices", None, login["session"]) == []
    wrong = {"name": "Ada", "password": "x"}
    assert world.refusal("POST", "/app/v1/login", wrong) == "bad_login"
    assert_reloads(world)


def test_who_tries_passwords_has_to_wait() -> None:
    world = World()
    world.get("POST", "/app/v1/register", {"name": "Ada", "password": "secret"})
    wrong = {"name": "Ada", "password": "guess"}
    free = world.state.settings.wrong_passwords_free
    said = [world.refusal("POST", "/app/v1/login", wrong) for _ in range(free + 1)]
    assert said == ["bad_login"] * free + ["too_many"]
    right = {"name": "Ada", "password": "secret"}
    assert world.refusal("POST", "/app/v1/login", right) == "too_many"
    world.now_ms += 1_000
    assert world.get("POST", "/app/v1/login", right)["session"]


def test_a_pairing_token_and_what_came_of_it() -> None:
    world = World()
    session = world.consumer(0)
    ticket = world.get("POST", "/app/v1/pair-tokens", {}, session)
    assert ticket["expires_ms"] == START_MS + 600_000
    target = f"/app/v1/pair-tokens/{ticket['token']}"
    assert world.get("GET", target, None, session) == {"success": [], "failed": []}
    other = world.consumer(1)
    assert world.refusal("GET", target, None, other) == "not_found"
    wrong_region = target.replace("/EU", "/AY")
    assert world.refusal("GET", wrong_region, None, session) == "not_found"
    assert world.refusal("GET", "/app/v1/pair-tokens/short", None, session) == "bad_request"
    FakeDevice(world, 1).activate(ticket["token"])
    (failed,) = world.get("GET", target, None, session)["failed"]
    assert failed["code"] == "already_bound"
    FakeDevice(world, 0).activate(ticket["token"])
    (paired,) = world.get("GET", target, None, session)["success"]
    assert (paired["uuid"], paired["product_id"]) == ("uuid0000", CAMERA)


def test_devices_and_whether_they_are_online() -> None:
    world = World()
    device, session = FakeDevice(world, 0), world.consumer(0)
    shown = {
        "dev_id": device.dev_id,
        "uuid": device.uuid,
        "product_id": CAMERA,
        "name": "Camera",
        "online": False,
    }
    assert world.get("GET", "/app/v1/devices", None, session) == [shown]
    device.connect()
    assert world.get("GET", "/app/v1/devices", None, session) == [{**shown, "online": True}]
    target = f"/app/v1/devices/{device.dev_id}?wipe=maybe"
    assert world.refusal("DELETE", target, None, session) == "bad_request"
    assert world.get("DELETE", f"/app/v1/devices/{device.dev_id}?wipe=0", None, session) is True
    assert world.get("GET", "/app/v1/devices", None, session) == []


def test_secrets_are_not_shown() -> None:
    shown = repr(app_api.Credentials("a", "hush")) + repr(app_api.LoggedIn("hush", "a"))
    assert "hush" not in shown + repr(app_api.PairTicket("hush", 1))
