"""Frames: where each module is seen, and what blur, light and noise make of it."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.camera.frame import module_sensor_px, noise_field, render
from firmware_sim.camera.scene import LensSettings, pose_at
from firmware_sim.camera.symbol import Luma, dark_modules
from firmware_sim.rng import Rng
from tests.camera.poses import QR_TEXT, STILL, still

ROOT = Path(__file__).parents[2]
SETTINGS = LensSettings()
MODULES = len(dark_modules(QR_TEXT))
MODULE_PX = 4
BORDER_PX = 2 + (2 + 4) * MODULE_PX  # margin, bezel, quiet zone


def module_centres(luma: Luma) -> Luma:
    """Return the pixel in the middle of each module of a frame that shows the phone straight."""
    at = BORDER_PX + MODULE_PX * np.arange(MODULES) + MODULE_PX // 2
    return luma[np.ix_(at, at)]


def digest(frames: list[Luma]) -> str:
    return hashlib.sha256(b"".join(luma.tobytes() for luma in frames)).hexdigest()


def approach(seed: int) -> list[Luma]:
    return [render(QR_TEXT, pose_at(seed, frame, SETTINGS), SETTINGS) for frame in range(10)]


def test_the_same_seed_gives_the_same_frames_in_every_process() -> None:
    program = "from tests.camera.test_frame import *; print(digest(approach(11)))"
    other = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == digest(approach(11))
    assert digest(approach(11)) != digest(approach(12))


@pytest.mark.parametrize("turns", range(4))
def test_each_module_is_where_it_belongs(turns: int) -> None:
    dark = dark_modules(QR_TEXT)
    luma = render(QR_TEXT, still(roll_deg=90 * turns), SETTINGS)
    assert luma.dtype == np.uint8
    assert set(luma.shape) <= {2 * BORDER_PX + 4 * MODULES + rounding for rounding in (0, 1)}
    seen = module_centres(luma) < 115
    assert (seen == np.rot90(dark, -turns)).all(), "a positive roll turns clockwise"


def test_black_white_and_bezel_have_their_levels() -> None:
    luma = render(QR_TEXT, STILL, SETTINGS)
    assert luma.min() == STILL.black_level
    assert luma.max() == pytest.approx(STILL.white_level, abs=1)
    assert luma[6, 100] == STILL.black_level, "bezel"
    assert luma[17, 100] == luma.max(), "quiet zone"
    assert luma[0, 0] == pytest.approx(STILL.room_level, abs=1)
    assert module_centres(luma).std() > 50


def test_a_roll_shows_room_in_the_corners() -> None:
    luma = render(QR_TEXT, still(roll_deg=45), SETTINGS)
    corners = luma[[5, 5, -5, -5], [5, -5, 5, -5]]
    assert corners == pytest.approx(STILL.room_level, abs=1)
    assert luma.shape[0] == pytest.approx(2**0.5 * 4 * (MODULES + 8 + 4), rel=0.02)


def test_a_room_lighter_or_darker_than_the_screen_is_clipped_to_it() -> None:
    for room_level, shown in ((255, STILL.white_level), (0, STILL.black_level)):
        luma = render(QR_TEXT, still(room_level=room_level), SETTINGS)
        assert luma[0, 0] == pytest.approx(shown, abs=1)


def test_the_nearer_edge_of_a_tilted_phone_looks_longer() -> None:
    luma = render(QR_TEXT, still(tilt_deg=40, tilt_axis_deg=90), SETTINGS)
    phone_heights = (luma != luma[0, 0]).sum(axis=0)
    assert luma.shape[1] < luma.shape[0], "it is turned about the vertical axis"
    left, right = phone_heights[6], phone_heights[-6]
    assert max(left, right) > 1.2 * min(left, right)
    assert phone_heights.max() > 0.9 * luma.shape[0]


def test_size_follows_distance_up_to_the_cap() -> None:
    modules = MODULES + 8
    fills_picture_mm = 60 / (2 * np.tan(np.radians(30)))
    filling = module_sensor_px(modules, fills_picture_mm, SETTINGS)
    assert filling * modules == pytest.approx(SETTINGS.picture_height_px)
    assert module_sensor_px(modules, 2 * fills_picture_mm, SETTINGS) == pytest.approx(filling / 2)
    sides = [len(render(QR_TEXT, still(distance_mm=mm), SETTINGS)) for mm in (900, 450, 220, 90)]
    assert sides == sorted(sides)
    assert sides[0] < sides[1] < sides[2]
    assert sides[-1] == 4 * (modules + 4) + 4


def test_blur_takes_contrast_from_the_modules() -> None:
    spread = [
        float(module_centres(render(QR_TEXT, still(blur_px=px), SETTINGS)).std())
        for px in (0, 5, 10, 30, 1000)
    ]
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < spread[0] / 3


@pytest.mark.parametrize(("x_px", "y_px"), [(12.0, 0.0), (0.0, -12.0), (-9.0, 7.0)])
def test_a_smear_runs_along_the_movement(x_px: float, y_px: float) -> None:
    sharp = render(QR_TEXT, STILL, SETTINGS).astype(float)
    smeared = render(QR_TEXT, still(smear_x_px=x_px, smear_y_px=y_px), SETTINGS).astype(float)
    assert smeared.shape[0] >= sharp.shape[0], "the phone stays inside"
    assert smeared.shape[1] >= sharp.shape[1]
    steep_x = np.abs(np.diff(smeared, axis=1)).sum() / np.abs(np.diff(sharp, axis=1)).sum()
    steep_y = np.abs(np.diff(smeared, axis=0)).sum() / np.abs(np.diff(sharp, axis=0)).sum()
    if x_px and y_px:
        assert max(steep_x, steep_y) < 0.9
    else:
        along, across = (steep_x, steep_y) if x_px else (steep_y, steep_x)
        assert along < 0.5 < across


def test_noise_is_as_strong_as_the_pose_says() -> None:
    quiet = render(QR_TEXT, STILL, SETTINGS).astype(int)
    noisy = render(QR_TEXT, still(noise_levels=6.0, noise_seed=123), SETTINGS).astype(int)
    assert (noisy - quiet).std() == pytest.approx(6, rel=0.05)
    assert abs((noisy - quiet).mean()) < 1
    other = render(QR_TEXT, still(noise_levels=6.0, noise_seed=124), SETTINGS)
    assert (other != noisy).mean() > 0.8


def test_an_empty_room_is_room_and_noise() -> None:
    luma = render(None, still(noise_levels=4.0, noise_seed=5), SETTINGS)
    assert luma.shape == (224, 224)
    assert luma.mean() == pytest.approx(STILL.room_level, abs=1)
    assert luma.std() == pytest.approx(4, rel=0.05)


def test_noise_is_the_generator_of_this_project() -> None:
    rng = Rng(0)
    field = noise_field(18)
    sums = [sum(rng.next_u64().to_bytes(8, "little")) for _ in range(100)]
    assert field[:100].tolist() == [(total - 1020) * 16 // 209 for total in sums]
    assert field.std() == pytest.approx(16, rel=0.01)
    assert not field.flags.writeable


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**64 - 1),
    frame=st.integers(0, 1000),
    size=st.sampled_from([1, 60, 140, 2331]),
    lens=st.builds(
        LensSettings,
        picture_height_px=st.sampled_from([240, 4320]),
        view_deg=st.sampled_from([20.0, 150.0]),
        start_mm=st.sampled_from([(60.0, 60.0), (10_000.0, 10_000.0)]),
        hold_mm=st.sampled_from([(60.0, 60.0), (10_000.0, 10_000.0)]),
        tilt_deg_max=st.just(50.0),
        tremble_deg=st.just(10.0),
        smear_share=st.just(1.0),
        smear_px_max=st.just(50.0),
        focus_blur_px=st.just((0.0, 50.0)),
        noise_levels=st.just((0.0, 60.0)),
        contrast_pct=st.just((0.0, 100.0)),
    ),
)
def test_every_allowed_setting_gives_a_bounded_frame(
    seed: int, frame: int, size: int, lens: LensSettings
) -> None:
    luma = render(b"x" * size, pose_at(seed, frame, lens), lens)
    assert luma.dtype == np.uint8
    assert 0 < luma.size < 20_000_000
