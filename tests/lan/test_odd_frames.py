"""The codecs take or refuse every odd frame, and answer with nothing but a PeerError."""

from collections.abc import Iterator

import pytest

from firmware_sim.errors import PeerError
from firmware_sim.wire import discovery, lan_body
from firmware_sim.wire.lan_frame import SIZE_MAX, FrameCutter, RawFrame, cut
from firmware_sim.wire.lan_message import reveal, unframe
from firmware_sim.wire.lan_version import LanVersion
from fleet.lan.conversation import Conversation, read_datagram
from fleet.lan.known_devices import Device, DeviceBook
from tests.wire.support import outcome

from .odd_frames import Odd, fuzzed_frames, odd_datagrams, odd_frames

KEY = b"0123456789abcdef"
ODD = [*odd_frames(KEY), *fuzzed_frames(KEY, seed=1, count=50)]
BODIES = (lan_body.decode_query, lan_body.decode_control, lan_body.decode_refresh)


def test_each_has_a_name_of_its_own() -> None:
    names = [odd.name for odd in ODD]
    assert len(set(names)) == len(names)
    assert len(names) > 400


def test_chance_is_repeatable() -> None:
    again = list(fuzzed_frames(KEY, seed=1, count=50))
    assert again == ODD[-len(again) :]
    assert list(fuzzed_frames(KEY, seed=2, count=50)) != again


def cut_apart(odd: Odd, size: int) -> Iterator[RawFrame]:
    """Yield the frames of a stream that comes in pieces, until one is refused."""
    cutter = FrameCutter()
    for at in range(0, len(odd.data), size):
        try:
            yield from cutter.feed(odd.data[at : at + size])
        except PeerError:
            return
        assert cutter.pending_size <= SIZE_MAX


def test_the_codec_reads_or_refuses_each_in_every_version() -> None:
    read = 0
    for odd in ODD:
        for raw in cut_apart(odd, 100):
            for version in LanVersion:
                frame = outcome(unframe, raw, version, KEY, from_device=False)
                if isinstance(frame, PeerError):
                    continue
                body = outcome(reveal, frame, version, KEY)
                if isinstance(body, bytes):
                    read += 1
                    for decode in BODIES:
                        outcome(decode, body)
    assert read > 200, "they would not get far"


def test_a_recording_of_each_can_be_told() -> None:
    for odd in ODD:
        conversation = Conversation(DeviceBook([Device("x", "", KEY, "10.0.0.9")]), "10.0.0.9")
        for raw in cut_apart(odd, len(odd.data)):
            conversation.read(raw, from_device=False)


@pytest.mark.parametrize("odd", list(odd_datagrams()), ids=lambda odd: odd.name)
def test_the_codec_reads_or_refuses_each_datagram(odd: Odd) -> None:
    outcome(discovery.decode_solicitation, odd.data)
    outcome(discovery.decode_announcement, odd.data)
    outcome(cut, odd.data)
    read_datagram(odd.data)
