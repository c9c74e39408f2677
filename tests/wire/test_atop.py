import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import atop
from firmware_sim.wire.ciphers import aes_key, ecb_encrypt
from firmware_sim.wire.structs import encode_json

from .support import VECTORS, outcome, truncations

ACTIVATION = VECTORS["atop_sign_activation"]
SYNC = VECTORS["atop_sign_sync"]
BODY = VECTORS["atop_request_body"]
REPLY = VECTORS["atop_reply"]
AUTH_KEY, SEC_KEY = ACTIVATION["key"], SYNC["key"]
UUID, DEV_ID = ACTIVATION["params"]["uuid"], SYNC["params"]["devId"]
T_S = 1700000000
ACTIVATION_TARGET = (
    "/d.json?a=tuya.device.active&et=1&t=1700000000&uuid=emu0000000000000001&v=4.4"
    "&sign=d190057e8fdad1c683602f4675f3a99d"
)
REPLY_BODY = encode_json({"result": REPLY["result"], "t": T_S, "sign": REPLY["sign"]})


@pytest.mark.parametrize("vector", [ACTIVATION, SYNC])
def test_golden_signatures(vector: dict[str, object]) -> None:
    params, key = vector["params"], vector["key"]
    assert isinstance(params, dict)
    assert isinstance(key, str)
    assert atop.sign(params, key) == vector["sign"]
    backwards = dict(reversed({**params, "sign": "not signed itself"}.items()))
    assert atop.sign(backwards, key) == vector["sign"]


def test_golden_request_both_ways() -> None:
    target, body = atop.encode_request(
        "tuya.device.active", "4.4", T_S, AUTH_KEY, BODY["json"].encode(), uuid=UUID
    )
    assert target == ACTIVATION_TARGET
    assert body == BODY["body"].encode()
    query = atop.decode_query(target)
    assert (query.a, query.v, query.et, query.t) == ("tuya.device.active", "4.4", 1, T_S)
    assert (query.uuid, query.dev_id) == (UUID, None)
    atop.check_sign(query, AUTH_KEY)
    atop.check_sign(target, AUTH_KEY)
    assert atop.decode_request_body(body, AUTH_KEY) == BODY["json"].encode()


def test_a_call_of_an_activated_device() -> None:
    target, _ = atop.encode_request(
        "tuya.device.info.sync", "1.0", T_S, SEC_KEY, b"{}", dev_id=DEV_ID
    )
    query = atop.decode_query(target)
    assert query.sign == SYNC["sign"]
    assert (query.uuid, query.dev_id) == (None, DEV_ID)


def test_a_call_without_version() -> None:
    target, _ = atop.encode_request("atop.online.debug.log", "", 1, SEC_KEY, b"{}", dev_id="d")
    assert "v=" not in target.replace("dev", "")
    query = atop.decode_query(target)
    assert query.v == ""
    atop.check_sign(query, SEC_KEY)


@pytest.mark.parametrize("ids", [{}, {"uuid": "u", "dev_id": "d"}])
def test_a_call_has_one_identity(ids: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="either"):
        atop.encode_request("a", "1.0", 1, AUTH_KEY, b"{}", **ids)


@pytest.mark.parametrize("target", [ACTIVATION_TARGET.replace("4.4", "4.5"), ACTIVATION_TARGET])
def test_a_changed_query_or_another_key_is_a_bad_checksum(target: str) -> None:
    with pytest.raises(BadChecksum):
        atop.check_sign(target, AUTH_KEY[:-1] if target == ACTIVATION_TARGET else AUTH_KEY)


def test_unknown_parameters_are_signed_too() -> None:
    params = {"a": "x", "devId": "d", "et": "1", "other": "1", "t": "5", "v": "1.0"}
    query = "&".join(f"{name}={value}" for name, value in params.items())
    atop.check_sign(f"/d.json?{query}&sign={atop.sign(params, SEC_KEY)}", SEC_KEY)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/d.json",
        "/gw.json?a=x&devId=d&et=1&t=1&v=1.0&sign=s",
        "/d.json?a=x&devId=d&et=1&t=1&v=1.0",
        "/d.json?a=x&et=1&t=1&v=1.0&sign=s",
        "/d.json?a=x&devId=d&uuid=u&et=1&t=1&v=1.0&sign=s",
        "/d.json?devId=d&et=1&t=1&v=1.0&sign=s",
        "/d.json?a=x&a=y&devId=d&et=1&t=1&v=1.0&sign=s",
        "/d.json?a&devId=d&et=1&t=1&v=1.0&sign=s",
        "/d.json?a=x&devId=d&et=one&t=1&v=1.0&sign=s",
        "/d.json?a=x&devId=d&et=1&t=-1&v=1.0&sign=s",
        "/d.json?a=x&devId=d&et=1&t=" + "1" * 16 + "&v=1.0&sign=s",
        "/d.json?a=x&devId=\xe9&et=1&t=1&v=1.0&sign=s",
    ],
)
def test_a_bad_query_is_malformed(target: str) -> None:
    with pytest.raises(Malformed):
        atop.decode_query(target)


