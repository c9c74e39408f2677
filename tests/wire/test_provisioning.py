import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, TooLarge, UsageError
from firmware_sim.wire import lan_frame, lan_frame_gcm
from firmware_sim.wire.ciphers import AP_KEY, KEY_3, UDP_KEY, ecb_encrypt
from firmware_sim.wire.lan_frame import Command, Frame, RawFrame, cut
from firmware_sim.wire.lan_version import LanVersion
from firmware_sim.wire.provisioning import (
    QrText,
    TokenBind,
    TokenForm,
    TokenParts,
    decode_qr,
    decode_token_bind,
    decode_token_bind_reply,
    encode_qr,
    encode_token_bind,
    encode_token_bind_reply,
    parse_token,
    token_form,
)

from . import tinytuya_peer
from .support import outcome, truncations, vector_bytes

TOKEN = "AYnqMwn1NdreKE"
BODY = b'{"token":"AYnqMwn1NdreKE"}'
NONCE = bytes(range(12))
GCM_KEYS = {TokenForm.GCM: UDP_KEY, TokenForm.GCM_KEY3: KEY_3, TokenForm.GCM_AP: AP_KEY}
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


# --- frames 0x0C --------------------------------------------------------------------------------

FORMS = pytest.mark.parametrize("form", TokenForm)


def bind(body: bytes, form: TokenForm) -> RawFrame:
    """Return a frame 0x0C in `form` with any body."""
    frame = Frame(1, Command.TOKEN_BIND, body)
    if form in GCM_KEYS:
        return cut(lan_frame_gcm.encode(frame, GCM_KEYS[form], NONCE))
    if form is TokenForm.PLAIN:
        return cut(lan_frame.encode(frame))
    frame = msgspec.structs.replace(frame, payload=ecb_encrypt(UDP_KEY, body))
    return cut(lan_frame.encode(frame, UDP_KEY if form is TokenForm.ECB_HMAC else None))


@pytest.mark.parametrize(
    ("name", "form"),
    [("token_bind_plain", TokenForm.PLAIN), ("token_bind_encrypted", TokenForm.ECB)],
)
def test_golden_token_frames_both_ways(name: str, form: TokenForm) -> None:
    data = vector_bytes(name, "frame")
    assert encode_token_bind(TOKEN, 1, form) == data
    assert decode_token_bind(cut(data)) == TokenBind(TOKEN, form)


@FORMS
def test_every_form_is_recognised(form: TokenForm) -> None:
    raw = cut(encode_token_bind(TOKEN, 5, form, NONCE))
    assert (raw.sequence, raw.command, raw.sealed) == (5, Command.TOKEN_BIND, form.sealed)
    assert raw == msgspec.structs.replace(bind(BODY, form), sequence=5, data=raw.data)
    assert decode_token_bind(raw) == TokenBind(TOKEN, form)
    assert token_form(raw) is form


def test_the_token_frame_is_encrypted_unless_told_otherwise() -> None:
    assert encode_token_bind(TOKEN, 1) == vector_bytes("token_bind_encrypted", "frame")


@pytest.mark.parametrize(
    "version", [LanVersion.V32, LanVersion.V33, LanVersion.V34, LanVersion.V35]
)
def test_a_client_that_writes_it_as_any_other_command_is_understood(version: LanVersion) -> None:
    forms = {LanVersion.V34: TokenForm.ECB_HMAC, LanVersion.V35: TokenForm.GCM}
    data = tinytuya_peer.write(tinytuya_peer.peer(version, UDP_KEY), Command.TOKEN_BIND, BODY)
    assert decode_token_bind(cut(data)) == TokenBind(TOKEN, forms.get(version, TokenForm.ECB))


@FORMS
def test_a_token_body_may_say_more_and_end_in_nul(form: TokenForm) -> None:
    body = b'{"x":[1],"token":"AYnqMwn1NdreKE"}\0'
    assert decode_token_bind(bind(body, form)) == TokenBind(TOKEN, form)


