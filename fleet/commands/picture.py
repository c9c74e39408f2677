"""A QR code in a picture file -> the bytes inside it, so that it can be shown to a lens."""

from pathlib import Path

from firmware_sim.camera.decoder import make_decoder
from firmware_sim.camera.picture import code_in
from firmware_sim.errors import UsageError


def read_code(path: Path, decoder: str) -> bytes:
    """Return the payload of the QR code in picture `path`.

    Raises `UsageError` when the file is no picture, or no code can be read in it.
    """
    try:
        with path.open("rb") as picture:
            return code_in(picture, str(path), make_decoder(decoder))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from None
