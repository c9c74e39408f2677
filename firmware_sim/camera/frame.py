"""Pose -> frame: the part of the picture around the phone, as the decoder gets it.

Only a crop around the phone is made, at no more than `module_px_max` pixels per module: a whole
picture costs 10 to 100 times more and tells a decoder nothing else. Three further savings:

- Focus blur and the width of a pixel are box blurs of the flat screen, before it is projected;
  the blurred screen is cached, because many cameras look at the same code.
- The screen is drawn larger than it will be seen and blurred, so the projection may take the
  nearest pixel instead of interpolating.
- Noise is a slice of one field computed at first use.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from firmware_sim.camera.scene import LensSettings, Pose
from firmware_sim.camera.symbol import QUIET_MODULES, Luma, dark_modules

_BEZEL_MODULES = 2
_SCREEN_SCALE = 6
"""Pixels per module of the flat screen."""
_BLUR_STEPS = 2 * _SCREEN_SCALE
"""Blur widths are rounded to this fraction of a module, so that blurred screens can be shared."""
_BLUR_STEPS_MAX = 4 * _BLUR_STEPS
"""Four modules: nothing is left to read."""
_MARGIN_PX = 2
_ROOM_SIDE_PX = 224
_NOISE_UNIT = 16
"""Standard deviation of the noise field: its samples fit a byte, its products 16 bits."""


def render(payload: bytes | None, pose: Pose, settings: LensSettings) -> Luma:
    """Return the crop around the phone that shows `payload`, or bare room when it is None."""
    if payload is None:
        room = np.full((_ROOM_SIDE_PX, _ROOM_SIDE_PX), pose.room_level, np.int16)
        return _expose(room, pose)
    code_modules = len(dark_modules(payload)) + 2 * QUIET_MODULES
    sensor_px = module_sensor_px(code_modules, pose.distance_mm, settings)
    module_px = min(sensor_px, settings.module_px_max)
    scale = module_px / sensor_px
    smear_px = (pose.smear_x_px * scale, pose.smear_y_px * scale)
    # A sensor averages over each pixel: blur by that width and by the focus disc, as variances.
    blur_modules = math.hypot(1.0, pose.blur_px * scale) / module_px
    blur_steps = max(2, min(_BLUR_STEPS_MAX, round(blur_modules * _BLUR_STEPS)))
    span = pose.white_level - pose.black_level
    size_px, to_screen = _view(code_modules, module_px, smear_px, pose, settings)
    seen = _screen(payload, blur_steps).transform(
        size_px,
        Image.Transform.PERSPECTIVE,
        to_screen,
        Image.Resampling.NEAREST,
        fillcolor=min(255, max(0, 256 * (pose.room_level - pose.black_level) // max(1, span))),
    )
    lit = ((_smear(np.asarray(seen), *smear_px) * np.uint16(span)) >> 8).astype(np.int16)
    lit += np.int16(pose.black_level)
    return _expose(lit, pose)


def module_sensor_px(code_modules: int, distance_mm: float, settings: LensSettings) -> float:
    """Return the width of one module in sensor px, for a code of `code_modules` with quiet zone."""
    view_mm = 2 * distance_mm * math.tan(math.radians(settings.view_deg) / 2)
    return settings.picture_height_px * settings.code_mm / (view_mm * code_modules)


@lru_cache(maxsize=32)
def _screen(payload: bytes, blur_steps: int) -> Image.Image:
    """Return the phone's screen, flat: code, quiet zone, dark bezel; blurred by so many steps."""
    light = np.pad(1 - dark_modules(payload), QUIET_MODULES, constant_values=1) * np.uint8(255)
    framed = np.pad(light, _BEZEL_MODULES)
    flat = framed.repeat(_SCREEN_SCALE, axis=0).repeat(_SCREEN_SCALE, axis=1)
    width_px = blur_steps * _SCREEN_SCALE / _BLUR_STEPS
    return Image.fromarray(flat).filter(ImageFilter.BoxBlur((width_px - 1) / 2))


