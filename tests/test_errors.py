"""The two families, and the base that nobody raises."""

import pytest

from firmware_sim import errors
from firmware_sim.errors import PeerError, SimulatorError, UsageError


def test_the_base_refuses_to_be_raised() -> None:
    with pytest.raises(TypeError, match="UsageError or PeerError"):
        raise SimulatorError("who did it?")


@pytest.mark.parametrize(
    "kind", [errors.Truncated, errors.Malformed, errors.BadChecksum, errors.TooLarge]
)
def test_what_a_peer_does_wrong_is_one_family(kind: type[PeerError]) -> None:
    with pytest.raises(PeerError, match=r"^bytes 3 of 16$") as caught:
        raise kind("bytes 3 of 16")
    assert not isinstance(caught.value, UsageError)


def test_a_usage_error_carries_its_line() -> None:
    assert str(UsageError("port 8080 is in use")) == "port 8080 is in use"
    assert not issubclass(UsageError, PeerError)
