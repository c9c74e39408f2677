"""What is left of a picture: its size, flat areas, and less of it the coarser the quantiser."""

import numpy as np
import pytest

from firmware_sim.camera.graded.codec import degraded
from firmware_sim.camera.symbol import flat_picture
from firmware_sim.rng import Rng

PICTURE = flat_picture(b"moved", 3)[:83, :77]


@pytest.mark.parametrize("qp", [0, 20, 51])
def test_a_picture_keeps_its_size(qp: int) -> None:
    shown = degraded(PICTURE, qp, Rng(1))
    assert shown.shape == PICTURE.shape
    assert shown.dtype == np.uint8


def test_a_flat_area_stays_flat() -> None:
    flat = np.full((48, 48), 90, np.uint8)
    assert np.ptp(degraded(flat, 40, Rng(1))) == 0


def test_the_finest_quantiser_keeps_nearly_all() -> None:
    assert np.abs(degraded(PICTURE, 0, Rng(1)).astype(int) - PICTURE).max() <= 3


def test_a_coarser_one_keeps_less() -> None:
    errors = [
        np.abs(degraded(PICTURE, qp, Rng(1)).astype(int) - PICTURE).mean()
        for qp in (10, 25, 35, 45, 51)
    ]
    assert errors == sorted(errors)
    assert errors[-1] > 10
