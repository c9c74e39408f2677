"""Backgrounds: four of each kind, each busier than the kind before."""

import numpy as np

from firmware_sim.camera.graded.rooms import KINDS, VARIANTS, room
from firmware_sim.camera.symbol import Luma


def steps(luma: Luma) -> float:
    return float(np.abs(np.diff(luma.astype(int), axis=1)).mean())


def test_each_is_another_picture() -> None:
    rooms = {room(k, v, 64, 48).tobytes() for k in range(len(KINDS)) for v in range(VARIANTS)}
    assert len(rooms) == len(KINDS) * VARIANTS


def test_a_wall_is_flat_and_a_shelf_is_busy() -> None:
    wall, furnished, shelf = (steps(room(kind, 0, 640, 480)) for kind in range(3))
    assert wall == 0
    assert shelf > 3 * furnished > 0


def test_a_picture_that_many_share_cannot_be_changed() -> None:
    assert not room(1, 1, 64, 48).flags.writeable