def _view(
    code_modules: int,
    module_px: float,
    smear_px: tuple[float, float],
    pose: Pose,
    settings: LensSettings,
) -> tuple[tuple[int, int], tuple[float, ...]]:
    """Return the size of the crop, and Pillow's eight numbers: crop pixel -> screen pixel.

    A pinhole camera sees the tilted and rolled screen; the crop is what holds its four corners.
    """
    turned = _tilt(pose) @ _roll(pose)
    # Screen point (u, v, 1), in modules from its centre -> picture point times its relative depth.
    to_picture = np.column_stack((turned[:, 0], turned[:, 1], (0.0, 0.0, 1.0)))
    to_picture[:2] *= module_px
    to_picture[2, :2] /= pose.distance_mm * code_modules / settings.code_mm
    half = code_modules / 2 + _BEZEL_MODULES
    corners = to_picture @ ((half, half, -half, -half), (half, -half, half, -half), (1, 1, 1, 1))
    seen = corners[:2] / corners[2]
    margin = np.abs(smear_px) / 2 + _MARGIN_PX
    first, last = seen.min(axis=1) - margin, seen.max(axis=1) + margin
    width, height = np.ceil(last - first).astype(int)
    from_crop = np.array([[1, 0, first[0]], [0, 1, first[1]], [0, 0, 1]])
    to_screen = np.array([[1, 0, half], [0, 1, half], [0, 0, 1 / _SCREEN_SCALE]])
    back = to_screen @ np.linalg.inv(to_picture) @ from_crop
    return (int(width), int(height)), tuple((back / back[2, 2]).ravel()[:8].tolist())


def _tilt(pose: Pose) -> NDArray[np.float64]:
    """Return the rotation by the tilt about an axis that lies in the picture (Rodrigues)."""
    angle, axis = math.radians(pose.tilt_deg), math.radians(pose.tilt_axis_deg)
    x, y, sin, bend = math.cos(axis), math.sin(axis), math.sin(angle), 1 - math.cos(angle)
    return np.array(
        [
            [1 - bend * y * y, bend * x * y, y * sin],
            [bend * x * y, 1 - bend * x * x, -x * sin],
            [-y * sin, x * sin, 1 - bend],
        ]
    )


def _roll(pose: Pose) -> NDArray[np.float64]:
    """Return the rotation in the plane of the picture."""
    angle = math.radians(pose.roll_deg)
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _smear(grey: Luma, x_px: float, y_px: float) -> NDArray[np.uint16]:
    """Return the mean of copies shifted along a straight path; the crop shrinks by its length."""
    steps = math.ceil(max(abs(x_px), abs(y_px)))
    if steps == 0:
        return grey.astype(np.uint16)
    shifts = [(round(x_px * i / steps), round(y_px * i / steps)) for i in range(steps + 1)]
    left, top = min(x for x, _ in shifts), min(y for _, y in shifts)
    width = grey.shape[1] - abs(shifts[-1][0])
    height = grey.shape[0] - abs(shifts[-1][1])
    total = np.zeros((height, width), np.uint16)
    for x, y in shifts:
        total += grey[y - top : y - top + height, x - left : x - left + width]
    return total // np.uint16(steps + 1)


def _expose(lit: NDArray[np.int16], pose: Pose) -> Luma:
    """Add sensor noise to grey levels and clip to what a pixel can hold."""
    field = noise_field(max(18, (2 * lit.size - 1).bit_length()))
    start = pose.noise_seed % (field.size - lit.size)
    gain = np.int16(round(pose.noise_levels * 4))
    noise = field[start : start + lit.size].reshape(lit.shape) * gain
    noise >>= 6
    noise += lit
    luma: Luma = np.clip(noise, 0, 255).astype(np.uint8)
    return luma


@lru_cache(maxsize=4)
def noise_field(size_bits: int) -> NDArray[np.int8]:
    """Return 2**size_bits samples of nearly Gaussian noise of standard deviation 16. Read only.

    SplitMix64 as in `firmware_sim.rng`, a million steps at once; the eight bytes of each word
    are summed, which is bell-shaped and the same on every machine.
    """
    words = np.arange(1, 2**size_bits + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    total = words.view(np.uint8).reshape(-1, 8).sum(axis=1, dtype=np.int16)
    # Eight uniform bytes: mean 8 * 127.5, standard deviation sqrt(8 * (256**2 - 1) / 12) = 209.
    field: NDArray[np.int8] = ((total - np.int16(1020)) * _NOISE_UNIT // 209).astype(np.int8)
    field.flags.writeable = False
    return field
