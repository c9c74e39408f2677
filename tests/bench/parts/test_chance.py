"""The same numbers as the one source of chance, many at once."""

import numpy as np
import pytest

from firmware_sim.bench.parts import chance
from firmware_sim.rng import Rng


@pytest.mark.parametrize("seed", [0, 1, -1, 1 << 64, 0xDEADBEEFCAFEF00D])
def test_values_are_those_of_the_stream(seed: int) -> None:
    rng = Rng(seed)
    drawn = chance.words(seed, np.arange(20))
    assert [int(word) for word in drawn] == [rng.next_u64() for _ in range(20)]


def test_any_place_can_be_had_alone() -> None:
    places = np.array([[7, 3], [0, 7]])
    whole = chance.uniform(5, np.arange(8))
    assert chance.uniform(5, places).tolist() == [[whole[7], whole[3]], [whole[0], whole[7]]]
    assert ((whole >= 0) & (whole < 1)).all()


def test_noise_is_centred_and_of_unit_size() -> None:
    noise = chance.noise(9, (5000, 3))
    assert noise.shape == (5000, 3)
    assert abs(noise.mean()) < 0.03
    assert abs(noise.std() - 1) < 0.03
    assert np.abs(noise).max() < 3.5
