"""What one camera sees: one frame taken and read, which the workers run, and a scene until it is.

Pure functions: (seed, frame number, payload, settings) say all there is to say.
"""

from firmware_sim.camera.decoder import Decoder
from firmware_sim.camera.frame import render
from firmware_sim.camera.messages import Look, Sight
from firmware_sim.camera.scene import LensSettings, pose_at

FRAMES_MAX = 50
"""Ten seconds, of which the hand moves four at most; what they do not show, a phone that is held
on in the same way may never show."""
_USUAL = LensSettings()


def see(decoder: Decoder, look: Look) -> Sight:
    """Return what `decoder` reads in the frame that `look` asks for."""
    pose = pose_at(look.seed, look.frame, look.settings)
    luma = render(look.payload, pose, look.settings)
    return Sight(look.camera, look.frame, decoder.decode(luma))


def first_read(
    decoder: Decoder, seed: int, payload: bytes, settings: LensSettings = _USUAL
) -> int | None:
    """Return the first frame of scene `seed`, from 0, in which `decoder` reads `payload`.

    None: in none of FRAMES_MAX. Raises UsageError for a payload that no QR symbol holds.
    """
    for frame in range(FRAMES_MAX):
        if see(decoder, Look(0, seed, frame, payload, settings)).text == payload:
            return frame
    return None
