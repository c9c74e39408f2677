"""Instruction and status sets in the Open API's words; values of commands."""

import msgspec
import pytest

from fleet.cloud.open import standard
from fleet.cloud.open.codes import Code, OpenRefused
from fleet.cloud.open.standard import Command
from fleet.cloud.products import Product
from tests.cloud.open.devices_world import SCHEMA
from tests.cloud.support import World

LAMP = Product("lamp000000000001", "Lamp", "dj", "maker", schema=SCHEMA)
PLAIN = Product("plain00000000001", "Plain", "dj", "maker")
BROKEN = Product("broken0000000001", "Broken", "dj", "maker", schema="nonsense")

# As in the answers quoted in Xenomes/Domoticz-TinyTUYA-Plugin 14 and rospogrigio/localtuya 1052.
GOLDEN_FUNCTION = (
    '{"code":"bright_value","type":"Integer",'
    '"values":"{\\"unit\\":\\"\\",\\"min\\":10,\\"max\\":100,\\"scale\\":1,\\"step\\":5}",'
    '"name":"bright value","desc":"bright value"}'
)


def command(code: str, value: str) -> Command:
    return Command(code, msgspec.Raw(value.encode()))


def test_what_can_be_set() -> None:
    found = standard.functions(LAMP)
    assert found.category == "dj"
    assert [(one.code, one.type, one.values) for one in found.functions] == [
        ("switch_1", "Boolean", "{}"),
        ("bright_value", "Integer", '{"unit":"","min":10,"max":100,"scale":1,"step":5}'),
        ("work_mode", "Enum", '{"range":["white","colour"]}'),
        ("label", "String", '{"maxlen":8}'),
        ("device_restart", "Boolean", "{}"),
    ]
    assert msgspec.json.encode(found.functions[1]).decode() == GOLDEN_FUNCTION


def test_what_is_reported() -> None:
    found = standard.specification(LAMP)
    assert [(one.code, one.type, one.values) for one in found.status[4:]] == [
        ("fault", "Bitmap", '{"maxlen":3}'),
        ("picture", "Raw", "{}"),
    ]
    assert "device_restart" not in {one.code for one in found.status}
    assert {one.desc for one in found.status} == {msgspec.UNSET}
    assert [one.dp_id for one in found.functions] == [msgspec.UNSET] * 5


def test_version_1_1_knows_numbers() -> None:
    found = standard.specification(LAMP, with_ids=True)
    assert [one.dp_id for one in found.functions] == [1, 2, 3, 4, 7]
    assert [one.dp_id for one in found.status] == [1, 2, 3, 4, 5, 6]


def test_the_sets_of_a_category_are_joined() -> None:
    world = World()
    for product in (LAMP, PLAIN, BROKEN):
        world.rule(lambda s, one=product: s.products.put(one))
    found = standard.category_functions(world.state, "dj")
    assert [one.code for one in found.functions][:2] == ["switch_1", "bright_value"]
    with pytest.raises(OpenRefused) as refused:
        standard.category_functions(world.state, "nosuch")
    assert refused.value.code is Code.CATEGORY_UNSUPPORTED


@pytest.mark.parametrize(
    ("product", "code"),
    [
        (PLAIN, Code.DEVICE_UNSUPPORTED),
        (None, Code.DEVICE_UNSUPPORTED),
        (BROKEN, Code.SCHEMA_NOT_EXIST),
    ],
)
def test_products_without_a_set(product: Product | None, code: Code) -> None:
    for ask in (standard.functions, standard.specification, standard.model, standard.set_of):
        with pytest.raises(OpenRefused) as refused:
            ask(product)
        assert refused.value.code is code
    assert standard.status(product, {"1": msgspec.Raw(b"true")}) == []
    with pytest.raises(OpenRefused) as refused:
        standard.to_points(product, [command("switch_1", "true")])
    assert refused.value.code is Code.FUNCTION_UNSUPPORTED


def test_status_passes_values_on_as_they_came() -> None:
    values = {"3": b'"white"', "1": b"true", "8": b"true", "7": b"true", "99": b"1"}
    raw = {name: msgspec.Raw(value) for name, value in values.items()}
    found = standard.status(LAMP, raw)
    assert [(one.code, bytes(one.value)) for one in found] == [
        ("switch_1", b"true"),
        ("work_mode", b'"white"'),
    ]


def test_commands_become_data_points() -> None:
    commands = [
        command("switch_1", "true"),
        command("bright_value", "15"),
        command("work_mode", '"colour"'),
        command("label", '"x"'),
        command("device_restart", "false"),
        command("switch_1", "false"),
    ]
    values = {1: False, 2: 15, 3: "colour", 4: "x", 7: False}
    assert standard.to_points(LAMP, commands) == values


@pytest.mark.parametrize(
    ("code", "value", "refusal"),
    [
        ("nosuch", "true", 2003),
        ("fault", "1", 2003),
        ("", "true", 2003),
        ("switch_1", "1", 2008),
        ("switch_1", "null", 2008),
        ("switch_1", '"true"', 2008),
        ("bright_value", "16", 2008),
        ("bright_value", "5", 2008),
        ("bright_value", "105", 2008),
        ("bright_value", "15.5", 2008),
        ("bright_value", "1" * 400, 2008),
        ("work_mode", '"scene"', 2008),
        ("label", '"far too long"', 2008),
        ("label", '{"a":1}', 2008),
    ],
)
def test_what_is_no_command(code: str, value: str, refusal: int) -> None:
    with pytest.raises(OpenRefused) as refused:
        standard.to_points(LAMP, [command(code, value)])
    assert refused.value.code == refusal


def test_the_thing_model_is_json_in_a_text() -> None:
    model = msgspec.json.decode(standard.model(LAMP))
    assert model["modelId"] == LAMP.schema_id
    (service,) = model["services"]
    assert (service["actions"], service["events"], service["code"]) == ([], [], "")
    assert service["properties"][1] == {
        "abilityId": 2,
        "accessMode": "rw",
        "code": "bright_value",
        "description": "",
        "name": "bright value",
        "typeSpec": {"type": "value", "unit": "", "min": 10, "max": 100, "scale": 1, "step": 5},
    }
    assert service["properties"][5]["typeSpec"] == {"type": "raw"}
