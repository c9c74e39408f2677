"""Mistakes in a file, in words for the person who wrote it."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from firmware_sim.schema import explain


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Item(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=8)]
    share: Annotated[int, Meta(ge=1)] = 1
    mood: Mood = Mood.GOOD
    word: Literal["yes", "no"] = "yes"
    code: Annotated[str, Meta(pattern="^[a-z]+$")] = "a"
    wait_s: Annotated[float, Meta(ge=0.5, le=9)] = 1


class File(msgspec.Struct, forbid_unknown_fields=True):
    items: Annotated[tuple[Item, ...], Meta(min_length=1, max_length=2)]
    limits: dict[Literal["low", "high"], int] = {}


GOOD: dict[str, object] = {"name": "x"}


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ({}, "(top level): object missing required field `items`; allowed: keys items, limits"),
        (
            {"items": []},
            "items: expected `array` of length >= 1; allowed: a list, entries from 1 to 2",
        ),
        (
            {"items": [GOOD | {"share": 0}]},
            "items[0].share: expected `int` >= 1; allowed: a whole number from 1",
        ),
        (
            {"items": [GOOD | {"wait_s": 10}]},
            "items[0].wait_s: expected `float` <= 9.0; allowed: a number from 0.5 to 9",
        ),
        (
            {"items": [GOOD | {"mood": "sad"}]},
            "items[0].mood: invalid enum value 'sad'; allowed: good, bad",
        ),
        (
            {"items": [GOOD | {"word": "so"}]},
            "items[0].word: invalid enum value 'so'; allowed: no, yes",
        ),
        ({"items": [GOOD | {"code": "A"}]}, "allowed: text like ^[a-z]+$"),
        ({"items": [{"name": ""}]}, "allowed: text, characters from 1 to 8"),
        ({"items": [GOOD | {"nam": 1}]}, "allowed: keys name, share, mood, word, code, wait_s"),
        ({"items": [GOOD], "limits": {"mid": 1}}, "allowed: high, low"),
        ({"items": [GOOD], "limits": {"low": "1"}}, "expected `int`, got `str`"),
    ],
)
def test_one_line_per_mistake(raw: dict[str, object], line: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(raw, File)
    assert line in explain(caught.value, File)
    assert "\n" not in explain(caught.value, File)
