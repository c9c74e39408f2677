"""Who looks on while a fleet is there."""

import asyncio

import pytest

from fleet.run import attendance
from fleet.run.attendance import Pages, Told, nobody


def test_lines_are_passed_on_and_the_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance, "LINES_MAX", 2)
    said: list[str] = []
    told = Told(said.append)
    for text in ("one", "two", "three"):
        told(text)
    told("a secret", kept=False)
    assert said == ["one", "two", "three", "a secret"]
    assert ([line.text for line in told.lines], told.count) == (["two", "three"], 3)


def test_nobody_sees_nothing() -> None:
    async def scene() -> Pages:
        async with nobody(None) as pages:  # type: ignore[arg-type]
            return pages

    assert asyncio.run(scene()) == Pages("", "")


def test_a_password_is_not_shown() -> None:
    assert "s3cret" not in repr(Pages("http://there", "s3cret"))
