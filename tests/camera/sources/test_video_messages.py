"""What the process that unpacks video says comes back as what it was."""

import msgspec
import pytest

from firmware_sim.camera.messages import Hello, frame_message
from firmware_sim.camera.sources.video_messages import Ended, Picture, decode_message


@pytest.mark.parametrize(
    "message", [Hello("why not"), Picture(0.5, 3, 2, 1, b"ab"), Ended(), Ended("damaged")]
)
def test_round_trip(message: Hello | Picture | Ended) -> None:
    assert decode_message(frame_message(message)[4:]) == message


def test_nonsense() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_message(b"\xc1")
