import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, Truncated
from firmware_sim.wire import mqtt_payload
from firmware_sim.wire.mqtt_payload import (
    ChildrenPresence,
    ChildReset,
    CommandAck,
    ConfigNotice,
    DpCommand,
    DpQuery,
    DpReport,
    Message,
    PayloadVersion,
    Protocol,
    ResetData,
    ResetType,
    TokenData,
    UpgradeNotice,
    UpgradeProgress,
)
from firmware_sim.wire.provisioning import TokenParts

from .support import VECTORS, outcome, truncations, vector_bytes

NAMES = ("payload_reset", "payload_dp_report", "payload_token", "payload_reset_gcm")
CID = "a4c1382a6c5e4e5a"
KINDS = (
    ResetData,
    DpReport,
    DpCommand,
    DpQuery,
    ChildReset,
    UpgradeNotice,
    ConfigNotice,
    UpgradeProgress,
    ChildrenPresence,
    CommandAck,
    TokenData,
)
DEV_ID = "6cemu000000000000001"
T_S = 1700000000
KEY = b"l0calK3y01234567"


@pytest.mark.parametrize("name", NAMES)
def test_golden_messages_both_ways(name: str) -> None:
    vector, payload = VECTORS[name], vector_bytes(name, "payload")
    key, text = vector["key"].encode(), vector["json"].encode()
    message = mqtt_payload.decode(key, payload)
    assert msgspec.json.encode(message) == text
    nonce = bytes.fromhex(vector.get("nonce", ""))
    version = mqtt_payload.version_of(payload)
    source = vector_bytes(name, "source")
    assert mqtt_payload.encode(key, text, vector["sequence"], source, version, nonce) == payload


@pytest.mark.parametrize("name", ["payload_upgrade_old", "payload_upgrade_old_logged"])
def test_golden_messages_of_the_oldest_firmware(name: str) -> None:
    message = mqtt_payload.decode(VECTORS[name]["key"].encode(), vector_bytes(name, "payload"))
    assert message.protocol == Protocol.UPGRADE_NOTICE
    notice = mqtt_payload.data_of(message, UpgradeNotice)
    assert notice.firmware_type is None
    assert notice.gw_id in VECTORS[name]["json"]


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


def test_a_child_is_named_where_values_travel() -> None:
    report = mqtt_payload.encode_dp_report(DEV_ID, T_S, b'{"1":true}', CID)
    assert report == (
        b'{"protocol":4,"t":1700000000,"data":{"devId":"6cemu000000000000001","dps":{"1":true},'
        b'"cid":"a4c1382a6c5e4e5a"}}'
    )
    command = mqtt_payload.encode_dp_command(T_S, b'{"1":true}', CID)
    query = mqtt_payload.encode_dp_query(T_S, CID)
    assert mqtt_payload.data_of(of(report), DpReport).cid == CID
    assert mqtt_payload.data_of(of(command), DpCommand).cid == CID
    assert mqtt_payload.data_of(of(query), DpQuery) == DpQuery(CID)
    assert mqtt_payload.encode_dp_query(T_S) == b'{"protocol":31,"t":1700000000,"data":{}}'


@pytest.mark.parametrize("kind", ResetType)
def test_a_child_is_removed_in_either_way(kind: ResetType) -> None:
    text = mqtt_payload.encode_child_reset(DEV_ID, CID, T_S, kind)
    assert text == (
        b'{"protocol":8,"t":1700000000,"data":{"gwId":"6cemu000000000000001",'
        b'"cid":"a4c1382a6c5e4e5a"},"type":"%b"}' % kind.value.encode()
    )
    message = of(text)
    assert mqtt_payload.data_of(message, ChildReset) == ChildReset(DEV_ID, CID)
    assert mqtt_payload.reset_type(message) is kind


