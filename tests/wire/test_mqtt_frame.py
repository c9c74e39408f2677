import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, Truncated, UsageError
from firmware_sim.wire import mqtt_frame
from firmware_sim.wire.ciphers import gcm_encrypt
from firmware_sim.wire.mqtt_frame import PayloadVersion

from .support import VECTORS, flipped, outcome, truncations, vector_bytes

KEY = b"l0calK3y01234567"
NONCE = b"0123456789ab"
HEAD_SIZES = {PayloadVersion.V21: 19, PayloadVersion.V22: 15, PayloadVersion.V23: 40}
GOLDEN = {
    "payload_reset": PayloadVersion.V22,
    "payload_dp_report": PayloadVersion.V22,
    "payload_token": PayloadVersion.V22,
    "payload_reset_gcm": PayloadVersion.V23,
    "payload_upgrade_old": PayloadVersion.V21,
    "payload_upgrade_old_logged": PayloadVersion.V21,
}


@pytest.mark.parametrize(("name", "version"), GOLDEN.items())
def test_golden_payloads_both_ways(name: str, version: PayloadVersion) -> None:
    vector, payload = VECTORS[name], vector_bytes(name, "payload")
    key, text = vector["key"].encode(), vector["json"].encode()
    nonce = bytes.fromhex(vector.get("nonce", ""))
    source = vector_bytes(name, "source")
    assert mqtt_frame.encode(key, text, vector["sequence"], source, version, nonce) == payload
    assert mqtt_frame.version_of(payload) is version
    assert mqtt_frame.decode(key, payload) == text


@given(
    st.sampled_from(PayloadVersion),
    st.binary(max_size=200),
    st.integers(0, 2**40),
    st.binary(min_size=4, max_size=4),
    st.binary(min_size=12, max_size=12),
)
def test_what_is_wrapped_comes_out_again(
    version: PayloadVersion, body: bytes, sequence: int, source: bytes, nonce: bytes
) -> None:
    payload = mqtt_frame.encode(KEY, body, sequence, source, version, nonce)
    assert payload.startswith(version.value)
    assert mqtt_frame.decode(KEY, payload) == body


def test_the_sequence_wraps_and_the_source_follows() -> None:
    encode = mqtt_frame.encode
    older = encode(KEY, b"{}", 2**32 + 5, mqtt_frame.SOURCE_DEVICE)
    newer = encode(KEY, b"{}", 2**32 + 5, mqtt_frame.SOURCE_DEVICE_23, PayloadVersion.V23, NONCE)
    assert older[7:15].hex() == "0000000501000000"
    assert newer[3:12].hex() == "000000050000000100"


@pytest.mark.parametrize("version", PayloadVersion)
def test_a_source_has_four_bytes(version: PayloadVersion) -> None:
    with pytest.raises(UsageError, match="4 bytes"):
        mqtt_frame.encode(KEY, b"{}", 1, b"", version, NONCE)


@pytest.mark.parametrize("nonce", [b"", b"0123456789a", b"0123456789abc"])
def test_a_nonce_has_twelve_bytes(nonce: bytes) -> None:
    with pytest.raises(UsageError, match="nonce"):
        mqtt_frame.encode(KEY, b"{}", 1, bytes(4), PayloadVersion.V23, nonce)


def test_every_bit_of_version_2_3_is_covered() -> None:
    payload = vector_bytes("payload_reset_gcm", "payload")
    for broken in flipped(payload):
        with pytest.raises(PeerError):
            mqtt_frame.decode(KEY, broken)


def test_every_bit_of_version_2_1_is_covered() -> None:
    payload = vector_bytes("payload_upgrade_old", "payload")
    for broken in flipped(payload):
        with pytest.raises(PeerError):
            mqtt_frame.decode(KEY, broken)


def test_the_reserved_byte_is_zero_even_under_a_good_tag() -> None:
    head = b"2.3" + bytes(8) + b"\x01"
    payload = head + NONCE + gcm_encrypt(KEY, NONCE, b"{}", head)
    with pytest.raises(Malformed, match="reserved"):
        mqtt_frame.decode(KEY, payload)


def test_a_signed_payload_that_is_no_base64_is_malformed() -> None:
    text = b"*" * 24
    signed = b"2.1" + mqtt_frame._sign_21(KEY, text) + text
    with pytest.raises(Malformed, match="base64"):
        mqtt_frame.decode(KEY, signed)


def test_only_the_crc_can_be_passed_over() -> None:
    for name, version in GOLDEN.items():
        broken = bytearray(vector_bytes(name, "payload"))
        broken[6] ^= 1  # in turn the signature, the CRC, and what the tag covers
        key = VECTORS[name]["key"].encode()
        with pytest.raises(BadChecksum):
            mqtt_frame.decode(key, bytes(broken))
        got = outcome(mqtt_frame.decode, key, bytes(broken), verify_crc=False)
        assert isinstance(got, bytes) is (version is PayloadVersion.V22)


@pytest.mark.parametrize("name", GOLDEN)
def test_another_key_is_a_bad_checksum(name: str) -> None:
    with pytest.raises(BadChecksum):
        mqtt_frame.decode(b"another key here", vector_bytes(name, "payload"))


@pytest.mark.parametrize("payload", [b"3.3" + bytes(40), b"\xff\xff\xff" + bytes(40)])
def test_another_version_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed, match=r"2\.1, 2\.2, 2\.3"):
        mqtt_frame.decode(KEY, payload)


def test_a_huge_payload_is_refused() -> None:
    with pytest.raises(TooLarge):
        mqtt_frame.decode(KEY, b"2.3" + bytes(65534))


@pytest.mark.parametrize("verify_crc", [True, False])
@pytest.mark.parametrize(("name", "version"), GOLDEN.items())
def test_every_truncation_is_a_peer_error(
    name: str, version: PayloadVersion, verify_crc: bool
) -> None:
    key = VECTORS[name]["key"].encode()
    for data in truncations(vector_bytes(name, "payload")):
        with pytest.raises(Truncated if len(data) < HEAD_SIZES[version] else PeerError):
            mqtt_frame.decode(key, data, verify_crc=verify_crc)


@given(st.sampled_from([b"", *(version.value for version in PayloadVersion)]), st.binary())
def test_garbage_is_a_body_or_a_peer_error(head: bytes, data: bytes) -> None:
    outcome(mqtt_frame.version_of, head + data)
    outcome(mqtt_frame.decode, KEY, head + data)
    outcome(mqtt_frame.decode, KEY, head + data, verify_crc=False)
