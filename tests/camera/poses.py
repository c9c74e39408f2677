"""A phone that stands still, straight and sharp before the lens; tests change what they are about."""

import msgspec

from firmware_sim.camera.scene import Pose

QR_TEXT = '{"s":"Entrepôt-5G","p":"correct horse 7","t":"EUabcdefgh1234"}'.encode()

STILL = Pose(
    distance_mm=150.0,
    roll_deg=0.0,
    tilt_deg=0.0,
    tilt_axis_deg=0.0,
    blur_px=0.0,
    smear_x_px=0.0,
    smear_y_px=0.0,
    black_level=30,
    white_level=200,
    room_level=90,
    noise_levels=0.0,
    noise_seed=0,
)


def still(**changes: float) -> Pose:
    return msgspec.structs.replace(STILL, **changes)
