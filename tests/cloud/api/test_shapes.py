"""Bounds on what is typed in."""

import msgspec
import pytest

from fleet.cloud.api.shapes import Count, Id, Name, Password, has_nul


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        (Name, ["a", "ä" * 64], ["", "a" * 65, "a\x00", "a\n"]),
        (Password, ["a", "a" * 128], ["", "a" * 129]),
        (Id, ["a", "a" * 32], ["", "a" * 33]),
        (Count, [0, 2**53], [-1, 2**53 + 1]),
    ],
)
def test_bounds(shape: type, good: list[object], bad: list[object]) -> None:
    for value in good:
        assert msgspec.convert(value, shape) == value
    for value in bad:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(value, shape)


@pytest.mark.parametrize(
    ("json", "has_one"),
    [
        (rb'{"a":"\u0000"}', True),
        (rb'"\\\u0000"', True),
        (rb'"\n\\\\\u0000"', True),
        (rb'"\\u0000"', False),
        (rb'"\u00001 \u0001"', True),
        (rb'"\u0001 u0000"', False),
        (b"\\" * 65_536, False),
    ],
)
def test_the_character_that_no_text_may_have(json: bytes, has_one: bool) -> None:
    assert has_nul(json) is has_one
