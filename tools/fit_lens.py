"""Fit the model of the lens to the real lens, and hold it against it: `python tools/fit_lens.py`.

For each decoder and size of symbol the real lens looks at a thousand seeded scenes; the frames in
which it first reads become `firmware_sim/camera/readability.toml`. Then the model is compared with
a thousand other scenes, and single frames with an independent bench (`tools/lens_axes.py`).

`--check` writes nothing: it measures the scenes of the file again and fails when the lens of today
reads them in other frames. The same libraries give the same file; others may round differently,
so a share may be off by SLACK. Everything runs in this process, and takes a core half an hour.
"""

import argparse
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from itertools import accumulate

import msgspec

from firmware_sim.camera import decoder
from firmware_sim.camera.decoder import Decoder, make_decoder
from firmware_sim.camera.lens import FRAMES_MAX, first_read
from firmware_sim.camera.readability import FIT_PATH, Cell, Fit, ReadabilityModel, load_fit
from firmware_sim.camera.scene import PAYLOAD_SIZE_MAX, LensSettings
from firmware_sim.camera.symbol import dark_modules
from firmware_sim.rng import Rng, derive
from tools.figures import machine
from tools.lens_axes import rows

VERSIONS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40)
"""Codes for pairing are 3 to 8; a payload between two sizes is taken for the larger one."""
SCENES = 1000
SLACK = 0.02
FITTED, HELD_OUT = 1, 2
"""Branches of the seed: scenes that the file is made of, and others."""
DRAWS = 20_000
PACKAGES = ("pyzbar", "zxing-cpp", "pillow", "numpy", "segno")
_LETTERS = b'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_{}":,'

Reads = list[int | None]
"""The frame in which each scene was first read."""


@cache
def size_max(symbol: int) -> int:
    """Return the largest payload of a symbol of this version."""
    sizes = range(1, PAYLOAD_SIZE_MAX + 1)
    return bisect_right(sizes, 17 + 4 * symbol, key=lambda size: len(dark_modules(b"x" * size)))


