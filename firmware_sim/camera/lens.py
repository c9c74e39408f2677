"""One camera takes one frame and reads it: the pure function that the workers run."""

from firmware_sim.camera.decoder import Decoder
from firmware_sim.camera.frame import render
from firmware_sim.camera.messages import Look, Sight
from firmware_sim.camera.scene import pose_at


def see(decoder: Decoder, look: Look) -> Sight:
    """Return what `decoder` reads in the frame that `look` asks for."""
    pose = pose_at(look.seed, look.frame, look.settings)
    luma = render(look.payload, pose, look.settings)
    return Sight(look.camera, look.frame, decoder.decode(luma))
