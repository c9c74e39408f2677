"""The product catalogue."""

import msgspec

from fleet.cloud.products import Binding, Method, Product

from .support import CAMERA, PLUG, RECORDER, World, assert_reloads


def test_cameras_are_strong_unless_said_otherwise() -> None:
    product = Product("pid", "Camera", "sp", "maker")
    assert product.binding == Binding.STRONG
    assert product.method == Method.QR


def test_all_products_come_sorted() -> None:
    world = World()
    assert [p.product_id for p in world.state.products.all()] == [CAMERA, PLUG, RECORDER]
    assert world.state.products.get("nosuch") is None


def test_another_schema_has_another_name() -> None:
    world = World()
    before = world.state.products.get(CAMERA)
    assert before is not None
    after = world.rule(lambda s: s.products.put(msgspec.structs.replace(before, schema="[]")))
    assert after.schema_id != before.schema_id
    assert {len(before.schema_id), len(after.schema_id)} == {10}
    assert_reloads(world)
