"""Symbols as a phone app draws them."""

import numpy as np
import pytest

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.scene import PAYLOAD_SIZE_MAX
from firmware_sim.camera.symbol import QUIET_MODULES, dark_modules, flat_picture
from firmware_sim.errors import UsageError

FINDER = """
#######
#.....#
#.###.#
#.###.#
#.###.#
#.....#
#######
"""


@pytest.mark.parametrize(("size", "modules"), [(1, 21), (62, 33), (133, 49), (2331, 177)])
def test_the_symbol_is_no_larger_than_needed(size: int, modules: int) -> None:
    assert dark_modules(b"x" * size).shape == (modules, modules)


def test_ones_are_dark() -> None:
    finder = [[char == "#" for char in row] for row in FINDER.split()]
    assert (dark_modules(b"x")[:7, :7] == finder).all()


def test_the_matrix_is_shared_and_cannot_be_changed() -> None:
    matrix = dark_modules(b"shared")
    assert dark_modules(b"shared") is matrix
    with pytest.raises(ValueError, match="read-only"):
        matrix[0, 0] = 0


@pytest.mark.parametrize("size", [0, PAYLOAD_SIZE_MAX + 1])
def test_what_no_symbol_holds_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match="QR code of"):
        dark_modules(b"x" * size)


def test_the_flat_picture_has_its_quiet_zone() -> None:
    picture = flat_picture(b"x", module_px=3)
    border = QUIET_MODULES * 3
    assert picture.shape == (3 * (21 + 8), 3 * (21 + 8))
    assert set(np.unique(picture)) == {0, 255}
    assert (picture[:border] == 255).all()
    assert (picture[:, -border:] == 255).all()
    assert (picture[border : border + 3, border : border + 3] == 0).all()


@pytest.mark.parametrize("payload", [b"0123456789", b"UPPER CASE", "点検".encode("shift_jis")])
def test_bytes_go_in_as_bytes(payload: bytes) -> None:
    """segno would take these for numbers, alphanumerics and Kanji."""
    assert make_decoder("zxing").decode(flat_picture(payload)) == payload
    assert len(dark_modules(payload)) == 21
