"""A QR code in a picture file -> the bytes inside it, so that it can be shown to a lens.

The picture is read once, flat and whole, to learn what the phone displays. What a camera then
makes of it, frame by frame, is the business of its own lens.
"""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.scene import check_payload
from firmware_sim.camera.symbol import Luma
from firmware_sim.errors import UsageError

_SIDE_PX_MAX = 1600  # a photograph of a code is legible at this size, and quick to search


def read_code(path: Path, decoder: str) -> bytes:
    """Return the payload of the QR code in picture `path`.

    Raises `UsageError` when the file is no picture, or no code can be read in it.
    """
    payload = make_decoder(decoder).decode(_grey(path))
    if payload is None:
        raise UsageError(f"{path}: no QR code can be read in this picture")
    check_payload(payload)
    return payload


def _grey(path: Path) -> Luma:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                # Transparency means paper, not black.
                whole = picture.convert("RGBA")
                flat = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole)
    except UnidentifiedImageError:
        raise UsageError(f"{path}: not a picture that can be read (PNG, JPEG, ...)") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UsageError(f"{path}: too large a picture") from None
    flat.thumbnail((_SIDE_PX_MAX, _SIDE_PX_MAX))
    return np.asarray(flat.convert("L"))
