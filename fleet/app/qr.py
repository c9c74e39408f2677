"""What the phone's screen shows: Wi-Fi and token as a QR symbol, for a terminal or as a picture.

A core, except that `save` writes the file that it is told to write. The symbol holds the UTF-8
bytes as they are (byte mode, no ECI header): encoders that guess an encoding turn "Café" into
ISO 8859-1, which firmware reads as damaged UTF-8.
"""

import io
from pathlib import Path

import segno

from firmware_sim.errors import UsageError
from firmware_sim.wire.provisioning import QrText, encode_qr

PICTURE_SUFFIXES = (".png", ".svg")
_PIXELS_PER_MODULE = 8


def payload(ssid: str, password: str, token_text: str) -> bytes:
    """Return the bytes inside the symbol: `{"s": ssid, "p": password, "t": token}`."""
    return encode_qr(QrText(ssid=ssid, password=password, token=token_text))


def terminal_text(data: bytes) -> str:
    """Return the symbol as lines of half-block characters, quiet zone included."""
    screen = io.StringIO()
    _symbol(data).terminal(screen, compact=True, border=2)
    return screen.getvalue()


def check_picture_path(path: Path) -> None:
    """Raise `UsageError` unless `save` knows the format by the name and the folder exists."""
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise UsageError(f"{path}: a QR picture is written as {' or '.join(PICTURE_SUFFIXES)}")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}")


def save(data: bytes, path: Path) -> None:
    """Write the symbol to `path` as PNG or SVG, by its suffix, quiet zone of 4 modules included.

    Raises `UsageError` for another suffix or when the file cannot be written.
    """
    check_picture_path(path)
    try:
        path.write_bytes(picture(data, path.suffix.lower()[1:]))
    except OSError as error:
        raise UsageError(f"{path}: cannot write the QR picture ({error.strerror})") from None


def picture(data: bytes, kind: str, pixels_per_module: int = _PIXELS_PER_MODULE) -> bytes:
    """Return the symbol as a picture, `kind` png or svg, quiet zone of 4 modules included."""
    content = io.BytesIO()
    _symbol(data).save(content, kind=kind, scale=pixels_per_module, border=4, light="white")
    return content.getvalue()


def _symbol(data: bytes) -> segno.QRCode:
    return segno.make(data, mode="byte", error="m", micro=False, boost_error=False)