def test_golden_reply_to_a_token_frame() -> None:
    data = vector_bytes("token_bind_reply", "frame")
    for form in (TokenForm.PLAIN, TokenForm.ECB):
        assert encode_token_bind_reply(1, 0, form) == data
        assert decode_token_bind_reply(cut(data), form) == 0
    assert encode_token_bind_reply(1, 0) == data


@FORMS
@pytest.mark.parametrize("code", [0, 1, 255])
def test_a_reply_is_read_in_the_form_of_its_question(form: TokenForm, code: int) -> None:
    raw = cut(encode_token_bind_reply(9, code, form, NONCE))
    assert (raw.sequence, raw.command, raw.sealed) == (9, Command.TOKEN_BIND, form.sealed)
    assert decode_token_bind_reply(raw, form) == code
    others = {other for other in TokenForm if outcome(decode_token_bind_reply, raw, other) == code}
    crc = {TokenForm.PLAIN, TokenForm.ECB}
    assert others == (crc if form in crc else {form})


def test_a_bad_token_is_not_sent() -> None:
    with pytest.raises(UsageError, match="14 printable"):
        encode_token_bind("short", 1)


@pytest.mark.parametrize("form", GCM_KEYS)
def test_a_sealed_form_needs_a_nonce(form: TokenForm) -> None:
    with pytest.raises(UsageError, match="a nonce of 12 bytes"):
        encode_token_bind(TOKEN, 1, form)
    with pytest.raises(UsageError, match="a nonce of 12 bytes"):
        encode_token_bind_reply(1, 0, form)


@FORMS
@pytest.mark.parametrize("body", [b'{"token":"short"}', b'{"token":1}', b"[]", b"no JSON", b""])
def test_a_bad_body_is_malformed_but_has_a_form(form: TokenForm, body: bytes) -> None:
    raw = bind(body, form)
    with pytest.raises(Malformed):
        decode_token_bind(raw)
    assert token_form(raw) is (TokenForm.ECB if raw == bind(b"", TokenForm.PLAIN) else form)


def test_a_frame_signed_with_the_common_key_has_a_form_without_a_ciphertext() -> None:
    raw = cut(lan_frame.encode(Frame(1, Command.TOKEN_BIND, b"x"), UDP_KEY))
    assert token_form(raw) is TokenForm.ECB_HMAC
    assert isinstance(outcome(decode_token_bind, raw), Malformed)


@pytest.mark.parametrize(
    "raw",
    [
        cut(lan_frame.encode(Frame(1, Command.TOKEN_BIND, bytes(32)), b"another key")),
        cut(lan_frame_gcm.encode(Frame(1, Command.TOKEN_BIND, BODY), b"another key here", NONCE)),
        cut(lan_frame.encode(Frame(1, Command.HEART_BEAT, BODY))),
        cut(lan_frame_gcm.encode(Frame(1, Command.HEART_BEAT, BODY), UDP_KEY, NONCE)),
    ],
)
def test_another_key_or_command_has_no_form(raw: RawFrame) -> None:
    for decode in (token_form, decode_token_bind):
        with pytest.raises(PeerError):
            decode(raw)
    for form in TokenForm:
        with pytest.raises(PeerError):
            decode_token_bind_reply(raw, form)


def test_a_received_token_is_not_shown() -> None:
    shown = repr(TokenBind(TOKEN, TokenForm.GCM))
    assert shown == "TokenBind(token=***, form=<TokenForm.GCM: 'gcm'>)"


def test_every_truncation_is_a_peer_error() -> None:
    for data in truncations(QR_BYTES):
        with pytest.raises(PeerError):
            decode_qr(data)
    for form in TokenForm:
        for body in truncations(BODY):
            with pytest.raises(PeerError):
                decode_token_bind(bind(body, form))


@given(st.binary(max_size=300), st.sampled_from(TokenForm))
def test_garbage_is_a_result_or_a_peer_error(data: bytes, form: TokenForm) -> None:
    outcome(decode_qr, data)
    outcome(decode_qr, b'{"s":"' + data + b'","p":"","t":"AYnqMwn1NdreKE"}')
    outcome(decode_token_bind, bind(data, form))
    outcome(token_form, bind(data, form))
    outcome(decode_token_bind_reply, bind(data, form), form)
