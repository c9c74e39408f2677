"""Codes and words: the ones that programs compare, and what becomes of other refusals."""

import pytest

from firmware_sim.errors import Malformed, PeerError, TooLarge
from fleet.cloud.open.codes import (
    MESSAGES,
    Code,
    OpenRefused,
    cross_region,
    ip_denied,
    refusal_of,
)
from fleet.cloud.reasons import Reason, Refused


def test_every_code_has_words() -> None:
    assert set(MESSAGES) == set(Code)
    assert all(code.text == MESSAGES[code] for code in Code)


def test_words_that_programs_look_for() -> None:
    """jasonacox/tinytuya (tinytuya/Cloud.py) renews its token when it reads the first of these."""
    assert Code(1010).text == Code(1011).text == "token invalid"
    assert Code(1004).text == "sign invalid"
    assert Code(1106).text == "permission deny"


@pytest.mark.parametrize(
    ("code", "slip"),
    [
        (2002, "dosen`t"),
        (2014, "dosen`t"),
        (2508, "must is admin"),
        (28841107, "suspended.Please"),
        (28841107, "center. "),
    ],
)
def test_slips_of_the_pen_stay(code: int, slip: str) -> None:
    assert slip in Code(code).text


def test_a_refusal_carries_code_and_words() -> None:
    plain, own = OpenRefused(Code.PATH_INVALID), OpenRefused(Code.PATH_INVALID, "no")
    assert (plain.code, plain.msg, str(plain)) == (
        1108,
        "uri path invalid",
        "1108: uri path invalid",
    )
    assert (own.code, own.msg) == (1108, "no")
    assert isinstance(plain, PeerError)


def test_words_with_an_address() -> None:
    assert (ip_denied("::1").code, ip_denied("::1").msg) == (
        1114,
        "your ip(::1) don't have access to this API",
    )
    assert cross_region("10.0.0.1").code == 2007
    assert cross_region("10.0.0.1").msg == "your ip(10.0.0.1) cross-region access is not allowed"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OpenRefused(Code.TOKEN_NULL), 1002),
        (Refused(Reason.NO_PERMISSION), 1106),
        (Refused(Reason.NOT_BOUND), 1106),
        (Refused(Reason.NAME_TAKEN), 2023),
        (Refused(Reason.STALE_TIME), 1109),
        (TooLarge("too much"), 2027),
        (Malformed("JSON"), 1109),
    ],
)
def test_every_refusal_has_a_number(error: PeerError, code: int) -> None:
    assert refusal_of(error).code == code
