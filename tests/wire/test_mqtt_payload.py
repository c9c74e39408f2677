import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, Truncated, UsageError
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.mqtt_payload import (
    DpCommand,
    DpReport,
    Message,
    Protocol,
    ResetData,
    ResetType,
    TokenData,
)
from firmware_sim.wire.provisioning import TokenParts

from .support import VECTORS, outcome, truncations, vector_bytes

NAMES = ("payload_reset", "payload_dp_report", "payload_token")
DEV_ID = "6cemu000000000000001"
T_S = 1700000000
KEY = b"l0calK3y01234567"


@pytest.mark.parametrize("name", NAMES)
def test_golden_payloads_both_ways(name: str) -> None:
    vector, payload = VECTORS[name], vector_bytes(name, "payload")
    key, text = vector["key"].encode(), vector["json"].encode()
    source = vector_bytes(name, "source")
    assert mqtt_payload.encode(key, text, vector["sequence"], source) == payload
    assert payload[3:7] == vector_bytes(name, "crc")
    message = mqtt_payload.decode(key, payload)
    assert msgspec.json.encode(message) == text


def test_reset_both_ways() -> None:
    text = mqtt_payload.encode_reset(DEV_ID, T_S, ResetType.NORMAL)
    assert text == VECTORS["payload_reset"]["json"].encode()
    message = mqtt_payload.decode(KEY, vector_bytes("payload_reset", "payload"))
    assert message.protocol == Protocol.RESET
    assert mqtt_payload.data_of(message, ResetData) == ResetData(DEV_ID)
    assert mqtt_payload.reset_type(message) is ResetType.NORMAL


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (None, ResetType.NORMAL),
        ("anything", ResetType.NORMAL),
        ("reset_factory", ResetType.FACTORY),
    ],
)
def test_every_type_but_one_is_a_normal_reset(kind: str | None, expected: ResetType) -> None:
    message = Message(Protocol.RESET, T_S, msgspec.Raw(b"{}"), kind)
    assert mqtt_payload.reset_type(message) is expected


def test_dp_report_both_ways() -> None:
    text = mqtt_payload.encode_dp_report(DEV_ID, T_S, b'{"1":true}')
    assert text == VECTORS["payload_dp_report"]["json"].encode()
    message = mqtt_payload.decode(KEY, vector_bytes("payload_dp_report", "payload"))
    report = mqtt_payload.data_of(message, DpReport)
    assert (message.protocol, report.dev_id) == (Protocol.DP_REPORT, DEV_ID)
    assert bytes(report.dps) == b'{"1":true}'


def test_dp_command_both_ways() -> None:
    text = mqtt_payload.encode_dp_command(T_S, b'{"1":true}')
    assert text == b'{"protocol":5,"t":1700000000,"data":{"dps":{"1":true}}}'
    payload = mqtt_payload.encode(KEY, text, 1, mqtt_payload.SOURCE_CLOUD)
    command = mqtt_payload.data_of(mqtt_payload.decode(KEY, payload), DpCommand)
    assert bytes(command.dps) == b'{"1":true}'


def test_token_both_ways() -> None:
    text = mqtt_payload.encode_token(TokenParts("EU", "abcd1234", "pro"), T_S)
    vector = VECTORS["payload_token"]
    assert text == vector["json"].encode()
    message = mqtt_payload.decode(vector["key"].encode(), vector_bytes("payload_token", "payload"))
    token = mqtt_payload.data_of(message, TokenData)
    assert token == TokenData("abcd1234", "EU", "pro")
    assert "abcd1234" not in repr(token)


def test_a_token_without_environment_belongs_to_the_online_one() -> None:
    message = Message(46, T_S, msgspec.Raw(b'{"token":"abcd1234","region":"EU"}'))
    assert mqtt_payload.data_of(message, TokenData).env == "pro"


@pytest.mark.parametrize("data", [b'{"token":"123456789","region":"EU"}', b'{"token":"1"}'])
def test_a_token_that_firmware_drops_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        mqtt_payload.data_of(Message(46, T_S, msgspec.Raw(data)), TokenData)


def test_the_sequence_wraps() -> None:
    payload = mqtt_payload.encode(KEY, b"{}", 2**32 + 5, mqtt_payload.SOURCE_DEVICE)
    assert payload[7:15].hex() == "0000000501000000"


def test_a_source_has_four_bytes() -> None:
    with pytest.raises(UsageError, match="4 bytes"):
        mqtt_payload.encode(KEY, b"{}", 1, b"")


def test_the_crc_counts_unless_told_otherwise() -> None:
    payload = bytearray(vector_bytes("payload_reset", "payload"))
    payload[3] ^= 1
    with pytest.raises(BadChecksum, match="CRC"):
        mqtt_payload.decode(KEY, bytes(payload))
    assert mqtt_payload.decode(KEY, bytes(payload), verify_crc=False).protocol == 11


def test_another_key_is_a_bad_checksum() -> None:
    with pytest.raises(BadChecksum):
        mqtt_payload.decode(b"another key here", vector_bytes("payload_reset", "payload"))


def test_another_version_is_malformed() -> None:
    with pytest.raises(Malformed, match=r"2\.2"):
        mqtt_payload.decode(KEY, b"2.3" + bytes(40))


def test_a_huge_payload_is_refused() -> None:
    with pytest.raises(TooLarge):
        mqtt_payload.decode(KEY, bytes(65537))


@pytest.mark.parametrize("text", [b"[]", b'{"protocol":11,"t":1}', b'{"protocol":11,"data":{}}'])
def test_firmware_wants_all_three_keys(text: bytes) -> None:
    with pytest.raises(Malformed):
        mqtt_payload.decode(KEY, mqtt_payload.encode(KEY, text, 1, bytes(4)))


@pytest.mark.parametrize("verify_crc", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_a_peer_error(name: str, verify_crc: bool) -> None:
    key = VECTORS[name]["key"].encode()
    for data in truncations(vector_bytes(name, "payload")):
        with pytest.raises(Truncated if len(data) < 15 else PeerError):
            mqtt_payload.decode(key, data, verify_crc=verify_crc)


@given(st.binary(max_size=200))
def test_garbage_is_a_result_or_a_peer_error(data: bytes) -> None:
    outcome(mqtt_payload.decode, KEY, data)
    outcome(mqtt_payload.decode, KEY, b"2.2" + data, verify_crc=False)
    outcome(mqtt_payload.decode, KEY, mqtt_payload.encode(KEY, data, 1, bytes(4)))
    for kind in (ResetData, DpReport, DpCommand, TokenData):
        outcome(mqtt_payload.data_of, Message(1, 1, msgspec.Raw(data)), kind)


def test_names() -> None:
    assert mqtt_payload.topic_in("d") == "smart/device/in/d"
    assert mqtt_payload.topic_out("d") == "smart/device/out/d"
    assert mqtt_payload.topic_activation("u") == "d/ai/u"
    assert mqtt_payload.topic_rpc_request("d") == "rpc/req/d"
    assert mqtt_payload.topic_rpc_response("d") == "rpc/rsp/d"
    assert mqtt_payload.topic_rpc_file("d") == "rpc/file/d"
    assert mqtt_payload.client_id_unpaired("u") == "acon_u"


@pytest.mark.parametrize("name", ["mqtt_password_unpaired", "mqtt_password_paired"])
def test_golden_passwords(name: str) -> None:
    assert mqtt_payload.mqtt_password(VECTORS[name]["key"]) == VECTORS[name]["password"]
