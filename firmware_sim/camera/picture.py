"""A picture that people bring, or a frame of a camera -> the QR code in it, or why there is none.

Whoever calls this with what strangers have made does so in a process of its own: `FrameReader`.
"""

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from firmware_sim.camera.shots import Frame, FrameResult, Outcome, oversize, too_many_pixels
from firmware_sim.camera.strategy import Strategy
from firmware_sim.camera.symbol import Luma

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
SIGNATURES = (
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*"),
    *(b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"),
)
"""How files of these formats begin, but for WebP."""
_SIDE_PX_MAX = 1600  # a photograph of a code is legible at this size, and quick to search
_BOMB_RATIO = 500  # pixels per byte of a file; what is a picture of something has fewer by far


class _Unreadable(Exception):
    """There is nothing to look for a code in."""

    def __init__(self, outcome: Outcome, problem: str) -> None:
        super().__init__(problem)
        self.outcome = outcome


def looks_like_picture(beginning: bytes) -> bool:
    """Say whether a file of which these are the first 12 bytes or more claims to be a picture."""
    webp = beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP"
    return webp or beginning.startswith(SIGNATURES)


def read(frame: Frame, strategy: Strategy, number: int | None = None) -> FrameResult:
    """Return what `strategy` makes of a frame; nothing of a frame raises.

    A `number` says which one it is of many that follow each other, of which none is worth every
    effort.
    """
    if problem := oversize(frame):
        return FrameResult(Outcome.TOO_LARGE, problem=problem)
    try:
        luma = _grey(frame) if isinstance(frame, bytes) else frame
        text = strategy.decode(luma) if number is None else strategy.decode_in_turn(luma, number)
    except _Unreadable as error:
        return FrameResult(error.outcome, problem=str(error))
    except MemoryError:
        return FrameResult(Outcome.TOO_LARGE, problem="it takes more memory than it may")
    if text is None:
        return FrameResult(Outcome.NOTHING, problem="no QR code can be read in it")
    return FrameResult(Outcome.READ, text)


def _grey(content: bytes) -> Luma:
    try:
        with warnings.catch_warnings():
            # Our own bound on pixels is lower, and says what it found.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                _check_size(len(content), picture)
                return _decoded(picture)
    except UnidentifiedImageError:
        if looks_like_picture(content):
            raise _Unreadable(Outcome.DAMAGED, "the picture is damaged at its beginning") from None
        said = "not a picture (PNG, JPEG, WebP, GIF, BMP, TIFF or PNM)"
        raise _Unreadable(Outcome.NO_PICTURE, said) from None
    except Image.DecompressionBombError:
        said = f"a decompression bomb: {len(content):,} bytes that unpack to more than any picture"
        raise _Unreadable(Outcome.TOO_LARGE, said) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        # What Pillow calls damaged files; a text in a PNG that unpacks to megabytes among them.
        raise _Unreadable(Outcome.DAMAGED, f"the picture is damaged: {error}") from None


def _check_size(size: int, picture: Image.Image) -> None:
    problem = too_many_pixels(*picture.size)
    if not problem:
        return
    if picture.width * picture.height > _BOMB_RATIO * size:
        problem = f"a decompression bomb: {size:,} bytes that unpack to {problem}"
    raise _Unreadable(Outcome.TOO_LARGE, problem)


def _decoded(picture: Image.Image) -> Luma:
    picture.draft("L", (_SIDE_PX_MAX, _SIDE_PX_MAX))  # a JPEG is not unpacked in full for nothing
    # Transparency means paper, not black.
    whole = picture.convert("RGBA" if _may_be_transparent(picture) else "L")
    whole.thumbnail((_SIDE_PX_MAX, _SIDE_PX_MAX))
    if whole.mode == "RGBA":
        whole = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole)
    return np.asarray(whole.convert("L"))


def _may_be_transparent(picture: Image.Image) -> bool:
    return picture.mode not in ("1", "L", "RGB", "CMYK", "YCbCr") or "transparency" in picture.info
