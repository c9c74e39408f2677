"""What is in front of one camera: a hand that brings a phone with a QR code closer.

Pure arithmetic on (seed, frame number, settings): no clock, no picture, no state. The same three
values give the same pose in every process, which is why a worker needs nothing else to be told.

The hand starts too far away, slows down as it arrives, trembles, tilts and rolls the phone; the
camera focuses meanwhile, and now and then a frame is smeared by a movement. Vendors ask users to
hold the code about 15 to 20 cm from the lens; the defaults end there.
"""

import math
from typing import Annotated

import msgspec
from msgspec import Meta

from firmware_sim.errors import UsageError
from firmware_sim.rng import Rng, derive

PAYLOAD_SIZE_MAX = 2331
"""Bytes that the largest QR symbol (version 40) holds at error correction level M."""

_Span = tuple[float, float]
"""Lowest and highest value; each camera (or frame) draws its own between them."""


class LensSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera model's picture and the hand in front of it; every default is a plain choice.

    Lengths in "sensor px" are pixels of the full picture, before the crop is scaled down.
    """

    frames_per_second: Annotated[int, Meta(ge=1, le=60)] = 5
    """How often the firmware hands a frame to its decoder."""
    picture_height_px: Annotated[int, Meta(ge=240, le=4320)] = 720
    """Lines of the picture the decoder works on; firmware takes a sub-stream, not the full one."""
    view_deg: Annotated[float, Meta(ge=20, le=150)] = 60.0
    """Vertical angle of view."""
    module_px_max: Annotated[float, Meta(ge=2, le=12)] = 4.0
    """A nearer code is scaled down to this many pixels per module: cheaper, and no less legible."""
    code_mm: Annotated[float, Meta(ge=10, le=500)] = 60.0
    """Width of the code with its quiet zone on the phone's screen."""
    start_mm: _Span = (400.0, 600.0)
    """Distance from lens to screen when the phone comes into view."""
    hold_mm: _Span = (140.0, 200.0)
    """Distance at which the hand stops."""
    approach_ms: _Span = (700.0, 1900.0)
    """How long the hand takes from start to hold."""
    focus_ms: _Span = (400.0, 1900.0)
    """How long the camera takes to focus on the phone."""
    focus_blur_px: _Span = (3.0, 9.0)
    """Diameter of the blur disc, in sensor px, when the phone comes into view."""
    roll_deg_max: Annotated[float, Meta(ge=0, le=180)] = 20.0
    """The phone is upright or lies on a side, give or take this much."""
    tilt_deg_max: Annotated[float, Meta(ge=0, le=50)] = 30.0
    """Largest angle between the screen and the picture plane when the phone comes into view."""
    straighten_ms: _Span = (2000.0, 4000.0)
    """How long the hand takes, unanswered, to hold the phone straight."""
    tremble_deg: Annotated[float, Meta(ge=0, le=10)] = 3.0
    """Largest change of roll and of tilt from frame to frame."""
    smear_share: Annotated[float, Meta(ge=0, le=1)] = 0.3
    """Share of frames that a movement smears."""
    smear_px_max: Annotated[float, Meta(ge=0, le=50)] = 16.0
    """Longest smear, in sensor px."""
    noise_levels: _Span = (3.0, 9.0)
    """Standard deviation of the sensor noise, in grey levels."""
    contrast_pct: _Span = (50.0, 80.0)
    """Grey levels between black and white modules, in percent of 220."""

    def __post_init__(self) -> None:
        """Refuse spans that run backwards, are not positive or exceed what a frame can show."""
        for name in ("approach_ms", "focus_ms", "straighten_ms"):
            self._check_span(name, lowest=1.0, highest=60_000.0)
        # Nearer than its own width, a tilted screen would reach behind the lens.
        for name in ("start_mm", "hold_mm"):
            self._check_span(name, lowest=self.code_mm, highest=10_000.0)
        self._check_span("focus_blur_px", lowest=0.0, highest=50.0)
        self._check_span("noise_levels", lowest=0.0, highest=60.0)
        self._check_span("contrast_pct", lowest=0.0, highest=100.0)

    def _check_span(self, name: str, *, lowest: float, highest: float) -> None:
        low, high = getattr(self, name)
        if not lowest <= low <= high <= highest:
            raise UsageError(
                f"lens: {name} = [{low:g}, {high:g}]: must ascend within {lowest:g} .. {highest:g}"
            )


class Pose(msgspec.Struct, frozen=True, gc=False):
    """How the phone stands before the lens while one frame is exposed, and how well it is seen."""

    distance_mm: float
    roll_deg: float
    tilt_deg: float
    tilt_axis_deg: float
    blur_px: float
    smear_x_px: float
    smear_y_px: float
    black_level: int
    white_level: int
    room_level: int
    noise_levels: float
    noise_seed: int


def pose_at(seed: int, frame: int, settings: LensSettings) -> Pose:
    """Return the pose in frame number `frame`, counted from 0 when the phone came into view.

    `seed` belongs to the camera: it fixes the hand, the focus and the light of the whole scene;
    what differs from frame to frame is derived from seed and frame number.
    """
    hand, tremor = Rng(derive(seed, 0)), Rng(derive(seed, frame + 1))
    elapsed_ms = frame * 1000 / settings.frames_per_second
    start_mm, hold_mm = hand.between(*settings.start_mm), hand.between(*settings.hold_mm)
    remaining = max(0.0, 1.0 - elapsed_ms / hand.between(*settings.approach_ms))
    # The hand is fast at first and slows down as it arrives.
    distance_mm = hold_mm + (start_mm - hold_mm) * remaining * remaining
    out_of_focus = max(0.0, 1.0 - elapsed_ms / hand.between(*settings.focus_ms))
    roll_deg = hand.below(4) * 90 + hand.between(-1, 1) * settings.roll_deg_max
    crooked = max(0.0, 1.0 - elapsed_ms / hand.between(*settings.straighten_ms))
    tilt_deg = hand.between(0, settings.tilt_deg_max) * crooked
    span = round(2.2 * hand.between(*settings.contrast_pct))
    black_level = round(hand.between(15, 235 - span))
    smear_px = _smear_px(tremor, settings)
    smear_rad = tremor.between(0, 2 * math.pi)
    return Pose(
        distance_mm=distance_mm * tremor.between(0.97, 1.03),
        roll_deg=roll_deg + tremor.between(-1, 1) * settings.tremble_deg,
        tilt_deg=tilt_deg + tremor.between(-1, 1) * settings.tremble_deg,
        tilt_axis_deg=hand.between(0, 360),
        blur_px=hand.between(*settings.focus_blur_px) * out_of_focus,
        smear_x_px=smear_px * math.cos(smear_rad),
        smear_y_px=smear_px * math.sin(smear_rad),
        black_level=black_level,
        white_level=black_level + span,
        room_level=round(hand.between(40, 200)),
        noise_levels=hand.between(*settings.noise_levels),
        noise_seed=tremor.next_u64(),
    )


def _smear_px(tremor: Rng, settings: LensSettings) -> float:
    if tremor.between(0, 1) >= settings.smear_share:
        return 0.0
    return tremor.between(0, settings.smear_px_max)


def check_payload(payload: bytes) -> None:
    """Raise UsageError for a payload that no QR symbol holds: an empty or an oversized one."""
    if not 1 <= len(payload) <= PAYLOAD_SIZE_MAX:
        raise UsageError(
            f"QR code of {len(payload)} bytes: must be 1 to {PAYLOAD_SIZE_MAX} (shorten the text)"
        )
