"""When a camera reads the code it is shown, drawn from what the real lens was measured to do.

A model, and no picture: for each decoder and size of symbol, `readability.toml` holds which share
of scenes the real lens (`scene`, `frame`, `decoder`) has read by frame 0, 1, 2 .. after the phone
came into view, with the settings of the lens that the file names. One number that follows from the
scene's seed picks the frame. Distributions agree with the real lens, single scenes do not: the hand
of this very seed is not looked at, which is what makes it some thousand times cheaper.

`tools/fit_lens.py` writes the file, holds the model against other scenes, and tells whether the
file still is what the lens does (`--check`).
"""

import tomllib
from bisect import bisect_right
from functools import cache
from pathlib import Path

import msgspec

from firmware_sim.camera.scene import PAYLOAD_SIZE_MAX, LensSettings, check_payload
from firmware_sim.errors import UsageError
from firmware_sim.rng import derive

FIT_PATH = Path(__file__).with_name("readability.toml")
_DRAW = 1
"""Branch of a scene's seed: what is drawn here says nothing about the rest of the scene."""


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was measured with symbols of one size.

    `read_by` counts the scenes read by frame 0, 1, 2 ..; after its last frame nothing more was
    read. What is left to all scenes was not read in any of the `Fit`'s frames.
    """

    version: int
    """The symbol's, from 1 to 40: it has 17 modules and 4 per version."""
    bytes_max: int
    """The largest payload of that version."""
    read_by: tuple[int, ...]


class Fit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The measurement: of each cell so many scenes, of each scene at most so many frames."""

    scenes: int
    frames: int
    made_with: dict[str, str]
    """Versions of the libraries."""
    settings: LensSettings
    cells: dict[str, tuple[Cell, ...]]
    """By decoder, small symbols first."""


@cache
def load_fit() -> Fit:
    """Return the measurement that comes with this package."""
    return msgspec.convert(tomllib.loads(FIT_PATH.read_text(encoding="utf-8")), Fit)


class ReadabilityModel:
    """A lens in virtual time that makes no frames."""

    __slots__ = ("_rungs", "frame_ms")

    def __init__(self, decoder: str, fit: Fit | None = None) -> None:
        """Take decoder "pyzbar" or "zxing"; without `fit` the one of the package.

        Raises UsageError for another decoder.
        """
        fit = fit or load_fit()
        if decoder not in fit.cells:
            raise UsageError(
                f"decoder {decoder!r} is unknown: use one of {', '.join(sorted(fit.cells))}"
            )
        self.frame_ms = 1000 / fit.settings.frames_per_second
        self._rungs = _rungs(fit, fit.cells[decoder])

    def first_read(self, seed: int, payload: bytes) -> int | None:
        """Return the frame, from 0, in which the camera of scene `seed` reads the code.

        None: not in the frames that were measured. Raises UsageError for a payload that no symbol
        holds.
        """
        check_payload(payload)
        rungs = self._rungs[len(payload)]
        frame = bisect_right(rungs, derive(seed, _DRAW))
        return frame if frame < len(rungs) else None


def _rungs(fit: Fit, cells: tuple[Cell, ...]) -> list[tuple[int, ...]]:
    """Return for each size of a payload the ladder of its cell: shares of 2**64 read by frame n.

    A size between two cells, or beyond the last one, takes the harder or the last.
    """
    ladders: list[tuple[int, ...]] = []
    for cell in cells:
        ladder = tuple((count << 64) // fit.scenes for count in cell.read_by)
        ladders += [ladder] * (cell.bytes_max + 1 - len(ladders))
    return ladders + ladders[-1:] * (PAYLOAD_SIZE_MAX + 1 - len(ladders))
