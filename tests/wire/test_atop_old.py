import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire import atop_old as old

from .support import outcome, truncations

# From ct-Open-Source/tuya-convert: a log in issue 542, and scripts/fake-registration-server.py.
OTHER = (
    '{"token":"00000000","region":"US","tlinkStat":{"configure":"smartconfig","time":0,'
    '"source":"ap","path":"multicast"}}'
)
TOKEN_RESULT = (
    b'{"gwApiUrl":"http://10.42.42.1/gw.json","stdTimeZone":"-05:00","mqttRanges":"",'
    b'"timeZone":"-05:00","httpsPSKUrl":"https://10.42.42.1/gw.json",'
    b'"mediaMqttUrl":"10.42.42.1","gwMqttUrl":"10.42.42.1","dstIntervals":[[1,2]]}'
)
CARRIED = [
    old.Other(token="abcd1234", region="EU"),
    old.TokenResult(
        gw_api_url="http://a/gw.json",
        gw_mqtt_url="m",
        std_time_zone="+08:00",
        time_zone="+08:00",
        https_psk_url="https://a/gw.json",
        dst_intervals=((1552201200, 1572760800),),
    ),
    old.OldActivationResult(
        dev_id="6c01",
        sec_key="s" * 16,
        local_key="l" * 16,
        schema_id="000004abcd",
        std_time_zone="+08:00",
        schema="[]",
        uid="az1",
        dev_etag="0000000000",
    ),
    old.Update(gw_id="6c01", ver_sw="3.1.2", bv="5.46", pv="2.1", cd_ver="1.0.0", dev_attribute=3),
    old.DeviceUpdate(dev_id="6c01", ver_sw="1.0.0", cd_ver="1.0.0", dev_attribute=3),
    old.UpgradeStatusUpdate(upgrade_status=2),
    old.ChildBind(dev_id="child", name="lamp", ver_sw="1.0.0", ability=1, etag="0"),
    old.ChildUnbind(dev_id="child"),
    old.ChildPresence(dev_id="child", online=False),
]


@pytest.mark.parametrize("message", CARRIED)
def test_both_ways(message: messages.Message) -> None:
    data = messages.encode(message)
    assert messages.decode(data, type(message)) == message
    for cut in truncations(data):
        with pytest.raises(PeerError):
            messages.decode(cut, type(message))


def test_the_token_in_a_query_is_read_and_not_shown() -> None:
    other = old.parse_other(OTHER)
    assert (other.token, other.region) == ("00000000", "US")
    assert "00000000" not in repr(other)
    assert old.other_text("abcd1234") == '{"token":"abcd1234"}'
    assert old.parse_other(old.other_text("abcd1234", "EU")).region == "EU"
    for text in ("", "{}", '{"token":"' + "x" * 17 + '"}'):
        with pytest.raises(Malformed):
            old.parse_other(text)


def test_where_the_cloud_is() -> None:
    result = messages.decode(TOKEN_RESULT, old.TokenResult)
    assert (result.gw_mqtt_url, result.time_zone) == ("10.42.42.1", "-05:00")
    assert result.https_psk_url == "https://10.42.42.1/gw.json"
    assert b'"httpsPSKUrl"' in messages.encode(result)


def test_the_record_leaves_out_what_only_the_oldest_firmware_wants() -> None:
    result = CARRIED[2]
    assert isinstance(result, old.OldActivationResult)
    assert b"uid" not in result.to_record()
    assert "s" * 16 not in repr(result)


def test_a_report_as_a_device_wrote_it() -> None:
    data = (
        b'{"gwId":"220388844c11ae0dd558","verSw":"3.1.2","bv":"5.46","pv":"2.2","cdVer":"1.0.0",'
        b'"devAttribute":3}'
    )
    assert messages.encode(messages.decode(data, old.Update)) == data


@given(st.sampled_from([type(message) for message in CARRIED]), st.binary(max_size=200), st.text())
def test_garbage_is_a_message_or_a_peer_error(
    kind: type[messages.Message], data: bytes, text: str
) -> None:
    outcome(messages.decode, data, kind)
    outcome(old.parse_other, text)
    record = {field.encode_name: text for field in msgspec.structs.fields(kind)}
    outcome(messages.decode, msgspec.json.encode(record), kind)
