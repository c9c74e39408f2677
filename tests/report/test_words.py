from math import inf

import pytest

from fleet.report.words import duration, number, share


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (inf, "never"),
        (0, "0"),
        (3, "3"),
        (3.0, "3"),
        (1234567, "1,234,567"),
        (1234.56, "1,235"),
        (12.3456, "12.35"),
        (0.00123456, "0.001235"),
    ],
)
def test_numbers(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min"),
        (245, "4 min 5 s"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (2_520_000, "29 d 4 h"),
    ],
)
def test_durations(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (1, 0, "-"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 3, "33.3 %"),
        (99_999, 100_000, "> 99.9 %"),
        (1, 100_000, "< 0.1 %"),
    ],
)
def test_shares_never_round_away_what_is_left(part: int, whole: int, shown: str) -> None:
    assert share(part, whole) == shown
