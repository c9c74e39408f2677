"""Pages beside a command, if they are wanted."""

from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import UsageError
from fleet.commands import pages as module
from fleet.commands.pages import pages
from fleet.run.attendance import nobody


def test_without_pages_nobody_looks_on() -> None:
    with pages(None, None, wanted=False) as attendance:
        assert attendance is nobody


@pytest.mark.parametrize("given", [("8420", None), (None, Path("password"))])
def test_options_of_pages_that_are_not_served(given: tuple[Any, Any]) -> None:
    with pytest.raises(UsageError, match="mean nothing"):
        pages(*given, wanted=False)


def test_the_password_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("fleet.web.attend.attendance", lambda *given: asked.append(given))
    pages("0", None, wanted=True)
    monkeypatch.setenv(module.PASSWORD, "s3cret")
    pages("0", None, wanted=True)
    assert asked == [("0", None, ""), ("0", None, "s3cret")]
