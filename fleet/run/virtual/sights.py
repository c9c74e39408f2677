"""What the lenses of a virtual run see: a model of the real lens, or the real lens itself.

The real lens runs in this process and not in workers. One agenda can do nothing meanwhile, so
workers would only add their messages; the codes that libzbar is known to abort at are not among
those that phones of a run show; and if it does abort, the same seed does it again under a debugger.
"""

from firmware_sim.camera import lens as camera
from firmware_sim.camera.decoder import make_decoder, self_test
from firmware_sim.camera.readability import ReadabilityModel
from firmware_sim.camera.scene import LensSettings
from firmware_sim.errors import UsageError
from firmware_sim.runtime.virtual.eyes import Sight

MODEL, REAL = "model", "real"


class RealSight:
    """Makes frame after frame of a scene and decodes them, until one is read.

    After `lens.FRAMES_MAX` frames it gives up. Scenes do not come back, so nothing is kept but how
    many frames there were, and in how many of them the code was read.
    """

    __slots__ = ("_decoder", "_settings", "decoded", "frame_ms", "frames")

    def __init__(self, decoder: str, settings: LensSettings | None = None) -> None:
        """Load and test a decoder. Raises UsageError for one that is unknown, absent or unfit."""
        self._settings = settings or LensSettings()
        self._decoder = make_decoder(decoder)
        self_test(self._decoder)
        self.frame_ms = 1000 / self._settings.frames_per_second
        self.frames = self.decoded = 0

    def first_read(self, seed: int, payload: bytes) -> int | None:
        """Return the frame, from 0, in which scene `seed` is read; None: in none of those made.

        Raises UsageError for a payload that no symbol holds.
        """
        frame = camera.first_read(self._decoder, seed, payload, self._settings)
        self.frames += camera.FRAMES_MAX if frame is None else frame + 1
        self.decoded += frame is not None
        return frame


def make_sight(lens: str, decoder: str) -> Sight:
    """Return the lens of that name, MODEL or REAL, for decoder "pyzbar" or "zxing".

    Raises UsageError for an unknown lens or decoder, and a REAL one whose decoder is not installed.
    """
    if lens == MODEL:
        return ReadabilityModel(decoder)
    if lens == REAL:
        return RealSight(decoder)
    raise UsageError(f"lens {lens!r} is unknown: use one of {MODEL}, {REAL}")
