"""A frame from the real world, and what came of reading it; also as owner and worker tell each other.

A frame is a grey picture, or the bytes of a picture file. On the socket between a `FrameReader`
and its workers each message is a 4-byte big-endian length and that many bytes of MessagePack: a
`Task` one way, `Hello` (see `messages`) and then a `FrameResult` each the other way.
"""

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

import msgspec

if TYPE_CHECKING:
    from firmware_sim.camera.symbol import Luma

Frame: TypeAlias = Union["Luma", bytes]

SIZE_MAX = 50_000_000  # bytes of a picture file
PIXELS_MAX = 50_000_000  # of a picture or frame; more than phones and cameras take
_MEGA = 1_000_000
_PROBLEM_MAX = 300  # characters


class Shot(NamedTuple):
    """One frame of a source: when it was taken, in seconds since the source began, and its name.

    With `problem` there is none, and that says why.
    """

    time_s: float
    number: int  # counts from 0
    name: str  # of the file, the video, the camera or the screen
    frame: Frame
    problem: str = ""


class Outcome(Enum):
    """What became of a frame."""

    READ = "read"
    NOTHING = "nothing legible"
    NO_PICTURE = "not a picture"
    DAMAGED = "damaged"
    TOO_LARGE = "too large"
    DIED = "decoder died"
    LATE = "took too long"


class FrameResult(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The raw bytes of the QR code in a frame, or None; then `problem` says why, in one line."""

    outcome: Outcome
    text: bytes | None = None
    problem: str = ""

    def __repr__(self) -> str:
        """Show what happened, not what was read: that may be a Wi-Fi password."""
        return f"FrameResult({self.outcome.value}, problem={self.problem!r})"


class Task(msgspec.Struct, frozen=True, array_like=True):
    """A frame for a worker: a picture file, or with a size in pixels the rows of a grey picture.

    `number` is that of one of many frames that follow each other, else None.
    """

    content: bytes
    width_px: int = 0
    height_px: int = 0
    number: int | None = None


def task_of(frame: Frame, number: int | None = None) -> Task:
    """Return what a worker is told of a frame."""
    if isinstance(frame, bytes):
        return Task(frame, number=number)
    height_px, width_px = frame.shape
    return Task(frame.tobytes(), width_px, height_px, number)


def one_line(problem: str) -> str:
    """Return what a worker says of a frame as a line for a terminal.

    A worker that has read the wrong file may have come to say whatever that file wants.
    """
    return "".join(filter(str.isprintable, problem[:_PROBLEM_MAX]))


def oversize(frame: Frame) -> str:
    """Return why a frame is too large to be looked at, "" when it is not."""
    if isinstance(frame, bytes):
        if len(frame) > SIZE_MAX:
            return f"a file of more than {SIZE_MAX // _MEGA} MB"
        return ""
    height_px, width_px = frame.shape
    return too_many_pixels(width_px, height_px)


def too_many_pixels(width_px: int, height_px: int) -> str:
    """Return why a picture of this size is not decoded, "" when it is."""
    if width_px * height_px <= PIXELS_MAX:
        return ""
    pixels = width_px * height_px / _MEGA
    return f"{width_px} x {height_px}: {pixels:.0f} megapixels, at most {PIXELS_MAX // _MEGA}"
