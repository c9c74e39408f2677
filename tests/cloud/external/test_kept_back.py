"""Answers wait for the broker, but not for ever."""

from firmware_sim.effects import Effect
from fleet.cloud.external.kept_back import KeptBack
from fleet.cloud.messages import SendReply, TellOperator

REPLY = SendReply(7, 200, b"keys")
OTHER = TellOperator("line")


def kept(otherwise: bytes = b"again") -> tuple[KeptBack, list[Effect]]:
    kept_back, out = KeptBack(), [OTHER, REPLY]
    kept_back.keep("bf1", otherwise, 1_000, out)
    return kept_back, out


def test_only_the_answer_is_kept_back() -> None:
    kept_back, out = kept()
    assert out == [OTHER]
    assert kept_back.client_ids == ["bf1"]
    assert kept_back.due_ms == 1_000


def test_it_goes_when_the_broker_knows() -> None:
    kept_back, _ = kept()
    out: list[Effect] = []
    kept_back.release(lambda name: name == "bf1", 999, out)
    assert out == []
    kept_back.release(lambda name: name == "bf2", 999, out)
    assert out == [REPLY]
    assert kept_back.due_ms is None


def test_something_else_is_said_when_it_takes_too_long() -> None:
    kept_back, _ = kept()
    out: list[Effect] = []
    kept_back.release(lambda _: True, 1_000, out)
    assert out == [SendReply(7, 200, b"again")]


def test_or_the_answer_itself_where_there_is_nothing_else() -> None:
    kept_back, _ = kept(otherwise=b"")
    out: list[Effect] = []
    kept_back.release(lambda _: True, 1_000, out)
    assert out == [REPLY]
