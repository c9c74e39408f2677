"""A QR code in a picture that people bring -> the bytes inside it: files, and photographs of phones.

The picture is read once, flat and whole, to learn what a phone displays. What a lens then makes of
that, frame by frame, is its own business.
"""

import warnings
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from firmware_sim.camera.decoder import Decoder
from firmware_sim.camera.scene import check_payload
from firmware_sim.camera.symbol import Luma
from firmware_sim.errors import UsageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
PIXELS_MAX = 90_000_000
_SIDE_PX_MAX = 1600  # a photograph of a code is legible at this size, and quick to search


def code_in(
    picture: BinaryIO,
    name: str,
    decoder: Decoder,
    *,
    formats: tuple[str, ...] = FORMATS,
    pixels_max: int = PIXELS_MAX,
) -> bytes:
    """Return the payload of the QR code in a picture.

    Raises `UsageError`, which begins with `name`, when it is no picture of these formats, has more
    pixels (which is found out before any is decoded), or no code can be read in it.
    """
    payload = decoder.decode(_grey(picture, name, formats, pixels_max))
    if payload is None:
        raise UsageError(f"{name}: no QR code can be read in this picture")
    check_payload(payload)
    return payload


def _grey(source: BinaryIO, name: str, formats: tuple[str, ...], pixels_max: int) -> Luma:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=formats) as picture:
                width_px, height_px = picture.size
                if width_px * height_px > pixels_max:
                    raise UsageError(f"{name}: too large a picture")
                # Transparency means paper, not black.
                whole = picture.convert("RGBA" if _may_be_transparent(picture) else "L")
    except UnidentifiedImageError:
        raise UsageError(f"{name}: not a picture that can be read (PNG, JPEG, ...)") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UsageError(f"{name}: too large a picture") from None
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow calls damaged files
        raise UsageError(f"{name}: cannot be read ({error})") from None
    if whole.mode == "RGBA":
        whole = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole)
    whole.thumbnail((_SIDE_PX_MAX, _SIDE_PX_MAX))
    return np.asarray(whole.convert("L"))


def _may_be_transparent(picture: Image.Image) -> bool:
    return picture.mode not in ("1", "L", "RGB", "CMYK", "YCbCr") or "transparency" in picture.info
