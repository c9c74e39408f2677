"""Frames that carry a token, and what a device's answers mean."""

import pytest

from firmware_sim.errors import Malformed, UsageError
from firmware_sim.wire.lan_frame import Command, Frame, decode, encode
from firmware_sim.wire.provisioning import TokenBind, decode_token_bind, encode_token_bind_reply
from fleet.app.handover import Delivery, Handover, Outcome

TOKEN = "EUabcdefghpr_0"


@pytest.mark.parametrize("encrypted", [True, False])
def test_each_attempt_is_a_frame_of_its_own(*, encrypted: bool) -> None:
    handover = Handover(TOKEN, encrypted=encrypted)
    for sequence in (1, 2):
        frame = decode(handover.next_frame(), from_device=False)
        assert (frame.sequence, frame.command) == (sequence, Command.TOKEN_BIND)
        assert decode_token_bind(frame.payload) == TokenBind(TOKEN, encrypted)
    assert handover.attempts == 2


def test_what_is_no_token_is_not_sent() -> None:
    with pytest.raises(UsageError, match="token"):
        Handover("short", encrypted=True).next_frame()


@pytest.mark.parametrize("return_code", [0, 1])
def test_an_answer_may_come_in_pieces(return_code: int) -> None:
    handover = Handover(TOKEN, encrypted=True)
    answer = encode_token_bind_reply(1, return_code)
    results = [handover.receive(bytes([byte])) for byte in answer]
    assert results == [None] * (len(answer) - 1) + [return_code]


def test_other_frames_are_passed_over() -> None:
    handover = Handover(TOKEN, encrypted=True)
    push = encode(Frame(0, 0x08, b"{}", 0))  # a status report
    assert handover.receive(push) is None
    assert handover.receive(push + encode_token_bind_reply(1, 0)) == 0


def test_a_new_connection_starts_afresh() -> None:
    handover = Handover(TOKEN, encrypted=True)
    answer = encode_token_bind_reply(1, 0)
    handover.receive(answer[:9])
    handover.connection_opened()
    assert handover.receive(answer) == 0


def test_what_is_no_frame_is_a_peers_mistake() -> None:
    with pytest.raises(Malformed):
        Handover(TOKEN, encrypted=True).receive(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_only_an_accepted_token_counts() -> None:
    accepted = {outcome for outcome in Outcome if Delivery("127.0.0.9", outcome, 1).accepted}
    assert accepted == {Outcome.ACCEPTED}
