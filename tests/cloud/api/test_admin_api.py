"""What a checker is shown of a cloud."""

from tests.cloud.support import ADMIN, CAMERA, OWNER, FakeDevice, World


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
