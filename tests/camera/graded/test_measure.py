"""What is counted of looks: read, wrong and unread are told apart, and nothing is looked at twice."""

import numpy as np
import pytest

from firmware_sim.camera.decoder import NAMES, Decoder
from firmware_sim.camera.graded.measure import (
    Seen,
    Tally,
    Verdict,
    Way,
    look,
    looks,
    make_reader,
)
from firmware_sim.camera.graded.picture import Sample
from firmware_sim.camera.graded.table import Level, graded
from firmware_sim.camera.strategy import Strategy
from firmware_sim.camera.symbol import Luma
from tests.camera.graded.levels import level_of

SAMPLE = Sample(np.zeros((4, 4), np.uint8), frozenset({b"one", b"other"}))


class Says:
    """Reads what it is told to."""

    name = "zxing"

    def __init__(self, text: bytes | None) -> None:
        self.text = text
        self.pictures: list[Luma] = []

    def decode(self, luma: Luma) -> bytes | None:
        self.pictures.append(luma)
        return self.text


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (b"one", Verdict.READ),
        (b"other", Verdict.READ),
        (b"oneother", Verdict.WRONG),
        (b"", Verdict.WRONG),
        (None, Verdict.UNREAD),
    ],
)
def test_a_text_is_right_when_a_code_in_view_says_it(text: bytes | None, verdict: Verdict) -> None:
    assert look(Says(text), SAMPLE).verdict is verdict


def test_where_no_code_is_any_text_is_wrong() -> None:
    assert look(Says(b"ghost"), Sample(SAMPLE.luma, frozenset())).verdict is Verdict.WRONG


def test_tallies_count_and_add_up() -> None:
    one, two = Tally(), Tally()
    for verdict in (Verdict.READ, Verdict.READ, Verdict.WRONG):
        one.count(Seen(verdict, 2_000_000))
    two.count(Seen(Verdict.LOST, 6_000_000))
    one.add(two)
    assert one == Tally(frames=4, read=2, wrong=1, lost=1, cpu_ns=12_000_000, cpu_ns_max=6_000_000)
    assert (one.read_pct, one.cpu_ms) == (50, 3)
    assert Tally().read_pct == 0


def test_all_readers_see_each_picture_and_what_is_behind_is_left_out() -> None:
    level = level_of()
    whole = [Says(None), Says(None)]
    assert len(list(looks(level, 3, [*whole]))) == 6
    assert all(
        np.array_equal(a, b) for a, b in zip(whole[0].pictures, whole[1].pictures, strict=True)
    )
    late = [Says(None), Says(None)]
    assert len(list(looks(level, 3, [*late], first=3))) == 3
    assert [len(reader.pictures) for reader in late] == [1, 2]
    assert np.array_equal(late[1].pictures[0], whole[1].pictures[1])


def test_ways_are_decoders_with_or_without_a_strategy() -> None:
    for name in NAMES:
        plain, strategic = (make_reader(Way(name, strategy)) for strategy in (False, True))
        assert plain.name == strategic.name == name
        assert isinstance(strategic, Strategy)
        assert not isinstance(plain, Strategy)


def tally_of(reader: Decoder, levels: list[Level], frames: int) -> Tally:
    tally = Tally()
    for level in levels:
        for seen in looks(level, frames, [reader]):
            tally.count(seen)
    return tally


@pytest.mark.no_cover
@pytest.mark.parametrize("name", NAMES)
def test_a_sample_within_the_limits_is_read(name: str) -> None:
    """Of each axis the hardest level that is to be read."""
    hardest = [level for level in graded() if level.axis.reads.get(name) == level.value]
    assert len(hardest) >= 20
    tally = tally_of(make_reader(Way(name, strategy=True)), hardest, 2)
    assert tally.wrong == 0
    assert tally.read_pct >= 90


BEYOND = {
    "pyzbar": {"module": 1.75, "contrast": 7, "noise at 4 px": 40, "blur at 3 px": 1.5},
    "zxing": {"module": 1.25, "contrast": 5, "noise at 2.5 px": 40, "blur at 2 px": 1},
}
"""Levels where a decoder alone reads a quarter or less."""


@pytest.mark.no_cover
@pytest.mark.parametrize("name", NAMES)
def test_a_strategy_reads_beyond_them(name: str) -> None:
    beyond = [level for level in graded() if BEYOND[name].get(level.axis.name) == level.value]
    assert len(beyond) == len(BEYOND[name])
    plain, strategic = (
        tally_of(make_reader(Way(name, strategy)), beyond, 4) for strategy in (False, True)
    )
    assert plain.read_pct <= 25
    assert strategic.read_pct >= 75
    assert strategic.wrong == 0
