"""Several glances: what they add, that they stop when a code is found, and that they are bounded."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from firmware_sim.camera.decoder import NAMES, make_decoder
from firmware_sim.camera.strategy import (
    GLANCES,
    PLAIN,
    WHOLE_PX_MAX,
    WINDOW_PX,
    Glance,
    Strategy,
    busiest_part,
    prepared,
)
from firmware_sim.camera.symbol import Luma, flat_picture

TEXT = b'{"s":"Warehouse","p":"correct horse","t":"EUabcdefgh1234"}'
ROOM = np.random.default_rng(1).normal(120, 3, (480, 640)).astype(np.uint8)


def with_code(room: Luma, code: Luma, top: int = 120, left: int = 200) -> Luma:
    picture = room.copy()
    picture[top : top + code.shape[0], left : left + code.shape[1]] = code
    return picture


def blurred(luma: Luma, sigma_px: float) -> Luma:
    return np.asarray(Image.fromarray(luma).filter(ImageFilter.GaussianBlur(sigma_px)))


def noisy(luma: Luma, levels: float) -> Luma:
    noise = np.random.default_rng(2).normal(0, levels, luma.shape)
    return np.clip(luma + noise, 0, 255).astype(np.uint8)


CODE = flat_picture(TEXT, 4)
CASES = {
    "out of focus": blurred(with_code(ROOM, CODE), 2.0),
    "far away and out of focus": blurred(with_code(ROOM, flat_picture(TEXT, 2)), 1.0),
    "low contrast in noise": noisy((100 + with_code(ROOM, CODE) // 16).astype(np.uint8), 4),
    "light on dark": 255 - with_code(ROOM, CODE),
}
BEYOND_ONE_GLANCE = [(name, case) for name in NAMES for case in CASES]


class Sees:
    """Remembers what it was shown, and reads at the glance that it is told to."""

    def __init__(self, name: str, reads_at: int = -1) -> None:
        self.name = name
        self.shown: list[Luma] = []
        self._reads_at = reads_at

    def decode(self, luma: Luma) -> bytes | None:
        self.shown.append(luma)
        return TEXT if len(self.shown) - 1 == self._reads_at else None


@pytest.mark.parametrize(("name", "case"), BEYOND_ONE_GLANCE)
def test_what_a_decoder_alone_does_not_read(name: str, case: str) -> None:
    decoder = make_decoder(name)
    assert decoder.decode(CASES[case]) is None
    assert Strategy(decoder).decode(CASES[case]) == TEXT


@pytest.mark.parametrize("name", NAMES)
def test_a_small_code_in_a_large_picture(name: str) -> None:
    room = np.full((1080, 1920), 120, np.uint8)
    picture = with_code(room, flat_picture(TEXT, 3), 700, 1500)
    assert Strategy(make_decoder(name)).decode(picture) == TEXT


@pytest.mark.parametrize("name", NAMES)
def test_the_first_text_is_the_answer(name: str) -> None:
    for reads_at in range(3):
        decoder = Sees(name, reads_at)
        assert Strategy(decoder).decode(ROOM) == TEXT
        assert len(decoder.shown) == reads_at + 1


def test_the_first_glance_at_a_usual_picture_is_the_picture() -> None:
    decoder = Sees("zxing", 0)
    Strategy(decoder).decode(ROOM)
    assert np.array_equal(decoder.shown[0], ROOM)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape", [(480, 640), (1, 1), (1, 9000), (9000, 3), (200, 1590), (2160, 3840), (5000, 5000)]
)
def test_work_is_bounded_whatever_the_size(name: str, shape: tuple[int, int]) -> None:
    decoder = Sees(name)
    assert Strategy(decoder).decode(np.zeros(shape, np.uint8)) is None
    sizes = sorted(luma.size for luma in decoder.shown)
    assert len(sizes) <= len(GLANCES[name])
    assert sizes[-1] <= WHOLE_PX_MAX
    assert sum(sizes[:-1]) <= 700_000 * (len(sizes) - 1)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_picture_is_not_looked_at(name: str) -> None:
    decoder = Sees(name)
    assert Strategy(decoder).decode(np.zeros((0, 9), np.uint8)) is None
    assert Strategy(decoder).decode_in_turn(np.zeros((9, 0), np.uint8), 1) is None
    assert decoder.shown == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(480, 640), (1080, 1920)])
def test_in_turn_two_glances_each_and_all_of_them_in_time(
    name: str, shape: tuple[int, int]
) -> None:
    picture = np.random.default_rng(3).integers(0, 255, shape, np.uint8)
    at_once, one_by_one = Sees(name), Sees(name)
    Strategy(at_once).decode(picture)
    in_turn = Strategy(one_by_one)
    for number in range(2 * len(at_once.shown)):
        assert in_turn.decode_in_turn(picture, number) is None
        assert len(one_by_one.shown) == 2 * (number + 1)
    assert glanced(one_by_one) == glanced(at_once)


def glanced(decoder: Sees) -> set[bytes]:
    return {luma.tobytes() for luma in decoder.shown}


def test_in_turn_a_large_picture_is_seen_whole_every_other_time() -> None:
    decoder = Sees("pyzbar")
    strategy = Strategy(decoder)
    for number in range(4):
        strategy.decode_in_turn(np.zeros((1080, 1920), np.uint8), number)
    seconds = [luma.shape == (1080, 1920) for luma in decoder.shown[1::2]]
    assert seconds == [True, False, True, False]


def test_in_turn_one_glance_is_enough_where_it_reads() -> None:
    decoder = Sees("pyzbar", 0)
    assert Strategy(decoder).decode_in_turn(ROOM, 5) == TEXT
    assert len(decoder.shown) == 1


def test_the_busiest_part_holds_the_code() -> None:
    code = flat_picture(TEXT, 2)
    for top, left in ((0, 0), (300, 20), (390, 550), (200, 300)):
        picture = with_code(ROOM, code[:90, :90], top, left)
        part = busiest_part(picture, WINDOW_PX)
        assert part.shape == (WINDOW_PX, WINDOW_PX)
        assert (part > 250).sum() == (picture > 250).sum() > 1000


def test_a_picture_that_is_small_is_its_own_part() -> None:
    small = ROOM[:200, :150]
    assert busiest_part(small, WINDOW_PX) is small


@pytest.mark.parametrize(
    ("glance", "expected"),
    [
        (PLAIN, [[50, 100], [150, 100]]),
        (Glance("small", invert=True), [[205, 155], [105, 155]]),
        (Glance("small", stretch=True), [[0, 128], [255, 128]]),
    ],
)
def test_preparations(glance: Glance, expected: list[list[int]]) -> None:
    cells = np.array([[50, 100], [150, 100]], np.uint8)
    picture = cells.repeat(40, axis=0).repeat(40, axis=1)
    shown = prepared(picture, glance)[::40, ::40].astype(int)
    assert np.abs(shown - expected).max() <= 1


def test_an_enlarged_picture_is_larger_and_a_sharpened_one_steeper() -> None:
    edge = blurred(
        np.hstack([np.full((40, 20), 60, np.uint8), np.full((40, 20), 180, np.uint8)]), 3
    )
    sharp = prepared(edge, Glance("small", sharpen_px=3.0, sharpen_by=3.0))
    assert (
        np.abs(np.diff(sharp[20].astype(int))).max() > np.abs(np.diff(edge[20].astype(int))).max()
    )
    assert prepared(edge, Glance("small", enlarge=2)).shape == (80, 80)
