"""Chance for instruments: many numbers of `firmware_sim.rng` at once, in numpy.

Value number i of the stream of a seed is what the (i+1)-th call of `Rng(seed).next_u64` returns,
so noise can be had for any instant without drawing what lies before it.
"""

import math

import numpy as np
import numpy.typing as npt

from firmware_sim.bench.trace import Floats

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_ADDENDS = 4  # uniform numbers that make one of noise


def words(seed: int, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return the values of a seed's stream at some places (from 0), in the shape of `indices`."""
    places = indices.astype(np.uint64) + np.uint64(1)
    value = np.uint64(seed & 0xFFFFFFFFFFFFFFFF) + places * _GAMMA
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def uniform(seed: int, indices: npt.NDArray[np.int64]) -> Floats:
    """Return numbers from 0 (included) to 1 (not included) at some places of a stream."""
    drawn: Floats = (words(seed, indices) >> np.uint64(11)).astype(np.float64) / (1 << 53)
    return drawn


def noise(seed: int, shape: tuple[int, ...]) -> Floats:
    """Return noise of mean 0 and variance 1: bell-shaped, and never beyond 3.5."""
    places = np.arange(int(np.prod(shape)) * _ADDENDS).reshape(*shape, _ADDENDS)
    sums: Floats = uniform(seed, places).sum(axis=-1)
    bell: Floats = (sums - _ADDENDS / 2) * math.sqrt(12 / _ADDENDS)
    return bell
