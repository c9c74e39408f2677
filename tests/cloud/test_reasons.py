"""Refusals carry their reason, and a word for the person who asked."""

from firmware_sim.errors import PeerError
from fleet.cloud.reasons import Reason, Refused


def test_a_refusal_is_the_peers_mistake() -> None:
    assert isinstance(Refused(Reason.NOT_BOUND), PeerError)


def test_what_it_says() -> None:
    assert str(Refused(Reason.NOT_BOUND)) == "not_bound"
    told = Refused(Reason.TOO_MANY, "cancel one first")
    assert str(told) == "too_many: cancel one first"
    assert (told.reason, told.detail) == (Reason.TOO_MANY, "cancel one first")


def test_reasons_are_words_for_history_and_codes() -> None:
    assert [r for r in Reason if not r.value.replace("_", "").isalpha()] == []
