"""A refusal is for people and for programs."""

import pytest

from firmware_sim.errors import UsageError
from fleet.app.errors import CloudRefused, CloudUnreachable


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        ("token_full", "30 of 30 released", "the cloud refused: 30 of 30 released (token_full)"),
        ("token_full", "", "the cloud refused: token_full (token_full)"),
    ],
)
def test_a_refusal_has_a_code_and_one_line(code: str, message: str, line: str) -> None:
    refusal = CloudRefused(code, message)
    assert (refusal.code, refusal.message, str(refusal)) == (code, message, line)


def test_both_are_the_callers_business() -> None:
    assert issubclass(CloudRefused, UsageError)
    assert issubclass(CloudUnreachable, UsageError)
