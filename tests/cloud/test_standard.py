"""Standard instruction sets: which data points have a code, and what people read of them."""

import pytest

from firmware_sim.errors import PeerError
from fleet.cloud.products import SCHEMA_ONE_SWITCH
from fleet.cloud.standard import codes_of, standard_set

SCHEMA = """[
    {"id":1,"mode":"rw","type":"obj","property":{"type":"bool"},"code":"switch_1"},
    {"id":9,"mode":"rw","type":"obj","property":{"type":"value","min":0,"max":9,"unit":"s"},
     "code":"countdown_1","name":"Countdown"},
    {"id":18,"mode":"ro","type":"raw","code":"picture"},
    {"id":19,"mode":"wr","type":"obj","property":{"type":"bool"},"code":"restart"},
    {"id":20,"mode":"rw","type":"obj","property":{"type":"bool"}}
]"""


def test_points_with_a_code_in_the_order_of_the_schema() -> None:
    points = standard_set(SCHEMA)
    assert list(points) == ["switch_1", "countdown_1", "picture", "restart"]
    assert [one.settable for one in points.values()] == [True, True, False, True]
    assert [one.reported for one in points.values()] == [True, True, True, False]
    assert [(one.name, one.unit) for one in points.values()] == [
        ("switch 1", ""),
        ("Countdown", "s"),
        ("picture", ""),
        ("restart", ""),
    ]
    assert dict(codes_of(SCHEMA)) == {
        "1": "switch_1",
        "9": "countdown_1",
        "18": "picture",
        "19": "restart",
    }


def test_a_schema_without_codes_has_no_set() -> None:
    assert standard_set(SCHEMA_ONE_SWITCH) == {}
    assert codes_of(SCHEMA_ONE_SWITCH) == {}


@pytest.mark.parametrize("schema", ["", "{}", '[{"id":0}]', "nonsense"])
def test_a_schema_that_cannot_be_read(schema: str) -> None:
    assert codes_of(schema) == {}
    with pytest.raises(PeerError):
        standard_set(schema)
