"""Where things stand: functions of every kind say file and line."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fleet.cloud.api.console_api import order_unbind_token
from fleet.run.virtual.telling.line import device_name, place_of

ROOT = Path(__file__).parents[4]


class Clerk:
    def serve(self) -> None:
        """Serve."""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (order_unbind_token, "def order_unbind_token("),
        (partial(order_unbind_token), "def order_unbind_token("),
        (partial(partial(order_unbind_token)), "def order_unbind_token("),
        (Clerk().serve, "def serve("),
        (partial(Clerk().serve), "def serve("),
        (lambda: None, "(lambda: None, "),
    ],
)
def test_a_function_stands_in_a_line_of_a_file(function: Callable[..., object], words: str) -> None:
    path, _, number = place_of(function).partition(":")
    assert (ROOT / path).read_text().splitlines()[int(number) - 1].strip().startswith(words)


def test_devices_are_called_by_their_number() -> None:
    assert device_name(7) == "device 7"