def test_an_upgrade_is_announced_and_its_progress_told() -> None:
    notice = mqtt_payload.encode_upgrade_notice(DEV_ID, T_S)
    assert notice == (
        b'{"protocol":15,"t":1700000000,"data":{"firmwareType":0,"gwId":"6cemu000000000000001"}}'
    )
    assert mqtt_payload.data_of(of(notice), UpgradeNotice) == UpgradeNotice(0, DEV_ID)
    progress = mqtt_payload.encode_upgrade_progress(42, T_S, 3)
    assert progress == (b'{"protocol":16,"t":1700000000,"data":{"progress":"42","firmwareType":3}}')
    told = mqtt_payload.data_of(of(progress), UpgradeProgress)
    assert (told.percent, told.firmware_type) == (42, 3)


@pytest.mark.parametrize("progress", ["", "101", "-1", "4.5", "a", "1000", "7\n"])
def test_a_progress_is_a_percentage(progress: str) -> None:
    data = msgspec.json.encode({"progress": progress, "firmwareType": 0})
    with pytest.raises(Malformed):
        mqtt_payload.data_of(Message(16, T_S, msgspec.Raw(data)), UpgradeProgress)


def test_children_come_and_go() -> None:
    text = mqtt_payload.encode_children_presence(T_S, online=[CID], offline=["b", "c"])
    assert text == (
        b'{"protocol":25,"t":1700000000,"data":{"online":["a4c1382a6c5e4e5a"],"offline":["b","c"]}}'
    )
    presence = mqtt_payload.data_of(of(text), ChildrenPresence)
    assert presence == ChildrenPresence((CID,), ("b", "c"))


@pytest.mark.parametrize("cids", [["x"] * 1025, ["x" * 65], [""], ["\n"], ["\N{BLACK STAR}"], [1]])
def test_lists_of_children_are_bounded(cids: list[object]) -> None:
    data = msgspec.json.encode({"online": cids})
    with pytest.raises(Malformed):
        mqtt_payload.data_of(Message(25, T_S, msgspec.Raw(data)), ChildrenPresence)


def test_an_acknowledgement_and_a_notice_both_ways() -> None:
    ack = mqtt_payload.encode_command_ack("0_12", T_S)
    assert ack == b'{"protocol":26,"t":1700000000,"data":{"ackId":"0_12"}}'
    assert mqtt_payload.data_of(of(ack), CommandAck) == CommandAck("0_12")
    notice = mqtt_payload.encode_config_notice(T_S)
    assert notice == b'{"protocol":27,"t":1700000000,"data":{}}'
    assert mqtt_payload.data_of(of(notice), ConfigNotice) == ConfigNotice()


def of(text: bytes) -> Message:
    return mqtt_payload.decode(KEY, mqtt_payload.encode(KEY, text, 1, mqtt_payload.SOURCE_CLOUD))


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
        mqtt_payload.decode(KEY, b"2.4" + bytes(40))


def test_a_huge_payload_is_refused() -> None:
    with pytest.raises(TooLarge):
        mqtt_payload.decode(KEY, b"2.2" + bytes(65534))


@pytest.mark.parametrize("text", [b"[]", b'{"protocol":11,"t":1}', b'{"protocol":11,"data":{}}'])
def test_firmware_wants_all_three_keys(text: bytes) -> None:
    with pytest.raises(Malformed):
        mqtt_payload.decode(KEY, mqtt_payload.encode(KEY, text, 1, bytes(4)))


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_a_peer_error(name: str) -> None:
    key = VECTORS[name]["key"].encode()
    for data in truncations(vector_bytes(name, "payload")):
        with pytest.raises(Truncated if len(data) < 15 else PeerError):
            mqtt_payload.decode(key, data)


@given(st.binary(max_size=200))
def test_garbage_is_a_result_or_a_peer_error(data: bytes) -> None:
    outcome(mqtt_payload.decode, KEY, data)
    outcome(mqtt_payload.decode, KEY, b"2.2" + data, verify_crc=False)
    for version in PayloadVersion:
        payload = mqtt_payload.encode(KEY, data, 1, bytes(4), version, bytes(12))
        outcome(mqtt_payload.decode, KEY, payload)
    for kind in KINDS:
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
