"""Pictures of phones that people bring to a page: how many at once, and how large."""

from firmware_sim.camera.reader_pool import FrameReader

BODY_MAX = 5_000_000  # bytes
_AT_ONCE_MAX = 2


def picture_reader(decoder: str) -> FrameReader:
    """Return what reads them; each in a process of its own, so that nobody sees those of others."""
    return FrameReader(decoder, workers=_AT_ONCE_MAX, fresh=True)
