import json
from collections.abc import Callable
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed
from firmware_sim.wire import lan_body
from firmware_sim.wire.datapoint import Value
from firmware_sim.wire.lan_body import ChildStatus, Control, Query, Refresh, Status
from firmware_sim.wire.lan_frame import Command
from firmware_sim.wire.lan_version import LanVersion

from . import tinytuya_peer
from .support import VECTORS, outcome, truncations

DEV = tinytuya_peer.DEV_ID
CID = "00123456789abcde"
T_S = 1700000000
ON: dict[int, Value] = {1: True}
KEY = b"0123456789abcdef"
VERSIONS = pytest.mark.parametrize("version", LanVersion)
FLAT = pytest.mark.parametrize("version", [v for v in LanVersion if not v.negotiates])
ENVELOPED = pytest.mark.parametrize("version", [v for v in LanVersion if v.negotiates])
VALUES = st.dictionaries(
    st.integers(1, 255),
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    max_size=5,
)
CIDS = st.none() | st.text(min_size=1, max_size=20)


def said_by_tinytuya(
    version: LanVersion, command: Command, data: object = None, cid: str | None = None
) -> tuple[Command, bytes]:
    sender = tinytuya_peer.peer(version, KEY, cid=cid)
    sender.dev_type = "default"  # in version 3.2 it would ask for values one by one
    message = sender.generate_payload(command, data)
    return Command(message.cmd), message.payload


def untimed(body: bytes) -> object:
    """Return the JSON of a body with every `t` that has the right type set to zero."""
    said = json.loads(body)
    if "t" in said:
        said["t"] = type(said["t"])(0)
    return said


@VERSIONS
def test_golden_bodies_are_what_we_write(version: LanVersion) -> None:
    bodies = {name: v["body"].encode() for name, v in VECTORS.items() if "body" in v}
    if version is LanVersion.V31:
        assert lan_body.encode_query(version, DEV, T_S) == bodies["lan31_query"]
    if version.negotiates:
        assert lan_body.encode_query(version, DEV, T_S) == bodies["lan34_query"]
        assert lan_body.encode_status(version, DEV, ON) == bodies["lan35_query_reply"]
        assert lan_body.encode_report(version, DEV, T_S, ON) == bodies["lan34_status"]
    else:
        assert lan_body.encode_control(version, DEV, T_S, ON) == bodies["lan33_control"]
        assert lan_body.encode_report(version, DEV, T_S, ON) == bodies["lan33_status"]
    assert bodies["lan33_query_error"] == lan_body.NOTHING_TO_REPORT


# --- what tinytuya says -------------------------------------------------------------------------


@VERSIONS
def test_a_query_is_that_of_tinytuya(version: LanVersion) -> None:
    command, body = said_by_tinytuya(version, Command.DP_QUERY)
    assert command == lan_body.query_command(version)
    assert untimed(lan_body.encode_query(version, DEV, T_S)) == untimed(body)
    assert lan_body.decode_query(body) == Query(None, None if version.negotiates else DEV)


@VERSIONS
def test_a_query_of_a_sub_device_is_that_of_tinytuya(version: LanVersion) -> None:
    _, body = said_by_tinytuya(version, Command.DP_QUERY, cid=CID)
    assert untimed(lan_body.encode_query(version, DEV, T_S, CID)) == untimed(body)
    assert lan_body.decode_query(body) == Query(CID)


@VERSIONS
def test_a_setting_is_that_of_tinytuya(version: LanVersion) -> None:
    command, body = said_by_tinytuya(version, Command.CONTROL, {"1": True})
    assert command == lan_body.control_command(version)
    assert untimed(lan_body.encode_control(version, DEV, T_S, ON)) == untimed(body)
    who = None if version.negotiates else DEV
    assert lan_body.decode_control(body) == Control({1: True}, None, who)


@FLAT
def test_a_setting_of_a_sub_device_is_that_of_tinytuya(version: LanVersion) -> None:
    _, body = said_by_tinytuya(version, Command.CONTROL, {"1": True}, cid=CID)
    assert untimed(lan_body.encode_control(version, DEV, T_S, ON, CID)) == untimed(body)
    assert lan_body.decode_control(body) == Control({1: True}, CID)


@ENVELOPED
def test_a_setting_of_a_sub_device_names_it_beside_the_values(version: LanVersion) -> None:
    _, body = said_by_tinytuya(version, Command.CONTROL, {"1": True}, cid=CID)
    ours = json.loads(lan_body.encode_control(version, DEV, T_S, ON, CID))
    assert ours["data"] == json.loads(body)["data"]
    assert lan_body.decode_control(body) == Control({1: True}, CID)


