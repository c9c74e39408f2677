"""Messages between pool and worker: whole again however they are cut, and silent about secrets."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.camera.messages import (
    MESSAGE_SIZE_MAX,
    Hello,
    Look,
    Report,
    Sight,
    Unframer,
    decode_answer,
    decode_looks,
    frame_message,
)
from firmware_sim.camera.scene import LensSettings
from firmware_sim.errors import TooLarge, UsageError

SECRET = b'{"s":"net","p":"hunter2","t":"EUabcdefgh1234"}'
LOOKS = [
    Look(1, 2**64 - 1, 0, SECRET),
    Look(-5, 0, 7, None, LensSettings(frames_per_second=9, hold_mm=(150.0, 151.0))),
]
ANSWERS: list[Hello | Report] = [
    Hello(),
    Hello("no libzbar"),
    Report([Sight(1, 0, SECRET), Sight(2, 3, None)], cpu_ns=12),
    Report([], cpu_ns=0),
]


def test_looks_survive_the_way() -> None:
    (body,) = Unframer().feed(frame_message(LOOKS))
    assert decode_looks(body) == LOOKS


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_survive_the_way(answer: Hello | Report) -> None:
    (body,) = Unframer().feed(frame_message(answer))
    assert decode_answer(body) == answer


@given(st.lists(st.integers(1, 40)))
def test_messages_are_whole_again_however_they_are_cut(sizes: list[int]) -> None:
    stream = b"".join([frame_message(answer) for answer in ANSWERS])
    unframer, bodies, at = Unframer(), list[bytes](), 0
    for size in [*sizes, len(stream)]:
        bodies += unframer.feed(stream[at : at + size])
        at += size
    assert [decode_answer(body) for body in bodies] == ANSWERS


def test_a_message_is_held_back_until_its_last_byte() -> None:
    message = frame_message(LOOKS)
    for cut in range(len(message)):
        assert Unframer().feed(message[:cut]) == []


def test_an_announced_monster_is_refused_before_it_arrives() -> None:
    with pytest.raises(TooLarge, match=f"at most {MESSAGE_SIZE_MAX}"):
        Unframer().feed((MESSAGE_SIZE_MAX + 1).to_bytes(4, "big"))


def test_the_largest_group_of_frames_fits() -> None:
    looks = [Look(camera, 2**64 - 1, 0, b"x" * 2331) for camera in range(8)]
    assert len(frame_message(looks)) < MESSAGE_SIZE_MAX


def test_a_look_that_no_worker_could_draw_does_not_exist() -> None:
    for payload in (b"", b"x" * 3000):
        with pytest.raises(UsageError, match="QR code of"):
            Look(1, 1, 0, payload)


def test_no_repr_shows_what_the_phone_shows() -> None:
    sight = Sight(1, 0, SECRET)
    for value in (LOOKS[0], sight, Report([sight], 1)):
        assert "hunter2" not in repr(value)
    assert repr(LOOKS[0]) == "Look(camera=1, frame=0)"
    assert repr(sight) == "Sight(camera=1, frame=0, read=True)"


def test_garbage_from_a_worker_is_not_an_answer() -> None:
    for body in (b"", b"\xc1", b"\x90", frame_message(LOOKS)[4:]):
        with pytest.raises(msgspec.DecodeError):
            decode_answer(body)
