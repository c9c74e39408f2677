"""What codes say, undistorted: the decoders agree, and hostile ones are what they are called."""

import numpy as np
import pytest

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.graded.codes import PAYLOAD_SIZE, code_for, payload, with_quiet_zone
from firmware_sim.camera.graded.table import Recipe
from firmware_sim.camera.symbol import Luma
from firmware_sim.rng import Rng

ZXING = make_decoder("zxing")


def flat(dark: Luma) -> Luma:
    light = (1 - with_quiet_zone(dark)) * np.uint8(255)
    return light.repeat(4, axis=0).repeat(4, axis=1)


def test_the_base_is_a_version_4_symbol_of_61_bytes() -> None:
    code = code_for(Recipe(), Rng(1))
    assert code.dark.shape == (33, 33)
    assert code.text is not None
    assert len(code.text) == PAYLOAD_SIZE == 61
    assert code.text.isascii()
    assert ZXING.decode(flat(code.dark)) == code.text


def test_payloads_have_the_size_that_is_asked_for() -> None:
    assert [len(payload(size, Rng(size))) for size in (61, 101, 2331)] == [61, 101, 2331]


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(error="h"),
        Recipe(more_bytes=120),
        Recipe(kind="version", version=10),
        Recipe(kind="version", version=40),
        Recipe(kind="binary", version=40),
        Recipe(kind="append", parts=4),
    ],
    ids=["error H", "longer", "version 10", "version 40", "2,953 bytes", "one part of four"],
)
def test_a_decoder_reads_what_they_say(recipe: Recipe) -> None:
    code = code_for(recipe, Rng(2))
    assert code.text is not None
    assert ZXING.decode(flat(code.dark)) == code.text


def test_the_largest_code_is_full() -> None:
    assert len(code_for(Recipe(kind="binary", version=40), Rng(3)).text or b"") == 2953
    assert code_for(Recipe(kind="version", version=40), Rng(3)).dark.shape == (177, 177)


def test_a_part_is_no_text_to_zbar() -> None:
    part = code_for(Recipe(kind="append", parts=4), Rng(2))
    assert make_decoder("pyzbar").decode(flat(part.dark)) is None


def test_so_many_modules_are_flipped() -> None:
    whole = code_for(Recipe(), Rng(4))
    damaged = code_for(Recipe(flipped_pct=20), Rng(4))
    assert damaged.text == whole.text
    assert 0.1 < np.mean(damaged.dark != whole.dark) <= 0.2
    assert ZXING.decode(flat(damaged.dark)) is None


def test_a_field_of_finders_repeats_one() -> None:
    field = code_for(Recipe(kind="finders", module_px=4), Rng(5)).dark
    assert field.shape == (160, 160)
    assert np.array_equal(field[:9, :9], field[9:18, 9:18])
    assert field[:9, :9].sum() == 33  # a ring of 24 and a core of 9


def test_random_modules_are_half_dark() -> None:
    assert 0.45 < code_for(Recipe(kind="chaos"), Rng(6)).dark.mean() < 0.55
