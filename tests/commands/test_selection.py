"""Which devices a selection names, and that a wrong one never passes as none."""

import pytest

from firmware_sim.errors import UsageError
from fleet.app.finder import Found
from fleet.commands.selection import in_order, select

DEVICES = [Found(f"u{n}", f"127.0.0.{n}", "p1", "3.3", f"127.0.0.{n}") for n in range(1, 6)]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("all", "12345"),
        ("2", "2"),
        ("1,3-5", "1345"),
        (" 5 , 1 - 2 ,", "125"),
        ("3,3,2-3", "23"),
        ("u4,u1", "14"),
    ],
)
def test_a_selection_is_in_the_order_of_the_list(text: str, chosen: str) -> None:
    assert "".join(found.uuid[1:] for found in select(DEVICES, text)) == chosen


@pytest.mark.parametrize("text", ["0", "6", "4-6", "3-2", "u9", "-2", "1-", "x", "1;2", "²"])
def test_what_names_no_device_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no device"):
        select(DEVICES, text)


@pytest.mark.parametrize("text", ["", " , "])
def test_selecting_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="nothing selected"):
        select(DEVICES, text)


def test_numbers_follow_the_address_not_the_order_of_arrival() -> None:
    far = Found("u0", "127.0.0.10", "p1", "3.3", "127.0.0.10")
    assert in_order([far, *reversed(DEVICES)]) == [*DEVICES, far]
