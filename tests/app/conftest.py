"""Fixtures of the phone's tests."""

import pytest

from tests.app.fake_cloud import FakeCloud


@pytest.fixture
def cloud() -> FakeCloud:
    """Return a cloud that answers from a script."""
    return FakeCloud()
