import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import lan_frame
from firmware_sim.wire.ciphers import UDP_KEY, ecb_encrypt
from firmware_sim.wire.lan_frame import Command, Frame
from firmware_sim.wire.provisioning import (
    QrText,
    TokenBind,
    TokenParts,
    decode_qr,
    decode_token_bind,
    encode_qr,
    encode_token_bind,
    encode_token_bind_reply,
    parse_token,
)

from .support import outcome, truncations, vector_bytes

TOKEN = "AYnqMwn1NdreKE"
QR = QrText("Café 5 GHz", "pass word", TOKEN)
QR_BYTES = '{"s":"Café 5 GHz","p":"pass word","t":"AYnqMwn1NdreKE"}'.encode()


def test_token_parts() -> None:
    parts = parse_token(TOKEN)
    assert parts == TokenParts("AY", "nqMwn1Nd", "reKE")
    assert parts.text == TOKEN
    assert repr(parts) == "TokenParts(region='AY', token=***, secret=***)"


@pytest.mark.parametrize("text", ["", TOKEN[:-1], TOKEN + "x", "AY nqMwn1NreKE", "AYnqMwn1NdreKé"])
def test_what_is_not_a_token_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="14 printable"):
        parse_token(text)


def test_qr_text_both_ways() -> None:
    assert encode_qr(QR) == QR_BYTES
    assert decode_qr(QR_BYTES) == QR


def test_qr_keys_in_any_order_and_further_ones() -> None:
    data = b'{"t":"AYnqMwn1NdreKE","x":1,"p":"pass word","s":"Caf\\u00e9 5 GHz"}'
    assert decode_qr(data) == QR


def test_an_open_network_has_an_empty_password() -> None:
    assert decode_qr(encode_qr(QrText("home", "", TOKEN))).password == ""


@given(st.text(max_size=8), st.text(max_size=16))
def test_qr_round_trip(ssid: str, password: str) -> None:
    qr = QrText(ssid, password, TOKEN)
    assert decode_qr(encode_qr(qr)) == qr


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"https://example.com", "JSON"),
        ("Café".encode("latin-1"), "JSON"),
        (QR_BYTES.replace("é".encode(), b"\xe9"), "UTF-8"),
        (b'{"s":"home","p":"x"}', "`t`"),
        (b'{"s":"home","p":"x","t":"short"}', "14 printable"),
        (b'{"s":"%b","p":"","t":"%b"}' % (b"x" * 33, TOKEN.encode()), "name"),
        ('{{"s":"{}","p":"","t":"{}"}}'.format("é" * 17, TOKEN).encode(), "name"),
        (b'{"s":"","p":"%b","t":"%b"}' % (b"x" * 65, TOKEN.encode()), "password"),
    ],
)
def test_a_bad_qr_text_is_malformed(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        decode_qr(data)


def test_a_huge_qr_text_is_refused() -> None:
    with pytest.raises(TooLarge):
        decode_qr(b" " * 1025)


@pytest.mark.parametrize("qr", [QrText("x" * 33, "", TOKEN), QrText("x", "", "short")])
def test_a_qr_text_nobody_could_read_is_the_callers_mistake(qr: QrText) -> None:
    with pytest.raises(UsageError, match="QR text"):
        encode_qr(qr)


@pytest.mark.parametrize(
    ("name", "encrypted"), [("token_bind_plain", False), ("token_bind_encrypted", True)]
)
def test_golden_token_frames_both_ways(name: str, encrypted: bool) -> None:
    data = vector_bytes(name, "frame")
    assert encode_token_bind(TOKEN, 1, encrypted=encrypted) == data
    frame = lan_frame.decode(data, from_device=False)
    assert frame.command == Command.TOKEN_BIND
    assert decode_token_bind(frame.payload) == TokenBind(TOKEN, encrypted)


def test_the_token_frame_is_encrypted_unless_told_otherwise() -> None:
    assert encode_token_bind(TOKEN, 1) == vector_bytes("token_bind_encrypted", "frame")


def test_golden_reply_to_a_token_frame() -> None:
    assert encode_token_bind_reply(1, 0) == vector_bytes("token_bind_reply", "frame")
    refusal = lan_frame.decode(encode_token_bind_reply(9, 1), from_device=True)
    assert refusal == Frame(9, Command.TOKEN_BIND, b"", 1)


def test_a_bad_token_is_not_sent() -> None:
    with pytest.raises(UsageError, match="14 printable"):
        encode_token_bind("short", 1)


@pytest.mark.parametrize("body", [b'{"token":"short"}', b'{"token":1}', b"[]"])
def test_a_bad_token_body_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_token_bind(ecb_encrypt(UDP_KEY, body))


def test_a_received_token_is_not_shown() -> None:
    assert repr(TokenBind(TOKEN, encrypted=True)) == "TokenBind(token=***, encrypted=True)"


def test_every_truncation_is_a_peer_error() -> None:
    for data in truncations(QR_BYTES):
        with pytest.raises(PeerError):
            decode_qr(data)
    for name in ("token_bind_plain", "token_bind_encrypted"):
        payload = lan_frame.decode(vector_bytes(name, "frame"), from_device=False).payload
        for data in truncations(payload):
            with pytest.raises(PeerError):
                decode_token_bind(data)


@given(st.binary(max_size=300))
def test_garbage_is_a_result_or_a_peer_error(data: bytes) -> None:
    outcome(decode_qr, data)
    outcome(decode_qr, b'{"s":"' + data + b'","p":"","t":"AYnqMwn1NdreKE"}')
    outcome(decode_token_bind, data)
    outcome(decode_token_bind, ecb_encrypt(UDP_KEY, data))
