import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, UsageError
from firmware_sim.wire import atop_messages as messages
from firmware_sim.wire.atop_messages import ActivationRequest, ActivationResult
from firmware_sim.wire.structs import encode_json

from .support import outcome, truncations

RESULT = ActivationResult(
    dev_id="6cemu000000000000001",
    sec_key="s3cK3y0123456789",
    local_key="l0calK3y01234567",
    schema_id="000004abcd",
    std_time_zone="+08:00",
    schema='[{"id":1,"mode":"rw","type":"obj","property":{"type":"bool"}}]',
)
REQUEST_JSON = (
    b'{"token":"abcd1234","softVer":"1.0.0","productKey":"pidemu0000000001","protocolVer":"2.2",'
    b'"baselineVer":"40.07","options":"{\\"isFK\\":false}","devId":"6cemu000000000000001",'
    b'"devAttribute":2048,"cadVer":"1.0.3","cdVer":"1.0.0","t":1700000000}'
)
CARRIED = [
    (
        messages.ActivationRequest,
        messages.activation_request("abcd1234", "pid", "1.0", 5),
    ),
    (messages.ActivationResult, RESULT),
    (messages.SyncResult, messages.SyncResult(status=messages.SyncStatus.RESET)),
    (messages.StampRequest, messages.StampRequest(t=5)),
    (messages.VersionsUpdate, messages.VersionsUpdate(versions="[]", t=5)),
    (messages.UpgradeSilentGet, messages.UpgradeSilentGet(sub_id=None, t=5)),
    (
        messages.UpgradeStatusUpdate,
        messages.UpgradeStatusUpdate(type=0, upgrade_status=2, t=1_714_015_317),
    ),
    (messages.DpGet, messages.DpGet(dps=(1, 2), t=5)),
    (
        messages.DpReported,
        messages.DpReported(dps=msgspec.Raw(b'{"1":true}'), dps_time={"1": 5}, dev_id="d"),
    ),
    (messages.MetaSave, messages.MetaSave(metas={"catIccId": "89"}, t=5)),
    (messages.DebugLog, messages.DebugLog(data=4, exp="epc1=0x00000000")),
    (messages.DynamicConfigGet, messages.DynamicConfigGet(type='["timezone"]', t=5)),
    (
        messages.DynamicConfig,
        messages.DynamicConfig(valid_time=1800, time=5, config={"timezone": msgspec.Raw(b"{}")}),
    ),
    (
        messages.DynamicConfigAck,
        messages.DynamicConfigAck(ack_list=(messages.ConfigAck(type="rateRule", ack_id=7),), t=5),
    ),
    (messages.ExistResult, messages.ExistResult(exist=True)),
    (messages.ConfigGet, messages.ConfigGet(token="abcd1234", region="EU", t=5)),
    (
        messages.ConfigResult,
        messages.ConfigResult(api_url="http://a", mqtt_url="m", time_zone="+08:00"),
    ),
    (messages.TimerCount, messages.TimerCount(dev_id="d", last_fetch_time=5, t=5)),
    (
        messages.TimerCountResult,
        messages.TimerCountResult(dev_id="d", count=0, last_fetch_time=5),
    ),
    (messages.TimerGet, messages.TimerGet(dev_id="d", offset=1, limit=2, t=5)),
    (messages.TimerResult, messages.TimerResult(dev_id="d", timers=(msgspec.Raw(b"{}"),))),
]


def test_the_activation_request_has_the_keys_and_the_order_of_firmware() -> None:
    request = messages.activation_request(
        "abcd1234", "pidemu0000000001", "1.0.0", 1700000000, dev_id="6cemu000000000000001"
    )
    assert messages.encode(request) == REQUEST_JSON
    assert messages.decode(REQUEST_JSON, ActivationRequest) == request


def test_a_device_that_never_was_activated_offers_no_id() -> None:
    for dev_id in (None, ""):
        request = messages.activation_request("abcd1234", "pid", "1.0", 5, dev_id=dev_id)
        assert b"devId" not in messages.encode(request)


def test_newer_firmware_declares_its_protocol_and_a_channel() -> None:
    request = messages.activation_request(
        "abcd1234", "pid", "1.0", 5, protocol_ver="2.3", options='{"otaChannel":0, "isFK":false}'
    )
    data = messages.encode(request)
    assert b'"protocolVer":"2.3"' in data
    assert b'"options":"{\\"otaChannel\\":0, \\"isFK\\":false}"' in data


def test_a_firmware_key_stands_behind_the_options() -> None:
    request = messages.activation_request("abcd1234", "pid", "1.0", 5, "dev")
    data = messages.encode(msgspec.structs.replace(request, product_key_str="key"))
    assert b'"options":"{\\"isFK\\":false}","productKeyStr":"key","devId":"dev"' in data


def test_one_call_ends_in_a_nul_byte() -> None:
    get = messages.DynamicConfigGet(type='["timezone","rateRule"]', t=5)
    expected = b'{"type":"[\\"timezone\\",\\"rateRule\\"]","t":5}'
    assert messages.encode_call(messages.DYNAMIC_CONFIG_GET, get) == expected + b"\0"
    assert messages.encode_call(messages.RESET, messages.StampRequest(t=5)) == b'{"t":5}'


