"""Fixtures of the commands' tests: a fake cloud behind every login, and a screen of text."""

import io

import pytest
from rich.console import Console

from tests.app.fake_cloud import FakeCloud


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    """Return a cloud that answers from a script, whatever URL a command is given."""
    fake = FakeCloud()
    monkeypatch.setattr("fleet.commands.login.CloudLink", lambda _, **__: fake.link())
    return fake


@pytest.fixture
def screen() -> Console:
    """Return a console that keeps what is printed on it."""
    return Console(file=io.StringIO(), width=200, markup=False, emoji=False, highlight=False)
