"""Frames that carry a token in each of its forms, and what a device's answers mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import Malformed, PeerError, UsageError
from firmware_sim.wire import lan_frame
from firmware_sim.wire.lan_frame import SIZE_MAX, Frame, cut
from firmware_sim.wire.provisioning import (
    TokenBind,
    TokenForm,
    decode_token_bind,
    encode_token_bind_reply,
)
from fleet.app.handover import Delivery, Handover, Outcome, form_for
from tests.wire.support import vector_bytes

TOKEN = "EUabcdefghpr_0"
NONCE = bytes(range(12))
FORMS = list(TokenForm)


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("3.1", TokenForm.PLAIN),
        ("3.2", TokenForm.PLAIN),
        ("3.3", TokenForm.ECB),
        ("3.4", TokenForm.ECB),
        ("3.5", TokenForm.ECB),
    ],
)
def test_the_version_asks_for_a_form(version: str, form: TokenForm) -> None:
    assert form_for(version) is form


@pytest.mark.parametrize("version", ["3.4", "3.5", "3.5.1"])
def test_what_newer_versions_get_is_a_setting(version: str) -> None:
    assert form_for(version, TokenForm.GCM) is TokenForm.GCM
    assert form_for("3.3", TokenForm.GCM) is TokenForm.ECB


@pytest.mark.parametrize("form", FORMS)
def test_each_attempt_is_a_frame_of_its_own(form: TokenForm) -> None:
    handover = Handover(TOKEN, form)
    for sequence in (1, 2):
        raw = cut(handover.next_frame(NONCE))
        assert raw.sequence == sequence
        assert decode_token_bind(raw) == TokenBind(TOKEN, form)
    assert handover.attempts == 2


@pytest.mark.parametrize(
    ("form", "name"),
    [(TokenForm.PLAIN, "token_bind_plain"), (TokenForm.ECB, "token_bind_encrypted")],
)
def test_golden_frames(form: TokenForm, name: str) -> None:
    handover = Handover("AYnqMwn1NdreKE", form)
    assert handover.next_frame(NONCE) == vector_bytes(name, "frame")
    assert handover.receive(vector_bytes("token_bind_reply", "frame")) == 0


def test_what_is_no_token_is_not_sent() -> None:
    with pytest.raises(UsageError, match="token"):
        Handover("short").next_frame(NONCE)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("return_code", [0, 1])
def test_an_answer_may_come_in_pieces(return_code: int, form: TokenForm) -> None:
    handover = Handover(TOKEN, form)
    answer = encode_token_bind_reply(1, return_code, form, NONCE)
    results = [handover.receive(bytes([byte])) for byte in answer]
    assert results == [None] * (len(answer) - 1) + [return_code]


def test_other_frames_are_passed_over() -> None:
    handover = Handover(TOKEN)
    push = lan_frame.encode(Frame(0, 0x08, b"{}", 0))  # a status report
    assert handover.receive(push) is None
    assert handover.receive(push + encode_token_bind_reply(1, 0)) == 0


def test_a_new_connection_starts_afresh() -> None:
    handover = Handover(TOKEN)
    answer = encode_token_bind_reply(1, 0)
    handover.receive(answer[:9])
    handover.connection_opened()
    assert handover.receive(answer) == 0


@pytest.mark.parametrize(
    ("asked", "answered"),
    [(TokenForm.ECB, TokenForm.GCM), (TokenForm.GCM, TokenForm.GCM_AP), (TokenForm.GCM, FORMS[0])],
)
def test_an_answer_in_another_form_is_a_peers_mistake(
    asked: TokenForm, answered: TokenForm
) -> None:
    with pytest.raises(PeerError):
        Handover(TOKEN, asked).receive(encode_token_bind_reply(1, 0, answered, NONCE))


def test_what_is_no_frame_is_a_peers_mistake() -> None:
    with pytest.raises(Malformed):
        Handover(TOKEN).receive(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@given(st.sampled_from(FORMS), st.lists(st.binary(max_size=100), max_size=5))
def test_garbage_raises_a_peer_error_or_nothing(form: TokenForm, pieces: list[bytes]) -> None:
    handover = Handover(TOKEN, form)
    for piece in pieces:
        try:
            assert handover.receive(piece) is None
        except PeerError:
            handover.connection_opened()
        assert handover._cutter.pending_size <= SIZE_MAX


def test_only_an_accepted_token_counts() -> None:
    accepted = {outcome for outcome in Outcome if Delivery("127.0.0.9", outcome, 1).accepted}
    assert accepted == {Outcome.ACCEPTED}