def test_what_firmware_adds_is_read() -> None:
    data = REQUEST_JSON.replace(b'"devId"', b'"modules":"[]","skillParam":"{}","new":1,"devId"')
    request = messages.decode(data, ActivationRequest)
    assert (request.modules, request.skill_param, request.feature) == ("[]", "{}", None)


def test_what_firmware_leaves_out_is_not_missed() -> None:
    """Some of it does without times; what the oldest says when it is activated is not public."""
    assert messages.decode(b"{}", messages.StampRequest) == messages.StampRequest()
    assert messages.decode(b'{"dps":[1]}', messages.DpGet).dps == (1,)
    assert messages.decode(b'{"why":"cold"}', messages.DebugLog).data is None
    assert messages.parse_versions('[{"otaChannel":9,"softVer":"1.0"}]')[0].soft_ver == "1.0"
    short = b'{"softVer":"1.0","productKey":"pid","protocolVer":"2.1"}'
    assert messages.decode(short, ActivationRequest).token == ""


@pytest.mark.parametrize(("kind", "message"), CARRIED)
def test_both_ways(kind: type[messages.Message], message: messages.Message) -> None:
    data = messages.encode(message)
    assert messages.decode(data, kind) == message
    assert messages.decode(msgspec.Raw(data), kind) == message
    assert b" " not in data


def test_names_on_the_wire() -> None:
    assert messages.encode(messages.UpgradeSilentGet(sub_id=None, t=5)) == b'{"subId":null,"t":5}'
    under_way = messages.UpgradeStatusUpdate(type=0, upgrade_status=2, t=1_714_015_317)
    assert messages.encode(under_way) == b'{"type":0,"upgradeStatus":2,"t":1714015317}'
    assert messages.encode(messages.SyncResult(status=messages.SyncStatus.RESET_FACTORY)) == (
        b'{"status":"reset_factory"}'
    )
    assert messages.ACTIVE == ("tuya.device.active", "4.4")


def test_the_factory_order_is_only_sent_when_given() -> None:
    assert b"resetFactory" not in messages.encode(RESULT)
    wiping = msgspec.structs.replace(RESULT, reset_factory=True)
    assert b'"resetFactory":true' in messages.encode(wiping)


def test_secrets_are_not_shown() -> None:
    shown = repr(RESULT) + repr(messages.activation_request("abcd1234", "pid", "1.0", 5))
    shown += repr(messages.ConfigGet(token="abcd1234"))
    for secret in ("abcd1234", RESULT.sec_key, RESULT.local_key):
        assert secret not in shown
    assert RESULT.dev_id in shown


def test_the_record_is_the_result_without_schema() -> None:
    assert RESULT.to_record() == (
        b'{"devId":"6cemu000000000000001","secKey":"s3cK3y0123456789",'
        b'"localKey":"l0calK3y01234567","schemaId":"000004abcd","stdTimeZone":"+08:00"}'
    )
    messages.check_record(RESULT)
    messages.check_record(msgspec.structs.replace(RESULT, schema="x" * 4000))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dev_id", "x" * 26),
        ("dev_id", ""),
        ("sec_key", "short"),
        ("local_key", "é" * 16),
        ("schema_id", "x" * 17),
        ("std_time_zone", "UTC+08:00"),
    ],
)
def test_what_firmware_cannot_store_is_the_callers_mistake(field: str, value: str) -> None:
    result = msgspec.structs.replace(RESULT, **{field: value})
    with pytest.raises(UsageError, match="activation result"):
        messages.check_record(result)
    with pytest.raises(Malformed):
        messages.decode(messages.encode(result), ActivationResult)


def test_the_longest_legal_record_fits_into_firmware() -> None:
    longest = ActivationResult(
        dev_id="x" * 25,
        sec_key='"' * 16,
        local_key='"' * 16,
        schema_id="\x01" * 16,
        std_time_zone="\x01" * 6,
        reset_factory=True,
        schema="",
    )
    assert len(longest.to_record()) <= messages.RECORD_SIZE_MAX


def test_versions_both_ways() -> None:
    channel = messages.ChannelVersion(
        ota_channel=0, protocol_ver="2.2", baseline_ver="40.07", soft_ver="1.0.0"
    )
    text = messages.versions_text((channel,))
    assert text == (
        '[{"otaChannel":0,"protocolVer":"2.2","baselineVer":"40.07","softVer":"1.0.0"}]'
    )
    assert messages.parse_versions(text) == (channel,)
    with pytest.raises(Malformed):
        messages.parse_versions("{}")


def test_an_unknown_status_is_malformed() -> None:
    with pytest.raises(Malformed):
        messages.decode(b'{"status":"maybe"}', messages.SyncResult)


@pytest.mark.parametrize(("kind", "message"), CARRIED)
def test_every_truncation_is_a_peer_error(
    kind: type[messages.Message], message: messages.Message
) -> None:
    for data in truncations(messages.encode(message)):
        with pytest.raises(PeerError):
            messages.decode(data, kind)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.sampled_from([kind for kind, _ in CARRIED]), st.data())
def test_garbage_is_a_result_or_a_peer_error(
    kind: type[messages.Message], data: st.DataObject
) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    record = {name: data.draw(JSON) for name in names}
    outcome(messages.decode, encode_json(record), kind)
    outcome(messages.decode, data.draw(st.binary(max_size=100)), kind)
    outcome(messages.parse_versions, encode_json([record]).decode())
