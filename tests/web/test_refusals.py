"""Refusals in words: a sentence and an advice for each reason of the cloud."""

import msgspec
import pytest

from fleet.app.errors import CloudRefused
from fleet.cloud.reasons import Reason
from fleet.web import refusals


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_has_a_sentence_and_an_advice(reason: Reason) -> None:
    assert refusals.sentence(reason.value) != reason.value
    assert refusals.advice(reason.value).endswith(".")


def test_a_reason_of_another_cloud_is_shown_as_it_is() -> None:
    assert (refusals.sentence("odd"), refusals.advice("odd")) == ("odd", "")


def test_a_reply_has_the_clouds_own_words_before_ours() -> None:
    reply = refusals.reply(CloudRefused("token_full", "thirty are enough"))
    said = msgspec.json.decode(bytes(reply.body))
    assert reply.status_code == 400
    assert said == {
        "error": "thirty are enough",
        "code": "token_full",
        "advice": refusals.advice("token_full"),
    }
    silent = msgspec.json.decode(bytes(refusals.reply(CloudRefused("no_session", "")).body))
    assert silent["error"] == "log in first"
