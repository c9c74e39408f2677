"""What a video codec leaves of a picture, without a codec.

Blocks of 8 x 8 pixels are predicted from the picture before, which the hand has moved on by whole
pixels per block of 16, and only the rest is kept, as cosines rounded to the quantiser's step. So
there are the marks that people know from H.264 (ITU-T H.264, 8.5: step doubles every six QP):
edges of blocks, lost fine modules, smear of what was there before.
"""

import math

import numpy as np
from numpy.typing import NDArray

from firmware_sim.camera.symbol import Luma
from firmware_sim.rng import Rng

_BLOCK = 8
_MACROBLOCK = 16
_MOVE_PX_MAX = 3
_STEP_AT_QP_4 = 1.0
_DEAD_ZONE = 1 / 6
"""Encoders round differences between pictures towards nothing."""


def degraded(luma: Luma, qp: int, rng: Rng) -> Luma:
    """Return a picture of the same size as a decoder of video would show it. QP is 0 .. 51."""
    step = np.float32(_STEP_AT_QP_4 * 2 ** ((qp - 4) / 6))
    height, width = luma.shape
    wide = np.pad(
        luma, ((0, -height % _MACROBLOCK), (0, -width % _MACROBLOCK)), mode="edge"
    ).astype(np.float32)
    before = _kept(wide - 128, step, 0.5) + 128  # the first picture predicts from nothing
    x, y = (rng.below(2 * _MOVE_PX_MAX + 1) - _MOVE_PX_MAX for _ in "xy")
    predicted = _moved(before, x, y, rng)
    shown = predicted + _kept(wide - predicted, step, _DEAD_ZONE)
    picture: Luma = np.clip(shown[:height, :width] + 0.5, 0, 255).astype(np.uint8)
    return picture


def _moved(before: NDArray[np.float32], x: int, y: int, rng: Rng) -> NDArray[np.float32]:
    """Return the prediction: the picture before, one block in four found a pixel beside it."""
    rows, columns = (side // _MACROBLOCK for side in before.shape)
    astray = np.frombuffer(rng.bytes(rows * columns), np.uint8).reshape(rows, columns) < 64
    mask = astray.repeat(_MACROBLOCK, axis=0).repeat(_MACROBLOCK, axis=1)
    return np.where(mask, np.roll(before, (_sign(y), _sign(x)), (0, 1)), before)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _kept(light: NDArray[np.float32], step: np.float32, rounding: float) -> NDArray[np.float32]:
    """Return what is left when cosines of each block are rounded to multiples of a step."""
    height, width = light.shape
    blocks = light.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).swapaxes(1, 2)
    waves = _COSINES @ blocks @ _COSINES.T
    sizes = np.floor(np.abs(waves) / step + np.float32(rounding)) * step
    back = _COSINES.T @ (np.sign(waves) * sizes) @ _COSINES
    return back.swapaxes(1, 2).reshape(height, width).astype(np.float32)


def _cosines() -> NDArray[np.float32]:
    rows = [
        [
            math.sqrt((1 if k == 0 else 2) / _BLOCK) * math.cos((2 * n + 1) * k * math.pi / 16)
            for n in range(_BLOCK)
        ]
        for k in range(_BLOCK)
    ]
    return np.array(rows, np.float32)


_COSINES = _cosines()
