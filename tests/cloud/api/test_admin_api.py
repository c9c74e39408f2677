"""What a checker is shown of a cloud."""

from tests.cloud.support import ADMIN, CAMERA, OWNER, FakeDevice, World

USER = {"uid": "late", "name": "late", "password": "long enough"}
DEVICE = {
    "uuid": "uuid-late",
    "auth_key": "a" * 32,
    "product_id": CAMERA,
    "dev_id": "dev-late",
    "sec_key": "s" * 16,
    "local_key": "l" * 16,
    "owner": "late",
}


def test_audit() -> None:
    world = World()
    released, online = FakeDevice(world, 0), FakeDevice(world, 1)
    released.activate(world.unbind_token(world.account(OWNER))["token"])
    online.connect()
    audit = world.get("GET", "/admin/v1/audit", None, ADMIN)
    assert audit["devices"][:2] == [
        {
            "uuid": "uuid0000",
            "dev_id": released.dev_id,
            "product_id": CAMERA,
            "owner": "",
            "online": False,
            "pending_reset": "reset",
        },
        {
            "uuid": "uuid0001",
            "dev_id": online.dev_id,
            "product_id": CAMERA,
            "owner": "uid1",
            "online": True,
            "pending_reset": "",
        },
    ]
    day = "2023-11-14"
    assert audit["quotas"] == [
        {"scope": "account", "name": OWNER, "day": day, "used": 1, "limit": 100},
        {"scope": "product", "name": CAMERA, "day": day, "used": 1, "limit": 100},
    ]
    assert audit["unbound_ok"] == [{"account": OWNER, "product_id": CAMERA, "day": day, "count": 1}]
    released.acknowledge(released.go_online())
    audit = world.get("GET", "/admin/v1/audit", None, ADMIN)
    assert audit["devices"][0]["pending_reset"] == "", "the device knows: nothing is pending"


def test_stats() -> None:
    world = World()
    FakeDevice(world, 0).go_online()
    device = FakeDevice(world, 1)
    device.go_online()
    device.report(b'{"1":true}')
    stats = world.get("GET", "/admin/v1/stats", None, ADMIN)
    assert stats["mqtt_clients"] == 2
    assert stats["services"] == {"dp_reports": 1}
    assert stats["server"]["requests"] == 0, "the server around the cloud counts these"


def test_quotas_are_those_of_today() -> None:
    world = World()
    assert world.get("GET", "/admin/v1/quotas", None, ADMIN) == []
    FakeDevice(world, 0).activate(world.unbind_token(world.account(OWNER))["token"])
    quotas = world.get("GET", "/admin/v1/quotas", None, ADMIN)
    assert [(q["scope"], q["name"], q["used"]) for q in quotas] == [
        ("account", OWNER, 1),
        ("product", CAMERA, 1),
    ]


def test_more_devices_come_as_with_the_seed_and_go_again() -> None:
    world = World()
    body = {"users": [USER], "devices": [DEVICE]}
    assert world.get("POST", "/admin/v1/devices", body, ADMIN) == {"devices": 1}
    (late,) = (d for d in world.get("GET", "/admin/v1/audit", None, ADMIN)["devices"]
               if d["uuid"] == "uuid-late")  # fmt: skip
    assert (late["owner"], late["dev_id"]) == ("late", "dev-late")
    gone = {"uuids": ["uuid-late", "nobody-knows-it"]}
    assert world.get("POST", "/admin/v1/devices/removal", gone, ADMIN) == {"devices": 1}
    assert world.get("POST", "/admin/v1/devices/removal", gone, ADMIN) == {"devices": 0}
    rows = world.get("GET", "/console/v1/history", None, world.account(OWNER))["rows"]
    assert [(row["operation"], row["uuid"]) for row in rows][-1:] == [("delete", "uuid-late")]


def test_what_has_come_already_stays_when_it_is_told_again() -> None:
    """An answer was lost half way: who asked cannot know how far it came."""
    world = World()
    world.get("POST", "/admin/v1/devices", {"users": [USER], "devices": [DEVICE]}, ADMIN)
    more = {"uid": "later", "name": "later@example.com"}
    body = {"users": [USER, more], "devices": [DEVICE], "again": True}
    assert world.get("POST", "/admin/v1/devices", body, ADMIN) == {"devices": 1}
    uuids = [d["uuid"] for d in world.get("GET", "/admin/v1/audit", None, ADMIN)["devices"]]
    assert uuids.count("uuid-late") == 1
    refused = world.ask("POST", "/admin/v1/devices", {"users": [more]}, ADMIN)
    assert "there is a user later already" in refused["msg"]


def test_what_is_there_already_is_refused() -> None:
    world = World()
    known = DEVICE | {"uuid": "uuid0000", "owner": "uid0"}
    refused = world.ask("POST", "/admin/v1/devices", {"devices": [known]}, ADMIN)
    assert refused["code"] == "bad_request"
    assert "there is a device uuid0000 already" in refused["msg"]
    refused = world.ask("POST", "/admin/v1/devices", {"accounts": []}, ADMIN)
    assert refused["code"] == "bad_request", "no accounts: nobody gets a way in here"