def scenes(branch: int, symbol: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield the seeds of scenes, and the size of what is shown in each."""
    least, most = size_max(symbol - 1) + 1, size_max(symbol)
    for number in range(count):
        seed = derive(branch, symbol, number)
        yield seed, least + Rng(seed).below(most + 1 - least)


def real_reads(reader: Decoder, branch: int, symbol: int, count: int) -> Reads:
    """Return when the real lens reads."""
    return [
        first_read(reader, seed, _text(seed, size)) for seed, size in scenes(branch, symbol, count)
    ]


def _text(seed: int, size: int) -> bytes:
    """Return what a code says; the scene uses the branches up to the number of its last frame."""
    rng = Rng(derive(seed, FRAMES_MAX + 1))
    return bytes(_LETTERS[rng.below(len(_LETTERS))] for _ in range(size))


def model_reads(name: str, symbol: int) -> Reads:
    """Return when the model reads; it makes no difference to it what a code says."""
    model = ReadabilityModel(name)
    return [model.first_read(seed, b"x" * size) for seed, size in scenes(HELD_OUT, symbol, DRAWS)]


def shares(reads: Reads) -> list[float]:
    """Return the share of scenes read by frame 0, 1, 2 .."""
    return [count / len(reads) for count in cumulative(reads)]


def cumulative(reads: Iterable[int | None]) -> list[int]:
    """Return how many scenes were read by frame 0, 1, 2 .."""
    frames = Counter(reads)
    return list(accumulate(frames[frame] for frame in range(FRAMES_MAX)))


def distance(some: Sequence[float], others: Sequence[float]) -> float:
    """Return the largest difference between two cumulative distributions (Kolmogorov)."""
    return max(abs(a - b) for a, b in zip(some, others, strict=True))


def frame_at(reads: Reads, share: float) -> str:
    """Return the frame by which this share of scenes is read, "never" when it is not."""
    ordered = sorted(FRAMES_MAX if frame is None else frame for frame in reads)
    frame = ordered[int(share * len(ordered))]
    return "never" if frame == FRAMES_MAX else str(frame)


def figures(reads: Reads) -> str:
    """Return median, 95th percentile and what is never read, for a table."""
    never_pct = 100 * reads.count(None) / len(reads)
    return f"{frame_at(reads, 0.5):>7}{frame_at(reads, 0.95):>7}{never_pct:8.1f}"


def measure_cell(reader: Decoder, symbol: int) -> Cell:
    """Let the real lens look at the scenes that the file is made of."""
    counts = cumulative(real_reads(reader, FITTED, symbol, SCENES))
    print(f"measured {reader.name}, version {symbol}", flush=True)
    while len(counts) > 1 and counts[-1] == counts[-2]:
        counts.pop()
    return Cell(symbol, size_max(symbol), tuple(counts))


def measure(readers: Sequence[Decoder]) -> Fit:
    """Measure every cell."""
    return Fit(
        scenes=SCENES,
        frames=FRAMES_MAX,
        made_with={package: version(package) for package in PACKAGES},
        settings=LensSettings(),
        cells={r.name: tuple(measure_cell(r, symbol) for symbol in VERSIONS) for r in readers},
    )


def as_toml(fit: Fit) -> str:
    """Return the text of the data file."""
    lines = [
        "# When the real lens reads a code: written by tools/fit_lens.py, see readability.py.",
        f"scenes = {fit.scenes}",
        f"frames = {fit.frames}",
        "",
        "[made_with]",
        *(f'{package} = "{number}"' for package, number in fit.made_with.items()),
        "",
        "[settings]",
    ]
    for name, value in msgspec.to_builtins(fit.settings).items():
        shown = f"[{value[0]}, {value[1]}]" if isinstance(value, tuple | list) else value
        lines.append(f"{name} = {shown}")
    for name, cells in fit.cells.items():
        for cell in cells:
            counts = ", ".join(map(str, cell.read_by))
            lines += ["", f"[[cells.{name}]]", f"version = {cell.version}"]
            lines += [f"bytes_max = {cell.bytes_max}", f"read_by = [{counts}]"]
    return "\n".join(lines) + "\n"


def cell_shares(cell: Cell, fit: Fit) -> list[float]:
    """Return the shares of a cell, frame by frame to the last one."""
    counts = list(cell.read_by) + [cell.read_by[-1]] * (fit.frames - len(cell.read_by))
    return [count / fit.scenes for count in counts]


def check(fit: Fit, readers: Sequence[Decoder], largest: int) -> bool:
    """Measure the cells of `fit` again, up to the `largest` version; return whether they agree."""
    others = {p: n for p, n in fit.made_with.items() if version(p) != n}
    print(f"made with other versions: {others}" if others else "made with the same versions")
    worst = 0.0
    for reader in readers:
        for cell in fit.cells[reader.name]:
            if cell.version <= largest:
                again = measure_cell(reader, cell.version)
                apart = distance(cell_shares(again, fit), cell_shares(cell, fit))
                print("  identical" if again == cell else f"  off by {apart:.3f}", flush=True)
                worst = max(worst, apart)
    print(f"largest difference of a share: {worst:.3f}, allowed {SLACK}")
    return worst <= SLACK and fit.settings == LensSettings() and fit.frames == FRAMES_MAX


def compare(readers: Sequence[Decoder], count: int) -> None:
    """Print the model beside the real lens, on scenes that the file was not made of."""
    # Both sides are samples: this is what two of one distribution exceed once in twenty times.
    noise = 1.36 * (1 / SCENES + 1 / count) ** 0.5
    print(f"\nFrame of the first reading; {count} other scenes; chance alone makes {noise:.3f}")
    print(f"{'':16}{'bytes':>6}{'model: median':>15}{'p95':>5}{'never %':>9}", end="")
    print(f"{'real: median':>14}{'p95':>5}{'never %':>9}{'distance':>10}")
    for reader in readers:
        for symbol in VERSIONS:
            model = model_reads(reader.name, symbol)
            real = real_reads(reader, HELD_OUT, symbol, count)
            apart = distance(shares(model), shares(real))
            label = f"{reader.name:8} {symbol:4}   "
            print(
                f"{label}{size_max(symbol):6}      {figures(model)}     {figures(real)}{apart:10.3f}",
                flush=True,
            )


def main() -> None:
    """Fit and compare, or check."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail if it differs")
    parser.add_argument("--largest", type=int, default=40, help="check versions up to this one")
    parser.add_argument("--compare", action="store_true", help="only compare the model")
    parser.add_argument("--scenes", type=int, default=SCENES, help="scenes to compare with")
    arguments = parser.parse_args()
    readers = [make_decoder(name) for name in decoder.NAMES]
    print(machine(*PACKAGES), flush=True)
    if arguments.check:
        raise SystemExit(not check(load_fit(), readers, arguments.largest))
    if not arguments.compare:
        FIT_PATH.write_text(as_toml(measure(readers)), encoding="utf-8")
    compare(readers, arguments.scenes)
    print()
    for row in rows(readers):
        print(row, flush=True)


if __name__ == "__main__":
    main()
