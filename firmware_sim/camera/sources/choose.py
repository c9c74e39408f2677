"""The words of a person -> frames: a file, a folder, a camera's device, or the screen."""

import os
import stat
from collections.abc import AsyncGenerator
from pathlib import Path

from firmware_sim.camera.shots import Shot
from firmware_sim.camera.sources import files, video
from firmware_sim.errors import UsageError

SCREEN = "screen"
_PICTURE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pnm")
)
_BEGINNING = 16


def frames_of(source: str, *, follow: bool = False) -> AsyncGenerator[Shot, None]:
    """Yield the frames of a source.

    `screen` is the one of DISPLAY, `screen:1` another one, `screen:0.0+100,200` a part of one; a
    device is a V4L2 camera, a folder its pictures, and `follow` waits there for more. A file with a
    picture's name or beginning is a picture, and any other one a video. Raises UsageError.
    """
    if source == SCREEN or source.startswith(f"{SCREEN}:"):
        return video.video("screen", _display(source))
    if not source:
        raise UsageError("an empty name is no source; the folder one is in is named .")
    path = Path(source)
    try:
        kind = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"{source}: cannot be read ({error.strerror})") from None
    if follow and not stat.S_ISDIR(kind):
        raise UsageError(f"{source}: --follow is for folders")
    if stat.S_ISDIR(kind):
        return files.folder(path, follow=follow)
    if stat.S_ISCHR(kind):
        return video.video("camera", source)
    if not stat.S_ISREG(kind):
        raise UsageError(f"{source}: neither a file nor a folder nor a camera")
    return files.one(path) if _is_picture(path) else video.video("file", source)


def _display(source: str) -> str:
    display = source.removeprefix(SCREEN) or os.environ.get("DISPLAY", "")
    if not display:
        raise UsageError(
            "there is no screen here: DISPLAY is not set; name one as in screen:0 (X11; what Wayland "
            "shows is not to be seen)"
        )
    return display


def _is_picture(path: Path) -> bool:
    from firmware_sim.camera.picture import looks_like_picture

    if path.suffix.lower() in _PICTURE_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return looks_like_picture(file.read(_BEGINNING))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
