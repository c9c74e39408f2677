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
OPENSDK = VECTORS["atop_sign_opensdk"]
BODY = VECTORS["atop_request_body"]
BODY_GCM = VECTORS["atop_request_body_gcm"]
OLD_CALLS = ("old_reset", "old_reset_without_et", "old_config_get", "old_silent_get")
OLD_REPLY = VECTORS["old_reply"]
NONCE = bytes.fromhex(BODY_GCM["nonce"])
REPLY = VECTORS["atop_reply"]
AUTH_KEY, SEC_KEY = ACTIVATION["key"], SYNC["key"]
UUID, DEV_ID = ACTIVATION["params"]["uuid"], SYNC["params"]["devId"]
T_S = 1700000000
ACTIVATION_TARGET = (
    "/d.json?a=tuya.device.active&et=1&t=1700000000&uuid=emu0000000000000001&v=4.4"
    "&sign=d190057e8fdad1c683602f4675f3a99d"
)
REPLY_BODY = encode_json({"result": REPLY["result"], "t": T_S, "sign": REPLY["sign"]})


@pytest.mark.parametrize("vector", [ACTIVATION, SYNC, OPENSDK])
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


def test_golden_request_of_newer_firmware_both_ways() -> None:
    target, body = atop.encode_request(
        "thing.device.opensdk.active",
        "1.0",
        T_S,
        AUTH_KEY,
        BODY_GCM["json"].encode(),
        uuid=UUID,
        et=atop.ET_GCM,
        nonce=NONCE,
    )
    assert target == (
        "/d.json?a=thing.device.opensdk.active&et=3&t=1700000000&uuid=emu0000000000000001&v=1.0"
        f"&sign={OPENSDK['sign']}"
    )
    assert body == BODY_GCM["body"].encode()
    query = atop.decode_query(target)
    atop.check_sign(query, AUTH_KEY)
    assert (query.et, query.old) == (atop.ET_GCM, False)
    assert atop.decode_request_body(body, AUTH_KEY, query.et) == BODY_GCM["json"].encode()
    assert atop.decode_data(query, body, AUTH_KEY) == BODY_GCM["json"].encode()


@pytest.mark.parametrize("name", OLD_CALLS)
def test_golden_requests_of_the_oldest_firmware_both_ways(name: str) -> None:
    vector = VECTORS[name]
    query = atop.decode_query(vector["target"])
    atop.check_sign(query, vector["key"])
    assert (query.a, query.v, query.et) == (vector["api"], vector["version"], vector["et"])
    assert (query.old, query.uuid, query.dev_id) == (True, None, vector["gw_id"])
    target, body = atop.encode_request(
        vector["api"],
        vector["version"],
        vector["t"],
        vector["key"],
        b"",
        dev_id=vector["gw_id"],
        et=vector["et"],
        old=True,
    )
    assert (target, body) == (vector["target"], b"")
    assert atop.decode_data(query, body, vector["key"]) == b"{}"


@pytest.mark.parametrize("et", [atop.ET_NONE, atop.ET_ECB])
@pytest.mark.parametrize("api", ["s.gw.token.get", "s.gw.dev.pk.active", "s.gw.dev.fk.active"])
def test_before_activation_the_old_identity_is_the_uuid(api: str, et: int) -> None:
    other = '{"token":"abcd1234"}'
    target, body = atop.encode_request(
        api, "3.0", 3, AUTH_KEY, b'{"t":3}', uuid=UUID, et=et, old=True, other=other
    )
    query = atop.decode_query(target)
    atop.check_sign(query, AUTH_KEY)
    assert (query.uuid, query.dev_id, query.et, query.other) == (UUID, None, et, other)
    assert atop.decode_data(query, body, AUTH_KEY) == b'{"t":3}'
    assert "abcd1234" not in repr(query)


def test_only_old_calls_may_come_without_body() -> None:
    target, _ = atop.encode_request("a", "1.0", 1, SEC_KEY, b"{}", dev_id="d")
    with pytest.raises(Malformed):
        atop.decode_data(atop.decode_query(target), b"", SEC_KEY)


@pytest.mark.parametrize("et", [2, 4, -1])
def test_an_unknown_encryption_is_refused(et: int) -> None:
    with pytest.raises(UsageError, match="et="):
        atop.encode_request("a", "1.0", 1, SEC_KEY, b"{}", dev_id="d", et=et)
    with pytest.raises(UsageError, match="names its encryption"):
        atop.encode_request("a", "1.0", 1, SEC_KEY, b"{}", dev_id="d", et=atop.ET_NONE)
    with pytest.raises(UsageError, match="et="):
        atop.encode_reply(b"{}", 1, SEC_KEY, et)
    with pytest.raises(Malformed, match="et="):
        atop.decode_request_body(BODY["body"].encode(), AUTH_KEY, et)
    with pytest.raises(Malformed, match="et="):
        atop.decode_reply(REPLY_BODY, SEC_KEY, et)