def test_values_asked_for_one_by_one_as_tinytuya_does_in_32() -> None:
    sender = tinytuya_peer.peer(LanVersion.V32, KEY)
    message = sender.generate_payload(Command.DP_QUERY)
    assert message.cmd == Command.CONTROL_NEW
    asked = lan_body.encode_control(LanVersion.V32, DEV, T_S, {1: None})
    assert untimed(asked) == untimed(message.payload)
    assert lan_body.decode_control(message.payload) == Control({1: None}, None, DEV)


@VERSIONS
def test_a_refresh_is_that_of_tinytuya(version: LanVersion) -> None:
    command, body = said_by_tinytuya(version, Command.DP_REFRESH, [4, 5, 18])
    assert command == Command.DP_REFRESH
    assert lan_body.encode_refresh((4, 5, 18)) == body
    assert lan_body.decode_refresh(body) == Refresh((4, 5, 18))


@VERSIONS
def test_a_refresh_of_a_sub_device_is_that_of_tinytuya(version: LanVersion) -> None:
    _, body = said_by_tinytuya(version, Command.DP_REFRESH, [1], cid=CID)
    assert lan_body.encode_refresh((1,), CID) == body
    assert lan_body.decode_refresh(body) == Refresh((1,), CID)


@VERSIONS
def test_a_question_about_sub_devices_is_that_of_tinytuya(version: LanVersion) -> None:
    sender = tinytuya_peer.peer(version, KEY)
    message = sender.generate_payload(
        Command.EXT_STREAM, rawData={"cids": []}, reqType="subdev_online_stat_query"
    )
    assert message.cmd == Command.EXT_STREAM
    assert lan_body.encode_child_query(()) == message.payload
    assert lan_body.decode_child_query(message.payload) == ()


# --- what others say ----------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{}", b'{"cid":null,"x":[1]}', b'{"cid":"","dps":{}}'])
def test_a_query_about_the_device_itself(body: bytes) -> None:
    assert lan_body.decode_query(body) == Query(None)


@pytest.mark.parametrize(
    ("body", "dev_id"),
    [
        (b'{"devId":"x","gwId":"y","uid":"","t":"1"}', "x"),
        (b'{"gwId":"y","t":"1","dps":{}}', "y"),
        (b'{"devId":"","gwId":""}', None),
    ],
)
def test_a_query_may_name_the_device(body: bytes, dev_id: str | None) -> None:
    assert lan_body.decode_query(body) == Query(None, dev_id)


@pytest.mark.parametrize(
    ("body", "dev_id"),
    [
        (b'{"devId":"x","gwId":"x","uid":"","t":"1","dps":{"2":"on"}}', "x"),
        (b'{"protocol":5,"t":1,"data":{"gwId":"x","ctype":0,"uid":"x","dps":{"2":"on"}}}', "x"),
        (b'{"data":{"dps":{"2":"on"},"cid":""},"dps":{"9":1}}', None),
    ],
)
def test_a_setting_in_either_envelope(body: bytes, dev_id: str | None) -> None:
    assert lan_body.decode_control(body) == Control({2: "on"}, None, dev_id)


@pytest.mark.parametrize(
    ("number", "whole"), [(b"25.0", 25), (b"-2.9", -2), (b"1e2", 100), (b"1e300", int(1e300))]
)
def test_of_a_number_the_whole_part_is_set(number: bytes, whole: int) -> None:
    control = lan_body.decode_control(b'{"dps":{"1":true,"2":%b,"3":null}}' % number)
    assert control.dps == {1: True, 2: whole, 3: None}
    assert type(control.dps[2]) is int


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"devId":"x","dps":{"1":5},"t":1}', Status({1: 5}, None, "x")),
        (b'{"dps":{"1":5},"cid":"c"}', Status({1: 5}, "c")),
        (b'{"protocol":4,"t":1,"data":{"dps":{"1":5},"cid":"c"}}', Status({1: 5}, "c")),
        (b'{"devId":"x","cid":"c","data":{"dps":{},"z":0}}', Status({}, "c", "x")),
    ],
)
def test_a_status_in_either_envelope(body: bytes, status: Status) -> None:
    assert lan_body.decode_status(body) == status


@pytest.mark.parametrize("body", [b"", b'{"x":1}'])
def test_a_refresh_of_nothing(body: bytes) -> None:
    assert lan_body.decode_refresh(body) == Refresh()


