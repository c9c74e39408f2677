"""The demo data set: devices as the models make them, and somebody for every kind of right."""

import msgspec
import pytest

from firmware_sim.device.lan_children import cid
from firmware_sim.wire.datapoint import DataPoint, encode_schema
from fleet.cloud.products import Method
from fleet.cloud.toml_file import demo_seed
from hw_profiles import catalog

from .support import World, assert_reloads

SEED = demo_seed()
MODELS = {
    "democamera000001": "ipc-blue-red",
    "demorecorder0001": "nvr",
    "demogateway00001": "gateway",
}


def test_it_can_be_planted() -> None:
    world = World(start=SEED)
    assert len(world.state.devices) == len(SEED.devices)
    assert_reloads(world)


@pytest.mark.parametrize("product_id", MODELS)
def test_products_are_those_of_a_model(product_id: str) -> None:
    model = catalog.load(MODELS[product_id])
    (product,) = (one for one in SEED.products if one.product_id == product_id)
    points = (msgspec.convert(p, DataPoint, from_attributes=True) for p in model.data_points)
    wanted = msgspec.json.decode(encode_schema(points))
    assert msgspec.json.decode(product.schema) == wanted
    assert (product.method is Method.WIRED) == model.wired
    values = {str(point.id): point.initial for point in model.data_points}
    for device in SEED.devices:
        if device.product_id == product_id and device.owner:
            assert msgspec.json.decode(device.dps) == values


@pytest.mark.parametrize(
    ("model", "uuid"), [("gateway", "demo-gateway-1"), ("nvr", "demo-recorder-1")]
)
def test_what_is_behind_a_device_is_what_its_model_has(model: str, uuid: str) -> None:
    """So when the model is switched on as this device, it finds its sub-devices known already."""
    (gateway,) = (one for one in SEED.devices if one.uuid == uuid)
    behind = {one.node_id: one for one in SEED.devices if one.gateway == gateway.dev_id}
    products = {one.product_id: one for one in SEED.products}
    for number, child in enumerate(catalog.load(model).children):
        points = (msgspec.convert(p, DataPoint, from_attributes=True) for p in child.data_points)
        known = msgspec.json.decode(products[child.product_id].schema)
        assert known == msgspec.json.decode(encode_schema(points))
        seeded = behind.pop(cid(uuid, number), None)
        assert seeded is None or seeded.product_id == child.product_id
    assert behind == {}


def test_there_is_somebody_to_be_allowed_and_somebody_to_be_refused() -> None:
    state = World(start=SEED).state
    camera = state.products.get("democamera000001")
    assert camera is not None
    allowed = {
        account.name: state.accounts.may_unbind(account.name, camera).allowed
        for account in SEED.accounts
    }
    assert allowed == {
        "maker@example.com": True,
        "partner@example.com": True,
        "service@example.com": True,
        "buyer@example.com": False,
        "other@example.com": False,
    }
    maker, other = SEED.projects
    assert {user.schema for user in SEED.users} == {*maker.schemas, *other.schemas}
    foreign = [device for device in SEED.devices if device.uuid.startswith("other")]
    assert [state.users.get(device.owner).schema for device in foreign] == ["otherapp"]  # type: ignore[union-attr]


def test_its_passwords_and_secrets_say_what_they_are() -> None:
    passwords = [account.password for account in SEED.accounts]
    passwords += [user.password for user in SEED.users]
    assert set(passwords) == {"demo-password"}
    assert all("secret" in project.secret for project in SEED.projects)
