"""Segments become frames: in any order, more than once, with holes, and between foreign bytes."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wire.lan_frame import SIZE_MAX
from fleet.lan.packets import Address, Segment
from fleet.lan.streams import AHEAD_BYTES_MAX, AHEAD_SEGMENTS_MAX, Cut, Direction

from .vectors import GOLDEN

ENDS = Address("10.0.0.1", 50_000), Address("10.0.0.9", 6668)
FRAMES = [GOLDEN[name].frame for name in sorted(GOLDEN)]
STREAM = b"".join(FRAMES)


def segment(sequence: int, data: bytes, *, opens: bool = False, time_ns: int = 0) -> Segment:
    return Segment(time_ns, *ENDS, sequence % 2**32, None, opens, data)


def fed(direction: Direction, *segments: Segment) -> list[Cut]:
    return [cut for one in segments for cut in direction.take(one)]


def frames(cuts: list[Cut]) -> list[bytes]:
    return [cut.frame.data for cut in cuts if cut.frame is not None]


def pieces(cuts: list[int], start: int = 0) -> list[Segment]:
    """Return the stream as segments that end at `cuts`."""
    ends = [0, *sorted(cuts), len(STREAM)]
    return [segment(start + a, STREAM[a:b], time_ns=b) for a, b in pairwise(ends)]


CUTS = st.lists(st.integers(0, len(STREAM)), max_size=AHEAD_SEGMENTS_MAX)


@given(CUTS, st.integers(0, 2**32 - 1))
def test_any_cutting_gives_the_same_frames(cuts: list[int], start: int) -> None:
    direction = Direction()
    assert frames(fed(direction, *pieces(cuts, start))) == FRAMES
    assert list(direction.end()) == []


@given(CUTS, st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_gives_the_same_frames(
    cuts: list[int], start: int, chance: random.Random
) -> None:
    segments = [one for one in pieces(cuts, start) if one.data]
    segments += chance.choices(segments, k=5)
    chance.shuffle(segments)
    opening = segment(start - 1, b"", opens=True)
    direction = Direction()
    assert frames(fed(direction, opening, *segments)) == FRAMES
    assert list(direction.end()) == []


@given(CUTS, st.integers(1, 40))
def test_segments_that_overlap_give_each_byte_once(cuts: list[int], overlap: int) -> None:
    again = [
        segment(
            max(one.sequence - overlap, 0), STREAM[max(one.sequence - overlap, 0) : one.time_ns]
        )
        for one in pieces(cuts)
    ]
    assert frames(fed(Direction(), *again)) == FRAMES


def test_a_frame_has_the_time_of_its_last_byte() -> None:
    frame = FRAMES[0]
    direction = Direction()
    late = [segment(10, frame[10:], time_ns=5), segment(0, frame[:10], time_ns=9)]
    assert fed(direction, segment(0, b"", time_ns=1), *late)[0].time_ns == 5


# --- what was not recorded ----------------------------------------------------------------------


def test_a_stream_may_begin_in_the_middle() -> None:
    direction = Direction()
    cuts = fed(direction, segment(500, FRAMES[0][7:] + FRAMES[1]))
    assert cuts[0] == Cut(0, None, foreign=len(FRAMES[0]) - 7)
    assert frames(cuts) == [FRAMES[1]]


def test_a_hole_that_the_other_end_does_not_see_was_not_recorded() -> None:
    direction = Direction()
    assert frames(fed(direction, segment(0, FRAMES[0] + FRAMES[1][:10]))) == [FRAMES[0]]
    behind = 10 + len(FRAMES[0]) + 90
    assert fed(direction, segment(behind, FRAMES[2], time_ns=4)) == []
    assert list(direction.acknowledged(behind)) == []
    cuts = list(direction.acknowledged(behind + 1))
    assert cuts[:2] == [Cut(0, None, foreign=10), Cut(4, None, lost=90)]
    assert frames(cuts) == [FRAMES[2]]
    assert list(direction.acknowledged(behind + 5000)) == []


def test_too_many_segments_ahead_mean_a_hole() -> None:
    direction = Direction()
    fed(direction, segment(0, b"", opens=True))
    ahead = [segment(1000 + 2 * n, b"x") for n in range(AHEAD_SEGMENTS_MAX)]
    assert fed(direction, *ahead) == []
    assert fed(direction, segment(9000, b"x"))[0] == Cut(0, None, lost=999)


def test_too_many_bytes_ahead_mean_a_hole() -> None:
    direction = Direction()
    fed(direction, segment(0, b"", opens=True))
    cuts = fed(direction, segment(1001, FRAMES[0] + bytes(AHEAD_BYTES_MAX)))
    assert cuts[0] == Cut(0, None, lost=1000)
    assert frames(cuts) == [FRAMES[0]]


def test_at_the_end_holes_are_given_up() -> None:
    direction = Direction()
    fed(direction, segment(0, b""), segment(100, FRAMES[0]), segment(5000, FRAMES[1][:-1]))
    cuts = list(direction.end())
    assert frames(cuts) == [FRAMES[0]]
    assert [(cut.lost, cut.foreign) for cut in cuts] == [
        (100, 0),
        (0, 0),
        (4900 - len(FRAMES[0]), 0),
        (0, len(FRAMES[1]) - 1),
    ]


def test_the_longer_of_two_segments_ahead_counts() -> None:
    direction = Direction()
    ahead = [segment(10, FRAMES[0][10:size], time_ns=size) for size in (12, len(FRAMES[0]), 14)]
    assert frames(fed(direction, segment(0, b""), *ahead, segment(0, FRAMES[0][:10]))) == [
        FRAMES[0]
    ]


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=60)), max_size=80))
def test_numbers_without_sense_keep_nothing_beyond_the_limits(
    said: list[tuple[int, bytes]],
) -> None:
    direction = Direction()
    for sequence, data in said:
        fed(direction, segment(sequence, data))
        assert len(direction._ahead) <= AHEAD_SEGMENTS_MAX
        assert direction._ahead_bytes == sum(len(kept) for _, kept in direction._ahead.values())
        assert len(direction._cutter._pending) < SIZE_MAX
        list(direction.acknowledged(sequence))
    list(direction.end())
    assert direction._ahead_bytes == 0


# --- foreign bytes ------------------------------------------------------------------------------

NOISE = st.binary(max_size=50).filter(lambda data: b"\0" not in data)


@given(st.lists(st.tuples(NOISE, st.sampled_from(FRAMES)), max_size=6), st.integers(1, 90))
def test_frames_are_found_between_foreign_bytes(
    mixture: list[tuple[bytes, bytes]], size: int
) -> None:
    stream = b"".join(noise + frame for noise, frame in mixture)
    parts = [segment(at, stream[at : at + size]) for at in range(0, len(stream), size)]
    cuts = fed(Direction(), *parts)
    assert frames(cuts) == [frame for _, frame in mixture]
    assert sum(cut.foreign for cut in cuts) == sum(len(noise) for noise, _ in mixture)


@pytest.mark.parametrize(
    "false",
    [
        bytes.fromhex("000055aa"),
        bytes.fromhex("000055aa") + bytes(12),
        bytes.fromhex("000055aa") + b"\xff" * 40,
        bytes.fromhex("00006699") + b"\xff" * 14,
        GOLDEN["lan35_status"].frame[:-4] + b"oops",
        GOLDEN["lan33_status"].frame[:-4] + b"oops",
        b"\0" * 7,
    ],
)
def test_a_false_beginning_is_foreign(false: bytes) -> None:
    direction = Direction()
    stream = false + FRAMES[0] + bytes(SIZE_MAX) + FRAMES[1]
    cuts = fed(direction, segment(0, stream)) + list(direction.end())
    assert frames(cuts) == [FRAMES[0], FRAMES[1]]
    assert [cut.foreign for cut in cuts if cut.foreign] == [len(false), SIZE_MAX]
    assert sum(cut.foreign + len(cut.frame.data if cut.frame else b"") for cut in cuts) == len(
        stream
    )


@pytest.mark.parametrize("size", range(1, 5))
def test_the_beginning_of_a_magic_is_waited_for(size: int) -> None:
    direction = Direction()
    start = b"noise" + FRAMES[0][:size]
    cuts = fed(direction, segment(0, start), segment(len(start), FRAMES[0][size:]))
    assert cuts == [Cut(0, None, foreign=5), cuts[1]]
    assert frames(cuts) == [FRAMES[0]]


def test_a_beginning_that_never_goes_on_is_foreign_at_the_end() -> None:
    direction = Direction()
    assert fed(direction, segment(0, FRAMES[0][:-1])) == []
    assert list(direction.end()) == [Cut(0, None, foreign=len(FRAMES[0]) - 1)]