def test_a_nonce_has_twelve_bytes() -> None:
    with pytest.raises(UsageError, match="nonce"):
        atop.encode_request("a", "1.0", 1, SEC_KEY, b"{}", dev_id="d", et=atop.ET_GCM)
    with pytest.raises(UsageError, match="nonce"):
        atop.encode_reply(b"{}", 1, SEC_KEY, atop.ET_GCM, b"short")


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


@pytest.mark.parametrize(("uuid", "dev_id"), [(None, None), ("u", "d")])
def test_a_call_has_one_identity(uuid: str | None, dev_id: str | None) -> None:
    with pytest.raises(UsageError, match="either"):
        atop.encode_request("a", "1.0", 1, AUTH_KEY, b"{}", uuid=uuid, dev_id=dev_id)


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
        "/gw.json?a=x&uuid=d&et=1&t=1&v=1.0&sign=s",
        "/d.json?a=x&gwId=d&et=1&t=1&v=1.0&sign=s",
        "/d.json?a=x&devId=d&t=1&v=1.0&sign=s",
        "/other?a=x&devId=d&et=1&t=1&v=1.0&sign=s",
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


def test_golden_reply_to_the_oldest_firmware() -> None:
    body = encode_json({name: OLD_REPLY[name] for name in ("result", "t", "sign")})
    inner = OLD_REPLY["json"].encode()
    assert atop.encode_reply(inner, OLD_REPLY["t"], OLD_REPLY["key"]) == body
    assert atop.decode_reply(body, OLD_REPLY["key"], verify=True) == inner
    assert atop.decode_inner(inner).success


def test_a_reply_to_newer_firmware_both_ways() -> None:
    inner = REPLY["json"].encode()
    body = atop.encode_reply(inner, T_S, SEC_KEY, atop.ET_GCM, NONCE)
    assert atop.decode_reply(body, SEC_KEY, atop.ET_GCM, verify=True) == inner
    for key, et in ((SEC_KEY, atop.ET_ECB), (AUTH_KEY, atop.ET_GCM)):
        with pytest.raises(PeerError):
            atop.decode_reply(body, key, et)


def test_without_encryption_a_reply_is_plain() -> None:
    inner = atop.encode_success(b"true", T_S)
    body = atop.encode_reply(inner, T_S, SEC_KEY, atop.ET_NONE)
    assert body == inner
    assert atop.decode_reply(body, SEC_KEY, atop.ET_NONE) == inner


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
    for vector, et in ((BODY, atop.ET_ECB), (BODY_GCM, atop.ET_GCM)):
        for data in truncations(vector["body"].encode()):
            with pytest.raises(PeerError):
                atop.decode_request_body(data, AUTH_KEY, et)
    for data in truncations(REPLY_BODY):
        with pytest.raises(PeerError):
            atop.decode_reply(data, SEC_KEY)


@given(
    st.sampled_from([atop.ET_NONE, atop.ET_ECB, atop.ET_GCM]),
    st.binary(max_size=200).map(lambda data: data.rstrip(b"\0")),
    st.integers(0, 2**31),
    st.booleans(),
)
def test_what_is_said_is_understood(et: int, data: bytes, t_s: int, old: bool) -> None:
    old |= et == atop.ET_NONE
    target, body = atop.encode_request(
        "a", "1.0", t_s, SEC_KEY, data, dev_id=DEV_ID, et=et, nonce=NONCE, old=old
    )
    query = atop.decode_query(target)
    atop.check_sign(query, SEC_KEY)
    assert (query.t, query.et, query.dev_id, query.old) == (t_s, et, DEV_ID, old)
    assert atop.decode_data(query, body, SEC_KEY) == (data or (b"{}" if old else b""))
    inner = atop.encode_success(encode_json(data), t_s)
    reply = atop.encode_reply(inner, t_s, SEC_KEY, et, NONCE)
    assert atop.decode_reply(reply, SEC_KEY, et) == inner


@given(st.binary(max_size=200), st.text(max_size=200))
def test_garbage_is_a_result_or_a_peer_error(data: bytes, text: str) -> None:
    calls = (f"/d.json?a={text}&devId=d&et=1&t=1&sign=", f"/gw.json?a={text}&gwId=d&t=1&sign=")
    for target in (text, f"/d.json?{text}", *(call + text for call in calls)):
        outcome(atop.check_sign, target, SEC_KEY)
    cipher = ecb_encrypt(aes_key(SEC_KEY), data)
    for body in (data, b"data=" + data, b"data=" + cipher.hex().encode()):
        for et in (atop.ET_NONE, atop.ET_ECB, atop.ET_GCM, 2):
            outcome(atop.decode_request_body, body, SEC_KEY, et)
    for reply in (data, atop.encode_reply(data, 1, SEC_KEY), encode_json({"result": text, "t": 1})):
        for et in (atop.ET_NONE, atop.ET_ECB, atop.ET_GCM, 2):
            outcome(atop.decode_reply, reply, SEC_KEY, et)
        outcome(atop.decode_reply, reply, SEC_KEY, verify=True)
    outcome(atop.decode_inner, data)
