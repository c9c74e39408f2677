"""Frames of a camera that looks at a device, to a trace of its lamp.

The lamp is where light changes most; if nothing changes, where it is brightest and most coloured.
A camera sets its exposure anew when something lights up: what all of the background does together
is taken out, and so is what the lamp's body reflects while it is dark: below 0.4 of full scale
without much colour. Values are left as cameras write them (sRGB): colours are told by hue.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from firmware_sim.bench.reader.colours import saturation
from firmware_sim.bench.trace import Floats, LedTrace
from firmware_sim.errors import UsageError

Frame = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

FRAME_PIXELS_MAX = 40_000_000

_CELLS = 64  # at most, along the shorter side of a frame
_CHANGE_MIN, _CHANGE_SHARE = 0.12, 0.5
_GLOW_MIN, _GLOW_SHARE = 0.3, 0.7
_LAMP_SHARE_MAX = 0.2
_DARKEST_SHARE = 0.03
_UNLIT_MAX, _UNLIT_SATURATION_MAX = 0.4, 0.4


class Region(NamedTuple):
    """A part of a frame in pixels: left upper corner, width and height."""

    x: int
    y: int
    width: int
    height: int


def from_frames(
    frames: Sequence[Frame], times_s: Sequence[float] | Floats, region: Region | None = None
) -> LedTrace:
    """Return the light of a lamp in frames of shape (h, w, 3), RGB, taken at `times_s`.

    Without a region the lamp is sought. A lamp that is dark in all frames cannot be found: name
    its region. Raises UsageError for frames that do not fit together, a region outside them, and
    when there is nothing that could be a lamp.
    """
    times = np.asarray(times_s, dtype=np.float64)
    _check(frames, times)
    cells, side = _reduced(frames)
    cells = cells / _exposure(cells)[:, None, None, None]
    if region is None:
        lamp = _lamp(cells)
    else:
        lamp = _cells_of(region, frames[0].shape, cells.shape, side)
        if min(region.width, region.height) < 2 * side:
            return LedTrace(times, _own_light(_cut(frames, region)))
    return LedTrace(times, _own_light(cells[:, lamp].mean(axis=1)))


def find_lamp(frames: Sequence[Frame]) -> Region:
    """Return the box around the lamp in frames of shape (h, w, 3). UsageError if there is none."""
    _check(frames, np.arange(len(frames), dtype=np.float64))
    cells, side = _reduced(frames)
    rows, columns = np.nonzero(_lamp(cells / _exposure(cells)[:, None, None, None]))
    x, y = int(columns.min()) * side, int(rows.min()) * side
    width, height = (int(np.ptp(columns)) + 1) * side, (int(np.ptp(rows)) + 1) * side
    return Region(x, y, width, height)


def _own_light(seen: Floats) -> Floats:
    """Return (n, 3) without what an unlit lamp reflects, if it is unlit in any frame."""
    tops = seen.max(axis=1)
    dark = seen[np.argsort(tops)[: max(round(_DARKEST_SHARE * len(seen)), 1)]].mean(axis=0)
    unlit = dark.max() < _UNLIT_MAX and saturation(dark) < _UNLIT_SATURATION_MAX
    return np.clip(seen - dark, 0.0, 1.0) if unlit else seen


def _check(frames: Sequence[Frame], times_s: Floats) -> None:
    """Refuse what is no film (UsageError)."""
    if not len(frames) or len(frames) != len(times_s):
        raise UsageError(f"{len(frames)} frames and {len(times_s)} times: one time for each frame")
    if not np.isfinite(times_s).all() or (np.diff(times_s) < 0).any():
        raise UsageError("times of frames are numbers and do not run backwards")
    shape = frames[0].shape
    if len(shape) != 3 or shape[2] != 3 or not 0 < shape[0] * shape[1] <= FRAME_PIXELS_MAX:
        raise UsageError(
            f"a frame is height x width x 3 values, at most 40 megapixels, not {shape}"
        )
    if any(frame.shape != shape or frame.dtype != np.uint8 for frame in frames):
        raise UsageError(f"all frames have the shape of the first, {shape}, and 8 bits a value")


def _reduced(frames: Sequence[Frame]) -> tuple[Floats, int]:
    """Return means of squares of pixels, (n, rows, columns, 3) from 0 to 1, and a square's side."""
    height, width, _ = frames[0].shape
    side = -(-min(height, width) // _CELLS)
    rows, columns = height // side, width // side
    cells = np.empty((len(frames), rows, columns, 3))
    for number, frame in enumerate(frames):
        squares = frame[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
        cells[number] = squares.mean(axis=(1, 3)) / 255
    return cells, side


def _exposure(cells: Floats) -> Floats:
    """Return how bright each frame is against the usual one, judged by most of the picture; (n,)."""
    usual = np.median(cells, axis=0).max(axis=2)
    background = usual > 0.08
    if background.sum() < 20:
        return np.ones(len(cells))
    gain: Floats = np.median(cells.max(axis=3)[:, background] / usual[background], axis=1)
    return np.clip(gain, 0.5, 2.0)


def _lamp(cells: Floats) -> Bools:
    """Return which cells (rows, columns) are the lamp. UsageError."""
    low, high = np.percentile(cells, (4, 96), axis=0)
    change = (high - low).max(axis=2)
    if change.max() > _CHANGE_MIN + 3 * float(np.median(change)):
        return _blob(change, _CHANGE_SHARE)
    usual = np.median(cells, axis=0)
    top, bottom = usual.max(axis=2), usual.min(axis=2)
    glow = 0.5 * top + 0.5 * (top - bottom)
    glow = glow - float(np.median(glow))
    if glow.max() < _GLOW_MIN:
        raise UsageError("nothing in these frames changes or shines; name the region of the lamp")
    lamp = _blob(glow, _GLOW_SHARE)
    if lamp.mean() > _LAMP_SHARE_MAX:
        raise UsageError("what shines in these frames is too large for a lamp; name its region")
    return lamp


def _blob(values: Floats, share: float) -> Bools:
    """Return the cells around the highest value that hang together and reach a share of it."""
    high: Bools = values >= share * values.max()
    blob: Bools = np.zeros(high.shape, dtype=np.bool_)
    blob[np.unravel_index(int(values.argmax()), values.shape)] = True
    while True:
        wider = _grown(blob, 1) & high
        if np.array_equal(wider, blob):
            return blob
        blob = wider


def _grown(cells: Bools, steps: int) -> Bools:
    """Return cells (rows, columns) with their neighbours, and theirs."""
    for _ in range(steps):
        wider = cells.copy()
        wider[1:] |= cells[:-1]
        wider[:-1] |= cells[1:]
        wider[:, 1:] |= cells[:, :-1]
        wider[:, :-1] |= cells[:, 1:]
        cells = wider
    return cells


def _cells_of(region: Region, frame: tuple[int, ...], shape: tuple[int, ...], side: int) -> Bools:
    """Return the cells that lie in a region. UsageError if it is not in the frame."""
    x, y, width, height = region
    inside = x >= 0 and y >= 0 and x + width <= frame[1] and y + height <= frame[0]
    if width < 1 or height < 1 or not inside:
        raise UsageError(f"{region} does not lie in a frame of {frame[1]} x {frame[0]} pixels")
    lamp = np.zeros(shape[1:3], dtype=np.bool_)
    first_row, first_column = (y + side - 1) // side, (x + side - 1) // side
    lamp[first_row : (y + height) // side, first_column : (x + width) // side] = True
    return lamp


def _cut(frames: Sequence[Frame], region: Region) -> Floats:
    """Return the mean light of a region that is too small for cells, (n, 3)."""
    x, y, width, height = region
    parts = (frame[y : y + height, x : x + width].mean(axis=(0, 1)) / 255 for frame in frames)
    return np.array(list(parts))
