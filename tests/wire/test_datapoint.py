import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge
from firmware_sim.wire import datapoint
from firmware_sim.wire.datapoint import DataPoint, Property, Value

from .support import outcome, truncations

SWITCH = DataPoint(1, "rw", "obj", Property("bool"))
LEVEL = DataPoint(2, "rw", "obj", Property("value", min=10, max=100, step=5, scale=0))
MODE = DataPoint(3, "rw", "obj", Property("enum", range=("day", "night")))
NAME = DataPoint(4, "ro", "obj", Property("string", maxlen=8))
FAULT = DataPoint(5, "ro", "obj", Property("bitmap", maxlen=3))
BLOB = DataPoint(6, "wr", "raw")
POINTS = (SWITCH, LEVEL, MODE, NAME, FAULT, BLOB)
SCHEMA = (
    '[{"id":1,"mode":"rw","type":"obj","property":{"type":"bool"}},'
    '{"id":2,"mode":"rw","type":"obj",'
    '"property":{"type":"value","min":10,"max":100,"step":5,"scale":0}},'
    '{"id":3,"mode":"rw","type":"obj","property":{"type":"enum","range":["day","night"]}},'
    '{"id":4,"mode":"ro","type":"obj","property":{"type":"string","maxlen":8}},'
    '{"id":5,"mode":"ro","type":"obj","property":{"type":"bitmap","maxlen":3}},'
    '{"id":6,"mode":"wr","type":"raw"}]'
)


def test_schema_both_ways() -> None:
    assert datapoint.encode_schema(POINTS) == SCHEMA
    assert datapoint.decode_schema(SCHEMA) == POINTS


@pytest.mark.parametrize(
    "text",
    [
        '[{"id":0,"mode":"rw","type":"raw"}]',
        '[{"id":256,"mode":"rw","type":"raw"}]',
        '[{"id":1,"mode":"no","type":"raw"}]',
        '[{"id":1,"mode":"rw","type":"obj"}]',
        '[{"id":1,"mode":"rw","type":"raw","property":{"type":"bool"}}]',
        '[{"id":1,"mode":"rw","type":"obj","property":{"type":"float"}}]',
        '[{"id":1,"mode":"rw","type":"obj","property":{"type":"bitmap","maxlen":1e9}}]',
        '[{"id":1,"mode":"rw","type":"obj","property":{"type":"value","max":2147483648}}]',
        "{}",
    ],
)
def test_a_bad_schema_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        datapoint.decode_schema(text)


@pytest.mark.parametrize(
    ("point", "value"),
    [
        (SWITCH, True),
        (SWITCH, False),
        (LEVEL, 10),
        (LEVEL, 100),
        (LEVEL, 15),
        (DataPoint(9, "rw", "obj", Property("value")), -5),
        (MODE, "night"),
        (NAME, ""),
        (NAME, "12345678"),
        (DataPoint(9, "rw", "obj", Property("string")), "x" * 300),
        (FAULT, 0),
        (FAULT, 7),
        (DataPoint(9, "rw", "obj", Property("bitmap")), 2**32 - 1),
        (BLOB, "AAEC"),
    ],
)
def test_values_that_a_point_takes(point: DataPoint, value: Value) -> None:
    datapoint.check(point, value)


@pytest.mark.parametrize(
    ("point", "value"),
    [
        (SWITCH, 1),
        (SWITCH, "true"),
        (LEVEL, 9),
        (LEVEL, 101),
        (LEVEL, 12),
        (LEVEL, True),
        (LEVEL, "10"),
        (MODE, "dusk"),
        (MODE, 1),
        (NAME, "123456789"),
        (NAME, "ééééé"),
        (NAME, 1),
        (FAULT, 8),
        (FAULT, -1),
        (FAULT, True),
        (FAULT, "1"),
        (DataPoint(9, "rw", "obj", Property("bitmap", maxlen=99)), 2**32),
        (BLOB, "A"),
        (BLOB, "?"),
        (BLOB, 1),
    ],
)
def test_values_that_a_point_refuses(point: DataPoint, value: Value) -> None:
    with pytest.raises(Malformed, match=f"data point {point.id} takes"):
        datapoint.check(point, value)


@given(
    st.dictionaries(
        st.integers(1, 255),
        st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    )
)
def test_dps_round_trip(values: dict[int, Value]) -> None:
    assert datapoint.decode_dps(datapoint.encode_dps(values)) == values


def test_ids_are_text_on_the_wire() -> None:
    assert datapoint.encode_dps({1: True, 3: "day"}) == b'{"1":true,"3":"day"}'


@pytest.mark.parametrize(
    "data", [b"[]", b'{"x":1}', b'{"0":1}', b'{"256":1}', b'{"1":null}', b'{"1":1.5}', b'{"1":{}}']
)
def test_bad_dps_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        datapoint.decode_dps(data)


def test_huge_texts_are_refused() -> None:
    with pytest.raises(TooLarge):
        datapoint.decode_dps(b" " * 65537)
    with pytest.raises(TooLarge):
        datapoint.decode_schema(" " * 65537)


def test_every_truncation_is_a_peer_error() -> None:
    for data in truncations(SCHEMA.encode()):
        with pytest.raises(PeerError):
            datapoint.decode_schema(data.decode())
    for data in truncations(b'{"1":true,"3":"day"}'):
        with pytest.raises(PeerError):
            datapoint.decode_dps(data)


@given(st.binary(max_size=100), st.text(max_size=100))
def test_garbage_is_a_result_or_a_peer_error(data: bytes, text: str) -> None:
    outcome(datapoint.decode_dps, data)
    outcome(datapoint.decode_dps, b'{"1":' + data + b"}")
    outcome(datapoint.decode_schema, text)
    for point in POINTS:
        outcome(datapoint.check, point, text)
