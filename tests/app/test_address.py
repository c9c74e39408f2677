"""What is taken for an address."""

import pytest

from firmware_sim.errors import UsageError
from fleet.app.address import ipv4, is_ipv4


@pytest.mark.parametrize("text", ["0.0.0.0", "127.16.1.1", "255.255.255.255"])
def test_a_dotted_quad_is_one(text: str) -> None:
    assert ipv4(text) == text
    assert is_ipv4(text)


@pytest.mark.parametrize(
    "text", ["", "a..b", "localhost", "::1", "1.2.3", "1.2.3.256", "1.2.3.4\0"]
)
def test_everything_else_is_one_clear_line(text: str) -> None:
    assert not is_ipv4(text)
    with pytest.raises(UsageError, match=r"is no IPv4 address"):
        ipv4(text)
