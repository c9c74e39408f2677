"""Shapes of devices, byte for byte, and what they say when something is not known."""

import msgspec
import pytest

from fleet.cloud.devices import Device
from fleet.cloud.homes import Home
from fleet.cloud.open import device_view
from tests.cloud.open.devices_world import DevicesWorld
from tests.cloud.support import START_MS

# Every field in its place: programs that read by position, or keep what they got, see no change.
SMART_HOME = (
    b'{"id":"bf1","uuid":"u1","uid":"uid0","biz_type":0,"name":"Porch","time_zone":"-08:00",'
    b'"ip":"192.0.2.9","local_key":"local","sub":true,"model":"","create_time":1,"update_time":3,'
    b'"active_time":2,"status":[{"code":"switch_1","value":true}],"owner_id":"7",'
    b'"product_id":"camera0000000001","product_name":"Camera","category":"sp",'
    b'"icon":"smart/program_category_icon/sp.png","online":false,"node_id":"a1","lon":"1.5",'
    b'"lat":"2.5","gateway_id":"bf0"}'
)
INDUSTRY = (
    b'{"id":"bf1","uuid":"u1","uid":"uid0","name":"Porch","category":"sp","category_name":"sp",'
    b'"product_id":"camera0000000001","product_name":"Camera","local_key":"local","sub":true,'
    b'"gateway_id":"bf0","node_id":"a1","asset_id":"9","owner_id":"7","online":false,'
    b'"ip":"192.0.2.9","lon":"1.5","lat":"2.5","model":"",'
    b'"icon":"smart/program_category_icon/sp.png","time_zone":"-08:00","create_time":1,'
    b'"update_time":3,"active_time":2}'
)
CORE = (
    b'{"id":"bf1","active_time":2,"bind_space_id":"9","category":"sp","create_time":1,'
    b'"custom_name":"Porch","icon":"smart/program_category_icon/sp.png","ip":"192.0.2.9",'
    b'"is_online":false,"lat":"2.5","local_key":"local","lon":"1.5","name":"Camera",'
    b'"product_id":"camera0000000001","product_name":"Camera","sub":true,"time_zone":"-08:00",'
    b'"update_time":3,"uuid":"u1"}'
)
SUB = (
    b'{"id":"bf1","name":"Porch","online":false,"product_id":"camera0000000001","category":"sp",'
    b'"node_id":"a1","icon":"smart/program_category_icon/sp.png","active_time":2,"update_time":3,'
)


@pytest.fixture
def world() -> DevicesWorld:
    return DevicesWorld()


def sensor(world: DevicesWorld, **choices: object) -> Device:
    home = Home("7", "uid0", "Villa")
    world.world.rule(lambda s: s.homes._homes.put(home))
    world.world.rule(lambda s: s.homes._file(home))
    fields = {
        "name": "Porch",
        "dev_id": "bf1",
        "local_key": "local",
        "owner": "uid0",
        "activated_ms": 2_500,
        "created_ms": 1_500,
        "time_zone": "-08:00",
        "lon": "1.5",
        "lat": "2.5",
        "ip": "192.0.2.9",
        "home": "7",
        "space": "9",
        "gateway": "bf0",
        "node_id": "a1",
        "product_id": "camera0000000001",
        **choices,
    }
    device = msgspec.convert({"uuid": "u1", "auth_key": "k", **fields}, Device)
    world.world.rule(lambda s: s.devices.add(device))
    json = msgspec.Raw(b'{"1":true,"8":3}')
    world.world.rule(lambda s: s.data_points.report("bf1", json, 3_500))
    return device


def test_shapes(world: DevicesWorld) -> None:
    state, link, device = world.world.state, world.world.cloud._link, sensor(world)
    encode = msgspec.json.encode
    assert encode(device_view.smart_home(state, link, device)) == SMART_HOME
    assert encode(device_view.industry(state, link, device)) == INDUSTRY
    assert encode(device_view.core(state, link, device)) == CORE
    (home,) = device_view.sub_devices(state, link, [device], industry=False)
    assert encode(home) == SUB + b'"owner_id":"7"}'
    (asset,) = device_view.sub_devices(state, link, [device], industry=True)
    assert encode(asset) == SUB + b'"asset_id":"9"}'


def test_a_device_whose_product_is_gone(world: DevicesWorld) -> None:
    state, link = world.world.state, world.world.cloud._link
    device = sensor(world, product_id="nosuch")
    shown = device_view.smart_home(state, link, device)
    assert (shown.product_name, shown.category, shown.icon, shown.status) == ("", "", "", [])


@pytest.mark.parametrize(
    ("activated_ms", "updated_ms", "updated_s"), [(2_500, 0, 3), (9_999, 0, 9), (1, 7_000, 7)]
)
def test_the_last_change_is_whichever_came_last(
    world: DevicesWorld, activated_ms: int, updated_ms: int, updated_s: int
) -> None:
    device = sensor(world, activated_ms=activated_ms, updated_ms=updated_ms)
    assert device_view.updated_s(world.world.state, device) == updated_s


def test_in_version_1_only_what_a_device_tells_is_an_update(world: DevicesWorld) -> None:
    state, link = world.world.state, world.world.cloud._link
    device = sensor(world, updated_ms=7_000)
    assert device_view.smart_home(state, link, device).update_time == 3
    assert device_view.core(state, link, device).update_time == 7


def test_a_seeded_device_was_created_when_it_was_activated(world: DevicesWorld) -> None:
    shown = device_view.core(world.world.state, world.world.cloud._link, world.device())
    assert (shown.create_time, shown.time_zone) == (START_MS // 1000, "+00:00")


def test_an_address_is_made_from_the_uuid(world: DevicesWorld) -> None:
    info = device_view.factory_info(world.device())
    assert info == device_view.factory_info(world.device())
    assert info.mac == "a2:a0:b1:e4:44:54"
