"""The hand before the lens: repeatable, and it arrives."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.camera.scene import (
    PAYLOAD_SIZE_MAX,
    LensSettings,
    check_payload,
    pose_at,
)
from firmware_sim.errors import UsageError

SETTINGS = LensSettings()
SEEDS = range(60)


@given(st.integers(0, 2**64 - 1), st.integers(0, 10_000))
def test_a_pose_depends_on_nothing_but_its_arguments(seed: int, frame: int) -> None:
    assert pose_at(seed, frame, SETTINGS) == pose_at(seed, frame, LensSettings())


def test_a_known_pose() -> None:
    """A seed in an old report must go on meaning the same scene."""
    assert msgspec.structs.asdict(pose_at(2026, 3, SETTINGS)) == pytest.approx(
        {
            "distance_mm": 183.53307367,
            "roll_deg": 1.34343445,
            "tilt_deg": 18.81622029,
            "tilt_axis_deg": 42.70463246,
            "blur_px": 1.72721672,
            "smear_x_px": 11.84926398,
            "smear_y_px": -5.92020074,
            "black_level": 26,
            "white_level": 184,
            "room_level": 183,
            "noise_levels": 4.21738695,
            "noise_seed": 9938428633709772698,
        }
    )


def test_frames_of_one_camera_differ_and_so_do_cameras() -> None:
    assert len({pose_at(1, frame, SETTINGS) for frame in range(50)}) == 50
    assert len({pose_at(seed, 0, SETTINGS) for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_hand_comes_closer_and_stops(seed: int) -> None:
    first, last = pose_at(seed, 0, SETTINGS), pose_at(seed, 40, SETTINGS)
    assert 400 * 0.97 <= first.distance_mm <= 600 * 1.03
    assert 140 * 0.97 <= last.distance_mm <= 200 * 1.03


@pytest.mark.parametrize("seed", SEEDS)
def test_the_camera_focuses_and_the_hand_straightens(seed: int) -> None:
    assert pose_at(seed, 0, SETTINGS).blur_px >= 3
    late = pose_at(seed, 40, SETTINGS)
    assert late.blur_px == 0
    assert abs(late.tilt_deg) <= SETTINGS.tremble_deg


@given(st.integers(0, 2**64 - 1), st.integers(0, 100))
def test_poses_keep_within_the_settings(seed: int, frame: int) -> None:
    pose = pose_at(seed, frame, SETTINGS)
    assert abs((pose.roll_deg + 45) % 90 - 45) <= 20 + 3
    assert -3 <= pose.tilt_deg <= 30 + 3
    assert math.hypot(pose.smear_x_px, pose.smear_y_px) <= 16
    assert 15 <= pose.black_level < pose.white_level <= 235
    assert 110 <= pose.white_level - pose.black_level <= 176
    assert 3 <= pose.noise_levels <= 9


def test_about_as_many_frames_are_smeared_as_the_settings_say() -> None:
    smeared = sum(pose_at(7, frame, SETTINGS).smear_x_px != 0 for frame in range(1000))
    assert 250 < smeared < 350
    never = LensSettings(smear_share=0.0)
    assert not any(pose_at(7, frame, never).smear_x_px for frame in range(100))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_faster_camera_sees_the_same_hand(seed: int) -> None:
    twice = LensSettings(frames_per_second=10)
    for frame in range(10):
        slow, fast = pose_at(seed, frame, SETTINGS), pose_at(seed, 2 * frame, twice)
        assert fast.distance_mm == pytest.approx(slow.distance_mm, rel=0.07)
        assert fast.blur_px == slow.blur_px


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"noise_levels": (5.0, 3.0)}, "noise_levels = [5, 3]: must ascend within 0 .. 60"),
        ({"focus_blur_px": (-1.0, 3.0)}, "focus_blur_px"),
        ({"contrast_pct": (50.0, 101.0)}, "contrast_pct"),
        ({"approach_ms": (0.0, 100.0)}, "approach_ms"),
        ({"straighten_ms": (1.0, 1e9)}, "straighten_ms"),
        ({"hold_mm": (10.0, 100.0)}, "hold_mm = [10, 100]: must ascend within 60 .. 10000"),
        ({"start_mm": (float("nan"), 100.0)}, "start_mm"),
    ],
)
def test_settings_refuse_impossible_spans(
    change: dict[str, tuple[float, float]], words: str
) -> None:
    with pytest.raises(UsageError, match="lens: ") as caught:
        LensSettings(**change)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_settings_come_from_a_toml_table() -> None:
    toml = b"frames_per_second = 10\nhold_mm = [150, 180]\ntilt_deg_max = 5"
    settings = msgspec.toml.decode(toml, type=LensSettings)
    assert (settings.frames_per_second, settings.hold_mm) == (10, (150.0, 180.0))
    for wrong in (b"frames_per_second = 0", b"picture_height_px = 100", b"zoom = 2"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.toml.decode(wrong, type=LensSettings)
    with pytest.raises(UsageError, match="hold_mm"):
        msgspec.toml.decode(b"hold_mm = [200, 100]", type=LensSettings)


def test_payloads_are_bounded() -> None:
    check_payload(b"x")
    check_payload(b"x" * PAYLOAD_SIZE_MAX)
    for size in (0, PAYLOAD_SIZE_MAX + 1):
        with pytest.raises(UsageError, match=f"QR code of {size} bytes: must be 1 to 2331"):
            check_payload(b"x" * size)