def test_huge_parts_are_refused() -> None:
    with pytest.raises(TooLarge):
        atop.decode_query("/d.json?" + "a" * 1024)
    with pytest.raises(TooLarge):
        atop.decode_request_body(b"data=" + b"0" * 65536, AUTH_KEY)
    with pytest.raises(TooLarge):
        atop.decode_reply(b" " * 65537, AUTH_KEY)


def test_a_trailing_nul_of_the_request_is_dropped() -> None:
    _, body = atop.encode_request("a", "1.0", 1, SEC_KEY, b'{"t":1}\0', dev_id="d")
    assert atop.decode_request_body(body, SEC_KEY) == b'{"t":1}'


@pytest.mark.parametrize("body", [b"", b"data=", b"data=0", b"data=xx", b"text=00", b"data=00"])
def test_a_bad_request_body_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        atop.decode_request_body(body, AUTH_KEY)


def test_a_request_under_another_key_is_a_bad_checksum() -> None:
    with pytest.raises(BadChecksum):
        atop.decode_request_body(BODY["body"].encode(), SEC_KEY)


def test_golden_reply_both_ways() -> None:
    inner = REPLY["json"].encode()
    assert atop.encode_reply(inner, T_S, SEC_KEY) == REPLY_BODY
    assert atop.decode_reply(REPLY_BODY, SEC_KEY) == inner
    assert atop.decode_reply(REPLY_BODY, SEC_KEY, verify=True) == inner
    assert atop.encode_success(b'{"status":"reset_factory"}', T_S) == inner


def test_firmware_does_not_look_at_the_signature_and_verify_does() -> None:
    for body in (
        REPLY_BODY.replace(b"cb1b", b"cb1c"),
        encode_json({"result": REPLY["result"], "t": T_S}),
    ):
        assert atop.decode_reply(body, SEC_KEY) == REPLY["json"].encode()
        with pytest.raises(BadChecksum):
            atop.decode_reply(body, SEC_KEY, verify=True)


def test_a_plain_refusal_is_taken_as_firmware_takes_it() -> None:
    body = atop.encode_error("GATEWAY_NOT_EXISTS", "gone", T_S)
    assert atop.decode_reply(body, SEC_KEY) == body
    with pytest.raises(Malformed):
        atop.decode_reply(body, SEC_KEY, verify=True)


def test_a_reply_under_another_key_is_a_bad_checksum() -> None:
    with pytest.raises(BadChecksum):
        atop.decode_reply(REPLY_BODY, AUTH_KEY)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"result":"?","t":1}'])
def test_a_bad_reply_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        atop.decode_reply(body, SEC_KEY)


def test_inner_success() -> None:
    inner = atop.decode_inner(REPLY["json"].encode())
    assert inner.success
    assert inner.t == T_S
    assert bytes(inner.result) == b'{"status":"reset_factory"}'
    assert atop.encode_success(None, 5) == b'{"success":true,"t":5}'
    assert bytes(atop.decode_inner(b'{"success":true}').result) == b""


def test_inner_refusal() -> None:
    data = atop.encode_error("TOKEN_FULL", 'the "30" are used', 5)
    assert data == (
        b'{"success":false,"t":5,"errorCode":"TOKEN_FULL","errorMsg":"the \\"30\\" are used"}'
    )
    inner = atop.decode_inner(data)
    assert not inner.success
    assert (inner.error_code, inner.error_msg) == ("TOKEN_FULL", 'the "30" are used')


def test_every_truncation_is_a_peer_error() -> None:
    for data in truncations(ACTIVATION_TARGET.encode()):
        with pytest.raises(PeerError):
            atop.check_sign(data.decode(), AUTH_KEY)
    for data in truncations(BODY["body"].encode()):
        with pytest.raises(PeerError):
            atop.decode_request_body(data, AUTH_KEY)
    for data in truncations(REPLY_BODY):
        with pytest.raises(PeerError):
            atop.decode_reply(data, SEC_KEY)


@given(st.binary(max_size=200), st.text(max_size=200))
def test_garbage_is_a_result_or_a_peer_error(data: bytes, text: str) -> None:
    for target in (text, f"/d.json?{text}", f"/d.json?a={text}&devId=d&et=1&t=1&sign={text}"):
        outcome(atop.check_sign, target, SEC_KEY)
    cipher = ecb_encrypt(aes_key(SEC_KEY), data)
    for body in (data, b"data=" + data, b"data=" + cipher.hex().encode()):
        outcome(atop.decode_request_body, body, SEC_KEY)
    for reply in (data, atop.encode_reply(data, 1, SEC_KEY), encode_json({"result": text, "t": 1})):
        outcome(atop.decode_reply, reply, SEC_KEY)
        outcome(atop.decode_reply, reply, SEC_KEY, verify=True)
    outcome(atop.decode_inner, data)