def test_a_report_about_sub_devices_with_more_in_it() -> None:
    body = b'{"reqType":"subdev_online_stat_report","data":{"online":["a"],"x":1},"y":2}'
    assert lan_body.decode_child_report(body) == ChildStatus(("a",))


# --- round trips --------------------------------------------------------------------------------


@VERSIONS
@given(dps=VALUES, cid=CIDS)
def test_what_is_written_is_read(
    version: LanVersion, dps: dict[int, Value], cid: str | None
) -> None:
    flat_id = None if version.negotiates else DEV
    named = flat_id if cid is None else None
    control = lan_body.encode_control(version, DEV, T_S, MappingProxyType(dps), cid)
    assert lan_body.decode_control(control) == Control(dict(dps), cid, named)
    status = lan_body.encode_status(version, DEV, MappingProxyType(dps), cid)
    report = lan_body.encode_report(version, DEV, T_S, MappingProxyType(dps), cid)
    for body in (status, report):
        assert lan_body.decode_status(body) == Status(dps, cid, flat_id)
    query = lan_body.encode_query(version, DEV, T_S, cid)
    assert lan_body.decode_query(query) == Query(cid, named)


@given(st.lists(st.text(max_size=9)), st.lists(st.text(max_size=9)))
def test_what_is_written_about_sub_devices_is_read(online: list[str], offline: list[str]) -> None:
    status = ChildStatus(tuple(online), tuple(offline))
    assert lan_body.decode_child_report(lan_body.encode_child_report(status)) == status
    assert lan_body.decode_child_query(lan_body.encode_child_query(online)) == tuple(online)


@VERSIONS
def test_tinytuya_finds_the_values_and_the_sub_device(version: LanVersion) -> None:
    status = json.loads(lan_body.encode_status(version, DEV, {1: 5}, CID))
    assert (status["dps"], status["cid"]) == ({"1": 5}, CID)
    report = json.loads(lan_body.encode_report(version, DEV, T_S, {1: 5}, CID))
    level = report["data"] if version.negotiates else report
    assert (level["dps"], level["cid"], report["t"]) == ({"1": 5}, CID, T_S)


# --- what is refused ----------------------------------------------------------------------------

Decoder = Callable[[bytes], object]
DECODERS: list[Decoder] = [
    lan_body.decode_query,
    lan_body.decode_control,
    lan_body.decode_refresh,
    lan_body.decode_status,
    lan_body.decode_child_query,
    lan_body.decode_child_report,
]


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("body", [b"not JSON", b"[1]", b'"text"', b"7", b"null", b"\xff{}"])
def test_what_is_no_object_is_malformed(decode: Decoder, body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(body)


@pytest.mark.parametrize("decode", [lan_body.decode_control, lan_body.decode_status])
@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"data":{}}', b'{"dps":{"0":1}}', b'{"dps":{"256":1}}', b'{"dps":{"1":[]}}', b""],
)
def test_what_names_no_data_points_is_malformed(decode: Decoder, body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(body)


def test_a_report_has_values() -> None:
    with pytest.raises(Malformed):
        lan_body.decode_status(b'{"dps":{"1":null}}')


@pytest.mark.parametrize("decode", [lan_body.decode_child_query, lan_body.decode_child_report])
def test_another_request_is_malformed(decode: Decoder) -> None:
    with pytest.raises(Malformed):
        decode(b'{"reqType":"something_else","data":{}}')


@VERSIONS
def test_every_truncation_is_malformed(version: LanVersion) -> None:
    for body in truncations(lan_body.encode_control(version, DEV, T_S, ON, CID)):
        with pytest.raises(Malformed):
            lan_body.decode_control(body)
    for body in truncations(lan_body.encode_report(version, DEV, T_S, ON, CID)):
        with pytest.raises(Malformed):
            lan_body.decode_status(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dps", "data", "cid", "devId", "dpId", "reqType", "1", "cids"]), inner
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("decode", DECODERS)
@given(value=JSON, data=st.binary(max_size=60))
def test_garbage_is_a_result_or_a_peer_error(decode: Decoder, value: object, data: bytes) -> None:
    outcome(decode, json.dumps(value).encode())
    outcome(decode, data)
    outcome(decode, b'{"dps":{' + data + b"}}")


def test_deep_nesting_is_malformed() -> None:
    with pytest.raises(Malformed):
        lan_body.decode_control(b'{"x":' + b"[" * 100_000)
