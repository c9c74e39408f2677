import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge, Truncated, UsageError
from firmware_sim.wire import mqtt_rpc

from .support import outcome, truncations

# As tuya/tuya-connect-kit-for-mqtt-embedded-c, src/matop_service.c, formats it.
REQUEST = (
    b'{"id":1,"a":"tuya.device.upgrade.silent.get","t":1700000000,'
    b'"data":{"subId":null,"t":1700000000},"v":"4.4"}'
)
RESPONSE = (
    b'{"id":1,"data":{"t":1700000000,"result":{"success":true,"t":1700000000,"result":null}}}'
)


def test_request_both_ways() -> None:
    data = b'{"subId":null,"t":1700000000}'
    name = "tuya.device.upgrade.silent.get"
    assert mqtt_rpc.encode_request(1, name, "4.4", 1700000000, data) == REQUEST
    request = mqtt_rpc.decode_request(REQUEST)
    assert (request.id, request.a, request.v, request.t) == (1, name, "4.4", 1700000000)
    assert bytes(request.data) == data


def test_a_request_may_come_without_version() -> None:
    assert mqtt_rpc.decode_request(b'{"id":1,"a":"x","t":5,"data":{}}').v == ""


def test_response_both_ways() -> None:
    assert mqtt_rpc.encode_response(1, 1700000000, b"null") == RESPONSE
    response = mqtt_rpc.decode_response(RESPONSE)
    assert (response.id, response.t) == (1, 1700000000)
    assert response.inner.success
    assert bytes(response.inner.result) == b"null"


def test_a_response_without_result() -> None:
    response = mqtt_rpc.decode_response(mqtt_rpc.encode_response(2, 5, None))
    assert response.inner.success
    assert bytes(response.inner.result) == b""


def test_refusal_both_ways() -> None:
    response = mqtt_rpc.decode_response(mqtt_rpc.encode_error_response(3, 5, "NO", "not now"))
    assert response.id == 3
    assert not response.inner.success
    assert (response.inner.error_code, response.inner.error_msg) == ("NO", "not now")


@pytest.mark.parametrize("payload", [b'{"id":65536,"a":"x","t":5,"data":{}}', b'{"id":1}', b"[]"])
def test_a_bad_request_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        mqtt_rpc.decode_request(payload)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=100))
def test_a_piece_of_a_file_both_ways(number: int, data: bytes) -> None:
    piece = mqtt_rpc.decode_file_piece(mqtt_rpc.encode_file_piece(number, data))
    assert piece == mqtt_rpc.FilePiece(number, data)


def test_a_piece_begins_with_the_number_of_its_call() -> None:
    assert mqtt_rpc.encode_file_piece(258, b"\x00data") == b"\x00\x00\x01\x02\x00data"
    for data in truncations(b"\x00\x00\x01\x02"):
        with pytest.raises(Truncated):
            mqtt_rpc.decode_file_piece(data)
    for number in (-1, 2**32):
        with pytest.raises(UsageError):
            mqtt_rpc.encode_file_piece(number, b"")


def test_huge_messages_are_refused() -> None:
    for decode in (mqtt_rpc.decode_request, mqtt_rpc.decode_response, mqtt_rpc.decode_file_piece):
        with pytest.raises(TooLarge):
            decode(b" " * 65537)


def test_every_truncation_is_a_peer_error() -> None:
    for data in truncations(REQUEST):
        with pytest.raises(PeerError):
            mqtt_rpc.decode_request(data)
    for data in truncations(RESPONSE):
        with pytest.raises(PeerError):
            mqtt_rpc.decode_response(data)


@given(st.binary(max_size=200))
def test_garbage_is_a_result_or_a_peer_error(data: bytes) -> None:
    outcome(mqtt_rpc.decode_request, data)
    outcome(mqtt_rpc.decode_request, b'{"id":1,"a":"x","t":5,"data":' + data + b"}")
    outcome(mqtt_rpc.decode_response, data)
    outcome(mqtt_rpc.decode_response, b'{"id":1,"data":{"result":' + data + b"}}")
