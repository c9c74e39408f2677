"""Events and effects of the lines show who and how much, never what."""

import pytest

from fleet.cloud.external.lines import Line, LineHeard, OpenLine, SayOnLine


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (LineHeard(Line.DEVICES, 1, "t/1", b"secret"), "LineHeard(devices, 't/1', 6 B)"),
        (SayOnLine(Line.CONTROL, "t/1", b"secret", 1), "SayOnLine(control, 't/1', 6 B)"),
        (
            OpenLine(Line.CONTROL, "me", "admin", "secret", (), clean=True),
            "OpenLine(control, 'admin')",
        ),
    ],
)
def test_nothing_secret_is_shown(shown: object, text: str) -> None:
    assert repr(shown) == text
