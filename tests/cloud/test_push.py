"""Messages for developers: names and fields as the vendor has them."""

import json

from fleet.cloud import push
from fleet.cloud.devices import Device

DEVICE = Device("uuid", "key", "pid", dev_id="bf1", owner="uid1")


def test_binding_and_unbinding() -> None:
    bound, deleted = push.bound(DEVICE), push.deleted(DEVICE, "uid0")
    assert (bound.biz_code, deleted.biz_code) == ("bindUser", "delete")
    assert (bound.dev_id, bound.product_id) == ("bf1", "pid")
    assert json.loads(bound.data) == {"devId": "bf1", "uid": "uid1"}
    assert json.loads(deleted.data) == {"devId": "bf1", "uid": "uid0"}


def test_presence() -> None:
    come, gone = push.presence(DEVICE, 5, online=True), push.presence(DEVICE, 6, online=False)
    assert (come.biz_code, gone.biz_code) == ("online", "offline")
    assert [json.loads(one.data) for one in (come, gone)] == [{"time": 5}, {"time": 6}]
