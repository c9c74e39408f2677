"""Envelopes: every reason has a text and a code, and results and refusals have one form."""

import json

import pytest

from firmware_sim.errors import BadChecksum, Malformed, PeerError, TooLarge, Truncated
from fleet.cloud.api import envelope
from fleet.cloud.reasons import Reason, Refused


def test_every_reason_has_its_sentence() -> None:
    assert set(envelope.MESSAGES) == set(Reason)
    assert len(set(envelope.MESSAGES.values())) == len(Reason)


def test_success() -> None:
    assert envelope.success([1], 5) == b'{"success":true,"result":[1],"t":5}'


def test_failure() -> None:
    assert json.loads(envelope.failure(Refused(Reason.TOKEN_DEAD), 5)) == {
        "success": False,
        "code": "token_dead",
        "msg": envelope.MESSAGES[Reason.TOKEN_DEAD],
        "t": 5,
    }
    told = json.loads(envelope.failure(Refused(Reason.TOO_MANY, "cancel one"), 5))
    assert told["msg"] == "cancel one"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Malformed("x"), "BAD_REQUEST"),
        (Truncated("x"), "BAD_REQUEST"),
        (BadChecksum("x"), "BAD_REQUEST"),
        (TooLarge("x"), "TOO_LARGE"),
        (Refused(Reason.GATEWAY_NOT_EXISTS), "GATEWAY_NOT_EXISTS"),
        (Refused(Reason.BAD_SIGN), "BAD_SIGN"),
    ],
)
def test_codes_for_devices(error: PeerError, code: str) -> None:
    assert envelope.device_code(error) == code
    assert envelope.text_of(error)


def test_the_open_apis_unknown_path() -> None:
    assert envelope.unknown_path("ab" * 16, 5) == (
        b'{"code":1108,"msg":"uri path invalid","success":false,"t":5,'
        b'"tid":"abababababababababababababababab"}'
    )
