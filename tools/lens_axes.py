"""The lens held against an independent bench, one distortion at a time.

The bench had made frames of its own: a code of 61 bytes (version 4, error correction M) on a phone
before a flat, furnished or busy background, rolled at random, drawn at twice the size, blurred by a
Gaussian, 20 frames per level; pyzbar 0.1.9 with libzbar 0.23.92 and zxing-cpp 3.1.1. Its shares are
the table below. Where a level does not say otherwise, a module is 4 px wide, the blur 0.5 px, the
noise 3 levels, the contrast 100 % (15 .. 235), and the screen parallel to the sensor.

`tools/fit_lens.py` prints what our frames make of the same levels. A share of 20 frames is right
to about 20 points, and our blur is a box of equal variance, so what has to agree is where reading
ends, not the last point on the slope.
"""

import math
from collections.abc import Iterator, Sequence

import msgspec

from firmware_sim.camera.decoder import Decoder
from firmware_sim.camera.frame import render
from firmware_sim.camera.scene import LensSettings, Pose
from firmware_sim.rng import Rng, derive

FRAMES = 200
_SEED = 4
_SETTINGS = LensSettings(module_px_max=12.0)
"""Nothing is scaled down: the bench did not, either."""
_CODE_MODULES = 33 + 2 * 4
_PAYLOAD_SIZE = 61
_BOX_PER_SIGMA = math.sqrt(12)
"""Width of a box, by the standard deviation of the Gaussian that blurs as much."""


class Level(msgspec.Struct, frozen=True):
    """One level of the bench, and what share of its frames each decoder read, in percent."""

    pyzbar: int
    zxing: int
    module_px: float = 4.0
    tilt_deg: float = 0.0
    sigma_px: float = 0.5
    smear_px: float = 0.0
    noise_levels: float = 3.0
    contrast_pct: float = 100.0


class Axis(msgspec.Struct, frozen=True):
    """Levels that differ in one thing: the field of `Level` that it is, and its unit."""

    field: str
    unit: str
    levels: tuple[Level, ...]


_MIX = {"tilt_deg": 20.0, "sigma_px": 1.0, "noise_levels": 8.0, "contrast_pct": 60.0}

AXES = {
    "module width": Axis(
        "module_px",
        "px",
        (
            Level(0, 0, module_px=1.25),
            Level(0, 65, module_px=1.5),
            Level(25, 90, module_px=1.75),
            Level(45, 85, module_px=2.0),
            Level(100, 100, module_px=2.5),
            Level(100, 100, module_px=3.0),
            Level(100, 100, module_px=6.0),
        ),
    ),
    "tilt": Axis(
        "tilt_deg",
        "deg",
        (
            Level(100, 100, tilt_deg=30.0),
            Level(95, 100, tilt_deg=45.0),
            Level(85, 95, tilt_deg=55.0),
            Level(70, 65, tilt_deg=60.0),
            Level(50, 45, tilt_deg=65.0),
        ),
    ),
    "blur, sigma": Axis(
        "sigma_px",
        "px",
        (
            Level(100, 100, sigma_px=1.0),
            Level(100, 100, sigma_px=1.5),
            Level(0, 10, sigma_px=2.0),
            Level(0, 0, sigma_px=2.5),
        ),
    ),
    "blur, modules of 3 px": Axis(
        "sigma_px",
        "px",
        (
            Level(100, 100, module_px=3.0),
            Level(95, 100, module_px=3.0, sigma_px=1.0),
            Level(0, 5, module_px=3.0, sigma_px=1.5),
            Level(0, 0, module_px=3.0, sigma_px=2.0),
        ),
    ),
    "smear": Axis(
        "smear_px",
        "px",
        (
            Level(100, 100, smear_px=3.0),
            Level(90, 100, smear_px=5.0),
            Level(0, 35, smear_px=7.0),
            Level(0, 0, smear_px=9.0),
        ),
    ),
    "noise": Axis(
        "noise_levels",
        "levels",
        (
            Level(100, 100, noise_levels=15.0),
            Level(75, 100, noise_levels=20.0),
            Level(45, 100, noise_levels=25.0),
            Level(35, 100, noise_levels=30.0),
            Level(0, 90, noise_levels=40.0),
        ),
    ),
    "contrast": Axis(
        "contrast_pct",
        "%",
        (
            Level(100, 100, contrast_pct=25.0),
            Level(75, 100, contrast_pct=15.0),
            Level(25, 100, contrast_pct=10.0),
            Level(5, 70, contrast_pct=7.0),
            Level(0, 0, contrast_pct=5.0),
        ),
    ),
    "all at once, modules of": Axis(
        "module_px",
        "px",
        (
            Level(0, 0, module_px=2.5, **_MIX),
            Level(25, 55, module_px=3.0, **_MIX),
            Level(60, 100, module_px=4.0, **_MIX),
            Level(35, 100, module_px=6.0, **_MIX),
        ),
    ),
}
"""What the bench measured; "all at once" is 20 degrees, 1 px, 8 levels and 60 % of contrast."""


def share_pct(decoder: Decoder, level: Level, frames: int = FRAMES) -> float:
    """Return which share of our frames at this level `decoder` reads, in percent."""
    read = 0
    for number in range(frames):
        rng = Rng(derive(_SEED, number))
        pose = _pose(level, rng)
        payload = rng.bytes(_PAYLOAD_SIZE).hex()[:_PAYLOAD_SIZE].encode()
        read += decoder.decode(render(payload, pose, _SETTINGS)) == payload
    return 100 * read / frames


def _pose(level: Level, rng: Rng) -> Pose:
    view = 2 * math.tan(math.radians(_SETTINGS.view_deg) / 2)
    smear_px = max(0.0, level.smear_px - 1)  # the bench counts the pixels it covers
    smear_rad = rng.between(0, 2 * math.pi)
    return Pose(
        distance_mm=_SETTINGS.picture_height_px
        * _SETTINGS.code_mm
        / (view * _CODE_MODULES * level.module_px),
        roll_deg=rng.between(0, 360),
        tilt_deg=level.tilt_deg,
        tilt_axis_deg=rng.between(0, 360),
        blur_px=level.sigma_px * _BOX_PER_SIGMA,
        smear_x_px=smear_px * math.cos(smear_rad),
        smear_y_px=smear_px * math.sin(smear_rad),
        black_level=15,
        white_level=15 + round(2.2 * level.contrast_pct),
        room_level=100,
        noise_levels=level.noise_levels,
        noise_seed=rng.next_u64(),
    )


def rows(decoders: Sequence[Decoder], frames: int = FRAMES) -> Iterator[str]:
    """Yield the table: for each level, decoder by decoder, the bench's share and ours."""
    heads = "".join(f"{reader.name + ': bench':>16}{'ours':>6}" for reader in decoders)
    yield f"{'share of frames read, %':38}{heads}"
    for name, axis in AXES.items():
        for level in axis.levels:
            shares = "".join(
                f"{getattr(level, reader.name):16}{share_pct(reader, level, frames):6.0f}"
                for reader in decoders
            )
            yield f"{name:26}{getattr(level, axis.field):5g} {axis.unit:6}{shares}"
